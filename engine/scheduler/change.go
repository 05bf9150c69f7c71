package scheduler

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// change is a set of what can happen to a cluster that may help a pod which no
// node could take. Each filter names those that can lift its refusals, so that
// others wake no pod in vain (upstream's queueing hints).
type change uint8

const (
	podGone        change = 1 << iota // a placed pod has ended
	nodeAdded                         // a node has come
	nodeResources                     // a node has another allocatable amount
	nodeLabels                        // a node has other labels
	nodeTaints                        // a node has other taints, or was (un)cordoned
	peerChanged                       // a placed pod that concerns the waiting one has come or gone
	storageChanged                    // a claim, volume or class has changed
)

// changeOf says what of a node's new state may help. Heartbeats, conditions and
// pulled images do not.
func changeOf(old, node *corev1.Node) change {
	if old == nil {
		return nodeAdded
	}
	var c change
	if !sameAmounts(old.Status.Allocatable, node.Status.Allocatable) {
		c |= nodeResources
	}
	if !maps.Equal(old.Labels, node.Labels) {
		c |= nodeLabels
	}
	sameTaint := func(a, b corev1.Taint) bool { return a.MatchTaint(&b) && a.Value == b.Value }
	if old.Spec.Unschedulable != node.Spec.Unschedulable || !slices.EqualFunc(old.Spec.Taints, node.Spec.Taints, sameTaint) {
		c |= nodeTaints
	}
	return c
}

func sameAmounts(a, b corev1.ResourceList) bool {
	if len(a) != len(b) {
		return false
	}
	for name, quantity := range a {
		other, ok := b[name]
		if !ok || quantity.Cmp(other) != 0 {
			return false
		}
	}
	return true
}
