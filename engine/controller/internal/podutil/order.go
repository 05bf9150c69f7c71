package podutil

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// SortForDeletion puts first the pods whose deletion does the least harm: not
// scheduled, pending, not ready, ready for a short time, often restarted, young
// (pkg/controller.ActivePods).
func SortForDeletion(pods []*corev1.Pod) {
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int {
		if order := cmp.Or(
			falseFirst(a.Spec.NodeName != "", b.Spec.NodeName != ""),
			cmp.Compare(PhaseRank(a), PhaseRank(b)),
			falseFirst(Ready(a), Ready(b)),
		); order != 0 {
			return order
		}
		if Ready(a) {
			if since := ReadySince(b).Compare(ReadySince(a)); since != 0 {
				return since
			}
		}
		return cmp.Or(cmp.Compare(restarts(b), restarts(a)), b.CreationTimestamp.Time.Compare(a.CreationTimestamp.Time))
	})
}

// PhaseRank orders the phases of active pods: the lower, the less is lost.
func PhaseRank(pod *corev1.Pod) int {
	switch pod.Status.Phase {
	case corev1.PodRunning:
		return 2
	case corev1.PodUnknown:
		return 1
	}
	return 0
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func restarts(pod *corev1.Pod) (most int32) {
	for i := range pod.Status.ContainerStatuses {
		most = max(most, pod.Status.ContainerStatuses[i].RestartCount)
	}
	return most
}
