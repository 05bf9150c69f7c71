package kubelet

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

// operation is what a worker waits for before its start-up sequence goes on.
type operation uint8

const (
	opNone    operation = iota
	opSandbox           // a sandbox is being made
	opPull              // an image is being looked up or pulled
	opCreate            // a container is being created or started
	opHook              // a postStart hook runs
)

// worker is the state machine of one pod. Only its turns touch it, of which an
// executor runs one at a time; everything else leaves a note in its inbox.
type worker struct {
	*Kubelet
	request controller.Request
	uid     types.UID
	// pod is the newest state that is known of the pod, also after the API has
	// forgotten it.
	pod *corev1.Pod
	// began is when the kubelet first saw the pod.
	began time.Time

	inboxMu sync.Mutex
	inbox   []func(context.Context)
	turning bool

	admitted bool
	sandbox  sandbox
	// containers are the init containers, then the others, as in the spec, and
	// then those for debugging, as they were added.
	containers []*container
	inits, app int // how many there are
	pullStates map[string]*pullState
	// volumes are set once all of them are there; until then, mountAt is when
	// they are looked for again.
	volumes    map[string]*Volume
	mountAt    time.Time
	mountRetry time.Duration

	// op is the operation that is under way, sequence whether the start-up
	// sequence to which it belongs is.
	op       operation
	sequence bool

	// dirty: something has changed that the API's status does not show.
	dirty bool
	// verdict ends the pod as Failed for a reason of the kubelet's own.
	verdict *verdict
	// terminal: no container is to be started any more, because the pod has
	// run to its end, is deleted, or is gone from the API (orphaned).
	terminal, orphaned bool
	stopping, stopped  bool // its containers are being ended; all have been
	gone               bool // nothing is left of it

	wake time.Time // when the next turn is due at the latest, if not zero
}

// verdict is why the kubelet itself ends a pod.
type verdict struct {
	reason, message string
	rejected        bool // it was never let in
}

// sandbox is the pod's sandbox, if id is set.
type sandbox struct {
	Sandbox
	attempts int
	stopped  bool
	stopping bool
	retryAt  time.Time
}

func newWorker(k *Kubelet, request controller.Request, pod *corev1.Pod) *worker {
	w := &worker{
		Kubelet: k,
		request: request,
		uid:     pod.UID,
		pod:     pod,
		began:   k.now(),
		dirty:   true,
		inits:   len(pod.Spec.InitContainers),
		app:     len(pod.Spec.Containers),
	}
	w.containers = make([]*container, 0, w.inits+w.app)
	backing := make([]container, w.inits+w.app)
	add := func(spec *corev1.Container, kind containerKind) {
		c := &backing[len(w.containers)]
		*c = newContainer(spec, kind)
		w.containers = append(w.containers, c)
	}
	for i := range pod.Spec.InitContainers {
		spec := &pod.Spec.InitContainers[i]
		if spec.RestartPolicy != nil && *spec.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			add(spec, sidecar)
		} else {
			add(spec, initContainer)
		}
	}
	for i := range pod.Spec.Containers {
		add(&pod.Spec.Containers[i], appContainer)
	}
	w.seeEphemeral(pod)
	return w
}

func (w *worker) initContainers() []*container { return w.containers[:w.inits] }
func (w *worker) appContainers() []*container  { return w.containers[w.inits : w.inits+w.app] }
func (w *worker) ephemeral() []*container      { return w.containers[w.inits+w.app:] }

// post leaves a note that the next turn reads and, unless that turn is running,
// requests it.
func (w *worker) post(note func(context.Context)) {
	w.inboxMu.Lock()
	w.inbox = append(w.inbox, note)
	turning := w.turning
	w.inboxMu.Unlock()
	if !turning {
		w.Kubelet.request(w.request)
	}
}

// read reads the notes.
func (w *worker) read(ctx context.Context) {
	w.inboxMu.Lock()
	notes := w.inbox
	w.inbox = nil
	w.inboxMu.Unlock()
	for _, note := range notes {
		note(ctx)
	}
}

// rest ends the turn unless there are notes to read; later ones request another
// turn.
func (w *worker) rest() bool {
	w.inboxMu.Lock()
	defer w.inboxMu.Unlock()
	w.turning = len(w.inbox) > 0
	return !w.turning
}

// turn advances the pod. pod is what the API shows, nil if it is gone. The
// result is when the next turn is due, 0 if only when something happens.
func (w *worker) turn(ctx context.Context, pod *corev1.Pod) (time.Duration, error) {
	w.inboxMu.Lock()
	w.turning = true
	w.inboxMu.Unlock()
	w.see(pod)
	var err error
	for {
		w.read(ctx)
		w.wake = time.Time{}
		if err == nil {
			err = w.step(ctx)
		}
		if w.rest() {
			break
		}
	}
	if w.wake.IsZero() || w.gone {
		return 0, err
	}
	return max(w.wake.Sub(w.now()), 1), err
}

