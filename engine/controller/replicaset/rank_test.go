package replicaset

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

type change func(*corev1.Pod)

// aPod runs on node a and has been ready for an hour.
func aPod(name string, changes ...change) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(now.Add(-2 * time.Hour))},
		Spec:       corev1.PodSpec{NodeName: "a"},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	readyFor(time.Hour)(pod)
	for _, change := range changes {
		change(pod)
	}
	return pod
}

func readyFor(d time.Duration) change {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-d)),
		}}
	}
}

func unready(pod *corev1.Pod)        { pod.Status.Conditions = nil }
func unassigned(pod *corev1.Pod)     { pod.Spec.NodeName = "" }
func phase(p corev1.PodPhase) change { return func(pod *corev1.Pod) { pod.Status.Phase = p } }
func on(node string) change          { return func(pod *corev1.Pod) { pod.Spec.NodeName = node } }
func createdBefore(d time.Duration) change {
	return func(pod *corev1.Pod) { pod.CreationTimestamp = metav1.NewTime(now.Add(-d)) }
}
func cost(value string) change {
	return func(pod *corev1.Pod) { pod.Annotations = map[string]string{corev1.PodDeletionCost: value} }
}
func restarted(times int32) change {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: times}}
	}
}

// TestSortForDeletion gives two pods in the order in which they are to go.
func TestSortForDeletion(t *testing.T) {
	for _, test := range []struct {
		name   string
		first  *corev1.Pod
		second *corev1.Pod
	}{
		{"not assigned first", aPod("b", unassigned), aPod("a", phase(corev1.PodPending), unready)},
		{"pending before running", aPod("b", phase(corev1.PodPending)), aPod("a", unready)},
		{"unknown before running", aPod("b", phase(corev1.PodUnknown)), aPod("a", unready)},
		{"not ready before ready", aPod("b", unready), aPod("a", cost("-5"))},
		{"cheap before dear", aPod("b", cost("-5")), aPod("a", on("crowded"))},
		{"a cost that is no number is none", aPod("b", cost("-1")), aPod("a", cost("+5"))},
		{"crowded node first", aPod("b", on("crowded")), aPod("a", readyFor(time.Minute))},
		{"ready for less long first", aPod("b", readyFor(time.Minute)), aPod("a", restarted(5))},
		{"ready for about as long: by uid", aPod("a", readyFor(61*time.Minute)), aPod("b", restarted(5))},
		{"restarted more often first", aPod("b", restarted(5)), aPod("a", createdBefore(time.Minute))},
		{"younger first", aPod("b", createdBefore(time.Minute)), aPod("a")},
		{"about as young: by uid", aPod("a", createdBefore(121*time.Minute)), aPod("b")},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, pods := range [][]*corev1.Pod{{test.first, test.second}, {test.second, test.first}} {
				sortForDeletion(pods, map[string]int{"a": 1, "crowded": 3}, now)
				if !slices.Equal(pods, []*corev1.Pod{test.first, test.second}) {
					t.Errorf("%s goes first, want %s", pods[0].Name, test.first.Name)
				}
			}
		})
	}
}
