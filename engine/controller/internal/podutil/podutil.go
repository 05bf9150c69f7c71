// Package podutil answers the questions that several control loops ask about a
// pod's status.
package podutil

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Condition returns the pod's condition of a type, or nil.
func Condition(pod *corev1.Pod, conditionType corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == conditionType {
			return c
		}
	}
	return nil
}

// Ready reports whether the pod's Ready condition is true.
func Ready(pod *corev1.Pod) bool {
	c := Condition(pod, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

// ReadySince is when the pod became ready; zero if it is not or if nobody
// knows.
func ReadySince(pod *corev1.Pod) time.Time {
	c := Condition(pod, corev1.PodReady)
	if c == nil || c.Status != corev1.ConditionTrue {
		return time.Time{}
	}
	return c.LastTransitionTime.Time
}

// Available reports whether the pod has been ready for minReady; if it is ready
// but not for long enough, wait is how long that will take (0 if unknown).
func Available(pod *corev1.Pod, minReady time.Duration, now time.Time) (available bool, wait time.Duration) {
	if !Ready(pod) {
		return false, 0
	}
	if minReady == 0 {
		return true, 0
	}
	since := ReadySince(pod)
	if since.IsZero() {
		return false, 0
	}
	wait = since.Add(minReady).Sub(now)
	return wait <= 0, max(wait, 0)
}

// Terminal reports whether the pod has ended and can't run again.
func Terminal(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// Active reports whether the pod runs or may come to run, and nobody has
// deleted it.
func Active(pod *corev1.Pod) bool {
	return !Terminal(pod) && pod.DeletionTimestamp == nil
}

// Terminating reports whether the pod has been deleted and has not ended yet.
func Terminating(pod *corev1.Pod) bool {
	return !Terminal(pod) && pod.DeletionTimestamp != nil
}
