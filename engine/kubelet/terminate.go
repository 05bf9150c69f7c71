package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// minimumGrace is what every container gets to end by itself.
const minimumGrace = 2 * time.Second

// terminationGrace is how long the pod's containers get to end.
func (w *worker) terminationGrace() time.Duration {
	seconds := w.pod.Spec.TerminationGracePeriodSeconds
	if w.pod.DeletionGracePeriodSeconds != nil {
		seconds = w.pod.DeletionGracePeriodSeconds
	}
	if seconds == nil {
		return minimumGrace
	}
	return time.Duration(*seconds) * time.Second
}

// terminate ends the pod, whatever it was doing, and reports its end.
func (w *worker) terminate(ctx context.Context) error {
	w.runProbes()
	switch w.op {
	case opSandbox, opCreate:
		return nil // it can't be taken back: wait for it
	}
	w.op = opNone
	if !w.stopping {
		w.stopping = true
		if err := w.publish(ctx); err != nil {
			w.stopping = false
			return err
		}
	}
	if !w.stopped {
		if err := w.publishEnds(ctx); err != nil {
			return err
		}
		w.stopContainers(ctx)
	}
	if !w.stopped {
		return nil
	}
	if err := w.publish(ctx); err != nil {
		return err
	}
	if w.pod.DeletionTimestamp == nil && !w.orphaned {
		return nil // it stays, with its logs, until it is deleted
	}
	if !w.orphaned {
		if err := w.deletePod(ctx); err != nil {
			return err
		}
	}
	w.discard()
	return nil
}

// publishEnds reports the end of single containers while others are still
// ending.
func (w *worker) publishEnds(ctx context.Context) error {
	for _, c := range w.containers {
		if c.running() {
			return w.publish(ctx)
		}
	}
	return nil
}

// stopContainers ends the containers, the sidecars after the others and in
// reverse order, and then the sandbox.
func (w *worker) stopContainers(ctx context.Context) {
	grace := w.terminationGrace()
	if w.orphaned {
		grace = minimumGrace
	}
	running := false
	for i := len(w.containers) - 1; i >= 0; i-- {
		c := w.containers[i]
		if !c.running() || c.kind == sidecar && running {
			continue
		}
		running = true
		if !c.killing {
			w.kill(ctx, c, "Stopping container "+c.spec.Name, grace)
		} else if w.hastened(c, grace) {
			w.stop(c, grace)
		}
	}
	if running || w.sandbox.stopping {
		return
	}
	if w.sandbox.ID == "" {
		w.allStopped()
		return
	}
	if !w.due(w.sandbox.retryAt) {
		return
	}
	w.sandbox.stopping = true
	w.Runtime.StopSandbox(w.sandbox.ID, func(err error) {
		w.post(func(ctx context.Context) {
			if err != nil {
				w.sandbox.stopping = false
				w.sandbox.retryAt = w.now().Add(retryPeriod)
				w.Recorder.Event(ctx, w.pod, corev1.EventTypeWarning, "FailedKillPod", fmt.Sprintf("error killing pod: %v", err))
				return
			}
			w.allStopped()
		})
	})
}

func (w *worker) allStopped() {
	w.sandbox.stopped = true
	w.stopped, w.dirty = true, true
	w.Kubelet.admission.remove(w)
}

// hastened reports that a container which is being ended is to end sooner.
func (w *worker) hastened(c *container, grace time.Duration) bool {
	end := w.now().Add(max(grace, minimumGrace))
	return c.killBy.Sub(end) > 0 && grace < c.killGrace
}

// kill ends a container: its preStop hook, the signal, the grace period.
func (w *worker) kill(ctx context.Context, c *container, message string, grace time.Duration) {
	c.killing = true
	w.recordContainer(ctx, c, corev1.EventTypeNormal, "Killing", message)
	if c.spec.Lifecycle == nil || c.spec.Lifecycle.PreStop == nil || grace <= 0 {
		w.stop(c, grace)
		return
	}
	began := w.now()
	c.killGrace, c.killBy = grace, began.Add(grace)
	id := c.status.ID
	w.runHook(c, c.spec.Lifecycle.PreStop, grace, func(err error) {
		w.post(func(ctx context.Context) {
			if !c.running() || c.status.ID != id {
				return
			}
			if err != nil {
				w.recordContainer(ctx, c, corev1.EventTypeWarning, "FailedPreStopHook", "PreStopHook failed")
			}
			w.stop(c, grace-w.now().Sub(began).Truncate(time.Second))
		})
	})
}

func (w *worker) stop(c *container, grace time.Duration) {
	grace = max(grace, minimumGrace)
	c.killGrace, c.killBy = grace, w.now().Add(grace)
	w.Runtime.StopContainer(c.status.ID, grace, func(error) {})
}

// deletePod tells the API that nothing is left of the pod.
func (w *worker) deletePod(ctx context.Context) error {
	now := int64(0)
	err := w.Client.Delete(ctx, podResource, w.pod.Namespace, w.pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      &metav1.Preconditions{UID: &w.uid},
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return err
	}
	return nil
}

// discard forgets the pod and removes what is left of it on the node.
func (w *worker) discard() {
	w.gone = true
	for _, c := range w.containers {
		if c.created {
			w.disown(c.status.ID)
		}
	}
	if w.sandbox.ID != "" {
		w.Runtime.RemoveSandbox(w.sandbox.ID, func(error) {})
	}
}
