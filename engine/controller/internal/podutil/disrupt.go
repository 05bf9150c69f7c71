package podutil

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/client"
)

// SetCondition puts a condition in the status, at its present place if there is
// one of the type; it reports whether that changed anything. The transition
// time is that of the last change of status.
func SetCondition(status *corev1.PodStatus, condition corev1.PodCondition) bool {
	for i := range status.Conditions {
		present := &status.Conditions[i]
		if present.Type != condition.Type {
			continue
		}
		if present.Status == condition.Status {
			condition.LastTransitionTime = present.LastTransitionTime
		}
		if *present == condition {
			return false
		}
		*present = condition
		return true
	}
	status.Conditions = append(status.Conditions, condition)
	return true
}

// Disrupted is the condition of a pod that the control plane ends.
func Disrupted(pod *corev1.Pod, now metav1.Time, reason, message string) corev1.PodCondition {
	return corev1.PodCondition{
		Type:               corev1.DisruptionTarget,
		ObservedGeneration: pod.Generation,
		Status:             corev1.ConditionTrue,
		LastTransitionTime: now,
		Reason:             reason,
		Message:            message,
	}
}

// ChangeStatus edits the newest status of a pod, unless it is another pod of
// the same name by now.
func ChangeStatus(ctx context.Context, c client.Client, pod *corev1.Pod, change func(*corev1.Pod) bool) (*corev1.Pod, error) {
	return client.Modify(ctx, c, "pods", pod.Namespace, pod.Name, c.UpdateStatus, func(fresh *corev1.Pod) bool {
		return fresh.UID == pod.UID && change(fresh)
	})
}
