package disruption

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

// marked is the condition of a living pod that is about to be disrupted.
func marked(pod *corev1.Pod) *corev1.PodCondition {
	c := podutil.Condition(pod, corev1.DisruptionTarget)
	if c == nil || c.Status != corev1.ConditionTrue || c.Reason == corev1.PodReasonTerminationByKubelet || !podutil.Active(pod) {
		return nil
	}
	return c
}

// cleanPod takes the mark of a pod back that nobody has disrupted after all.
func (l *loop) cleanPod(ctx context.Context, namespace, name string) (controller.Result, error) {
	pod, ok := cache.Get[*corev1.Pod](l.cache, "pods", namespace, name)
	if !ok {
		return controller.Result{}, nil
	}
	mark := marked(pod)
	if mark == nil {
		return controller.Result{}, nil
	}
	if wait := mark.LastTransitionTime.Add(staleTimeout).Sub(l.clock.Now()); wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	_, err := client.Modify(ctx, l.client, "pods", namespace, name, l.client.UpdateStatus, func(fresh *corev1.Pod) bool {
		mark := marked(fresh)
		if mark == nil || fresh.UID != pod.UID {
			return false
		}
		*mark = corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionFalse, LastTransitionTime: stamp.Now(l.clock), ObservedGeneration: mark.ObservedGeneration}
		return true
	})
	if errors.IsNotFound(err) {
		err = nil
	}
	return controller.Result{}, err
}
