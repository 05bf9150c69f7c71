package kubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/clock"
)

// pullState is how the pulls of one image for one pod have gone.
type pullState struct {
	delay   time.Duration
	updated time.Time
	err     string
}

// settle is how long a failed pull shows as ErrImagePull before the kubelet
// looks again and says ImagePullBackOff, about as long as a real one takes to
// notice that the pod needs it.
const settle = time.Second

// ensureImage sees to a container's image and goes on to create it.
func (w *worker) ensureImage(ctx context.Context, c *container) {
	w.op = opPull
	if c.spec.ImagePullPolicy == corev1.PullAlways {
		w.pull(ctx, c)
		return
	}
	w.Runtime.Image(c.spec.Image, func(image *Image, err error) {
		w.post(func(ctx context.Context) {
			if w.terminal {
				return
			}
			name := c.spec.Image
			switch {
			case err != nil:
				message := fmt.Sprintf("Failed to inspect image %q: %v", name, err)
				w.recordContainer(ctx, c, corev1.EventTypeWarning, "InspectFailed", message)
				w.failImage(ctx, c, "ImageInspectError", message, retryPeriod)
			case image != nil:
				w.recordContainer(ctx, c, corev1.EventTypeNormal, "Pulled",
					fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", name))
				w.create(ctx, c, *image)
			case c.spec.ImagePullPolicy == corev1.PullNever:
				message := fmt.Sprintf("Container image %q is not present with pull policy of Never", name)
				w.recordContainer(ctx, c, corev1.EventTypeWarning, "ErrImageNeverPull", message)
				w.failImage(ctx, c, "ErrImageNeverPull", message, retryPeriod)
			default:
				w.pull(ctx, c)
			}
		})
	})
}

// failImage ends a start-up for want of an image.
func (w *worker) failImage(ctx context.Context, c *container, reason, message string, retry time.Duration) {
	w.recordContainer(ctx, c, corev1.EventTypeWarning, "Failed", "Error: "+reason)
	w.failStart(c, reason, message, retry)
}

// pull fetches a container's image unless its pulls have failed lately.
func (w *worker) pull(ctx context.Context, c *container) {
	name := c.spec.Image
	state := w.pullStates[name]
	if state == nil {
		state = &pullState{}
		if w.pullStates == nil {
			w.pullStates = map[string]*pullState{}
		}
		w.pullStates[name] = state
	}
	if left := state.updated.Add(state.delay).Sub(w.now()); state.delay > 0 && left > 0 {
		message := fmt.Sprintf("Back-off pulling image %q", name)
		w.recordContainer(ctx, c, corev1.EventTypeNormal, "BackOff", message)
		w.failImage(ctx, c, "ImagePullBackOff", message+": "+state.err, left)
		return
	}
	w.recordContainer(ctx, c, corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", name))
	w.pulls.pull(name, func(image Image, took, waited time.Duration, err error) {
		w.post(func(ctx context.Context) {
			if w.terminal {
				return
			}
			if err != nil {
				w.recordContainer(ctx, c, corev1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", name, err))
				state.failed(w.now(), err)
				w.failImage(ctx, c, "ErrImagePull", err.Error(), settle)
				return
			}
			w.recordContainer(ctx, c, corev1.EventTypeNormal, "Pulled",
				fmt.Sprintf("Successfully pulled image %q in %v (%v including waiting). Image size: %v bytes.", name, took, waited, image.Size))
			w.create(ctx, c, image)
		})
	})
}

func (s *pullState) failed(now time.Time, err error) {
	if s.delay == 0 || now.Sub(s.updated) > resetBackoff {
		s.delay = firstBackoff
	} else {
		s.delay = min(2*s.delay, lastBackoff)
	}
	s.updated = now
	s.err = "ErrImagePull: " + err.Error()
}

// pullQueue pulls one image at a time, as kubelets do by default.
type pullQueue struct {
	runtime Runtime
	clock   clock.Clock

	mu      sync.Mutex
	waiting []pullRequest
	pulling bool
	// pulled is set when a pull has changed the images on the node.
	pulled bool
}

type pullRequest struct {
	name string
	at   time.Time
	done func(image Image, took, waited time.Duration, err error)
}

func newPullQueue(runtime Runtime, clock clock.Clock) *pullQueue {
	return &pullQueue{runtime: runtime, clock: clock, pulled: true}
}

func (q *pullQueue) pull(name string, done func(image Image, took, waited time.Duration, err error)) {
	q.mu.Lock()
	q.waiting = append(q.waiting, pullRequest{name, q.clock.Now(), done})
	q.mu.Unlock()
	q.next()
}

// next begins the first pull that waits, unless one is under way.
func (q *pullQueue) next() {
	q.mu.Lock()
	if q.pulling || len(q.waiting) == 0 {
		q.mu.Unlock()
		return
	}
	request := q.waiting[0]
	q.waiting = q.waiting[1:]
	q.pulling = true
	q.mu.Unlock()
	began := q.clock.Now()
	q.runtime.PullImage(request.name, func(image Image, err error) {
		now := q.clock.Now()
		q.mu.Lock()
		q.pulling = false
		q.pulled = q.pulled || err == nil
		q.mu.Unlock()
		request.done(image, now.Sub(began).Truncate(time.Millisecond), now.Sub(request.at).Truncate(time.Millisecond), err)
		q.next()
	})
}

// changed reports, once, that images have been pulled.
func (q *pullQueue) changed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	changed := q.pulled
	q.pulled = false
	return changed
}