// see takes note of the pod's newest state.
func (w *worker) see(pod *corev1.Pod) {
	if pod == nil {
		w.orphaned, w.terminal = true, true
		return
	}
	if pod == w.pod || store.RevisionOf(pod) < store.RevisionOf(w.pod) {
		return
	}
	if pod.Generation != w.pod.Generation {
		w.dirty = true
	}
	if len(pod.Spec.ReadinessGates) > 0 {
		w.dirty = w.dirty || readyChanged(w, pod)
	}
	w.pod = pod
	for i := range pod.Spec.InitContainers {
		w.containers[i].see(&pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		w.containers[w.inits+i].see(&pod.Spec.Containers[i])
	}
	w.seeEphemeral(pod)
}

// step does what can be done now.
func (w *worker) step(ctx context.Context) error {
	if !w.admitted && !w.terminal {
		w.admit(ctx)
	}
	w.checkDeadline(ctx)
	if w.pod.DeletionTimestamp != nil {
		w.terminal = true
	}
	if w.terminal {
		return w.terminate(ctx)
	}
	return w.run(ctx)
}

// admit decides whether the node takes the pod in at all.
func (w *worker) admit(ctx context.Context) {
	if w.pod.Status.Phase == corev1.PodFailed || w.pod.Status.Phase == corev1.PodSucceeded {
		// It has ended before this kubelet saw it: there is nothing to do.
		w.terminal, w.stopping, w.stopped, w.dirty = true, true, true, false
		return
	}
	if reason, message := w.Kubelet.admission.admit(w); reason != "" {
		w.Recorder.Event(ctx, w.pod, corev1.EventTypeWarning, reason, message)
		w.verdict = &verdict{reason: reason, message: "Pod was rejected: " + message, rejected: true}
		w.terminal = true
		return
	}
	w.admitted = true
}

// checkDeadline ends a pod that has been active for too long.
func (w *worker) checkDeadline(ctx context.Context) {
	seconds := w.pod.Spec.ActiveDeadlineSeconds
	if seconds == nil || w.terminal || w.pod.Status.StartTime == nil {
		return
	}
	deadline := w.pod.Status.StartTime.Add(time.Duration(*seconds) * time.Second)
	if w.now().Before(deadline) {
		w.wakeAt(deadline)
		return
	}
	const reason, message = "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
	w.Recorder.Event(ctx, w.pod, corev1.EventTypeNormal, reason, message)
	w.verdict = &verdict{reason: reason, message: message}
	w.terminal, w.dirty = true, true
}

// run brings the pod's containers up and keeps them up.
func (w *worker) run(ctx context.Context) error {
	w.runProbes()
	for w.op == opNone {
		if !w.sequence {
			w.killUnhealthy(ctx)
			if err := w.publish(ctx); err != nil {
				return err
			}
			if w.terminal = w.terminal || w.completed(); w.terminal {
				return w.terminate(ctx)
			}
		}
		if w.sandbox.ID == "" {
			if w.mountVolumes(ctx) && w.due(w.sandbox.retryAt) {
				w.sequence = true
				w.runSandbox()
			}
			return nil
		}
		c := w.nextToStart(ctx)
		switch {
		case c != nil:
			w.sequence = true
			w.start(ctx, c)
		case !w.sequence && !w.dirty:
			return nil
		default:
			w.sequence = false // what has become of it is published; then look again
		}
	}
	return nil
}

func (w *worker) runSandbox() {
	w.op = opSandbox
	w.Runtime.RunSandbox(w.pod, w.sandbox.attempts, func(s Sandbox, err error) {
		w.post(func(ctx context.Context) {
			w.op = opNone
			w.sandbox.attempts++
			if err == nil {
				w.sandbox.Sandbox = s
				w.dirty = true
				return
			}
			w.Recorder.Event(ctx, w.pod, corev1.EventTypeWarning, "FailedCreatePodSandBox", fmt.Sprintf("Failed to create pod sandbox: %v", err))
			w.sandbox.retryAt = w.now().Add(retryPeriod)
			w.sequence = false
		})
	})
}

// retryPeriod is how long the kubelet waits before it tries something again
// that failed and has no back-off of its own.
const retryPeriod = 10 * time.Second

// due reports whether a time has come; if not, it sees to a turn then.
func (w *worker) due(at time.Time) bool {
	if at.After(w.now()) {
		w.wakeAt(at)
		return false
	}
	return true
}

func (w *worker) wakeAt(at time.Time) {
	if w.wake.IsZero() || at.Before(w.wake) {
		w.wake = at
	}
}

// stamp is a time as the API keeps it, in whole seconds.
func stamp(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }
