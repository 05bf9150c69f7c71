package replicaset

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// candidate is a pod with what its place in the order of deletion depends on.
type candidate struct {
	pod                *corev1.Pod
	assigned, ready    bool
	phase, doubled     int
	cost               int32
	readySince         time.Time
	restarts, sidecars int32
}

// sortForDeletion puts first the pods whose deletion does the least harm: not
// scheduled, pending, not ready, cheap, on a node with many others of the same
// owner, ready for a short time, often restarted, young. Times are compared by
// orders of magnitude, and equal ones by UID, so that old and young pods of a
// similar age are chosen alike.
func sortForDeletion(pods []*corev1.Pod, onNode map[string]int, now time.Time) {
	candidates := make([]candidate, len(pods))
	for i, pod := range pods {
		restarts, sidecars := maxRestarts(pod)
		candidates[i] = candidate{
			pod:        pod,
			assigned:   pod.Spec.NodeName != "",
			ready:      podutil.Ready(pod),
			phase:      phaseRank[pod.Status.Phase],
			doubled:    onNode[pod.Spec.NodeName],
			cost:       deletionCost(pod),
			readySince: podutil.ReadySince(pod),
			restarts:   restarts,
			sidecars:   sidecars,
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return compare(a, b, now) })
	for i := range candidates {
		pods[i] = candidates[i].pod
	}
}

var phaseRank = map[corev1.PodPhase]int{corev1.PodPending: 0, corev1.PodUnknown: 1, corev1.PodRunning: 2}

func compare(a, b candidate, now time.Time) int {
	if order := cmp.Or(
		falseFirst(a.assigned, b.assigned),
		cmp.Compare(a.phase, b.phase),
		falseFirst(a.ready, b.ready),
		cmp.Compare(a.cost, b.cost),
		cmp.Compare(b.doubled, a.doubled),
	); order != 0 {
		return order
	}
	if a.ready && !a.readySince.Equal(b.readySince) {
		return youngerFirst(a, b, a.readySince, b.readySince, now)
	}
	if order := cmp.Or(cmp.Compare(b.restarts, a.restarts), cmp.Compare(b.sidecars, a.sidecars)); order != 0 {
		return order
	}
	if created := a.pod.CreationTimestamp.Time; !created.Equal(b.pod.CreationTimestamp.Time) {
		return youngerFirst(a, b, created, b.pod.CreationTimestamp.Time, now)
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

// youngerFirst compares two different times; an unknown one is the youngest.
func youngerFirst(a, b candidate, timeA, timeB, now time.Time) int {
	if timeA.IsZero() {
		return -1
	}
	if timeB.IsZero() {
		return 1
	}
	return cmp.Or(cmp.Compare(magnitude(timeA, now), magnitude(timeB, now)), cmp.Compare(a.pod.UID, b.pod.UID))
}

func magnitude(since, now time.Time) int {
	age := now.Sub(since)
	if age <= 0 {
		return -1
	}
	return int(math.Log2(float64(age)))
}

// deletionCost reads the pod's annotation; what is no plain decimal number
// counts as none.
func deletionCost(pod *corev1.Pod) int32 {
	value := pod.Annotations[corev1.PodDeletionCost]
	if value == "" || value[0] == '+' || (value[0] == '0' && value != "0") {
		return 0
	}
	cost, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return 0
	}
	return int32(cost)
}

// maxRestarts is the highest restart count of the pod's containers, and that of
// its sidecars.
func maxRestarts(pod *corev1.Pod) (restarts, sidecars int32) {
	for i := range pod.Status.ContainerStatuses {
		restarts = max(restarts, pod.Status.ContainerStatuses[i].RestartCount)
	}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			continue
		}
		for j := range pod.Status.InitContainerStatuses {
			if status := &pod.Status.InitContainerStatuses[j]; status.Name == c.Name {
				sidecars = max(sidecars, status.RestartCount)
			}
		}
	}
	return restarts, sidecars
}
