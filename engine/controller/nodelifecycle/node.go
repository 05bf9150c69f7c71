package nodelifecycle

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/store"
)

// excludeLabel takes a node out of the count of its zone.
const excludeLabel = "node.kubernetes.io/exclude-disruption"

func excluded(node *corev1.Node) bool {
	_, ok := node.Labels[excludeLabel]
	return ok
}

// zoneOf names the node's failure domain.
func zoneOf(node *corev1.Node) string {
	region, zone := node.Labels[corev1.LabelTopologyRegion], node.Labels[corev1.LabelTopologyZone]
	if region == "" && zone == "" {
		return ""
	}
	return region + ":" + zone
}

func nodeCondition(node *corev1.Node, conditionType corev1.NodeConditionType) *corev1.NodeCondition {
	for i := range node.Status.Conditions {
		if node.Status.Conditions[i].Type == conditionType {
			return &node.Status.Conditions[i]
		}
	}
	return nil
}

// conditionTaint is the key of the taint that a condition's status calls for.
func conditionTaint(c *corev1.NodeCondition) string {
	switch {
	case c.Type == corev1.NodeReady && c.Status == corev1.ConditionFalse:
		return corev1.TaintNodeNotReady
	case c.Type == corev1.NodeReady && c.Status == corev1.ConditionUnknown:
		return corev1.TaintNodeUnreachable
	case c.Status != corev1.ConditionTrue:
		return ""
	case c.Type == corev1.NodeMemoryPressure:
		return corev1.TaintNodeMemoryPressure
	case c.Type == corev1.NodeDiskPressure:
		return corev1.TaintNodeDiskPressure
	case c.Type == corev1.NodePIDPressure:
		return corev1.TaintNodePIDPressure
	case c.Type == corev1.NodeNetworkUnavailable:
		return corev1.TaintNodeNetworkUnavailable
	}
	return ""
}

// ours are the keys of the NoSchedule taints that this loop keeps.
var ours = []string{
	corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable, corev1.TaintNodeMemoryPressure, corev1.TaintNodeDiskPressure,
	corev1.TaintNodePIDPressure, corev1.TaintNodeNetworkUnavailable, corev1.TaintNodeUnschedulable,
}

// noSchedule lists the keys of the NoSchedule taints that the node's conditions
// and its being cordoned call for.
func noSchedule(node *corev1.Node) []string {
	var keys []string
	for i := range node.Status.Conditions {
		if key := conditionTaint(&node.Status.Conditions[i]); key != "" {
			keys = append(keys, key)
		}
	}
	if node.Spec.Unschedulable {
		keys = append(keys, corev1.TaintNodeUnschedulable)
	}
	return keys
}

// noExecute is the key of the NoExecute taint that the Ready condition calls
// for.
func noExecute(status corev1.ConditionStatus) string {
	switch status {
	case corev1.ConditionFalse:
		return corev1.TaintNodeNotReady
	case corev1.ConditionUnknown:
		return corev1.TaintNodeUnreachable
	}
	return ""
}

func hasTaint(node *corev1.Node, key string, effect corev1.TaintEffect) bool {
	return slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == key && t.Effect == effect })
}

// betaLabels are the old names of labels, kept equal to the new ones.
var betaLabels = [...]struct{ stable, beta string }{
	{corev1.LabelOSStable, "beta.kubernetes.io/os"},
	{corev1.LabelArchStable, "beta.kubernetes.io/arch"},
}

// sameForUs reports whether nothing that this loop keeps right has changed.
func sameForUs(prev store.Object, node *corev1.Node) bool {
	before, ok := prev.(*corev1.Node)
	if !ok || before.Spec.Unschedulable != node.Spec.Unschedulable || len(before.Spec.Taints) != len(node.Spec.Taints) {
		return false
	}
	for i := range node.Spec.Taints {
		if node.Spec.Taints[i].Key != before.Spec.Taints[i].Key || node.Spec.Taints[i].Effect != before.Spec.Taints[i].Effect {
			return false
		}
	}
	for _, l := range betaLabels {
		if node.Labels[l.beta] != before.Labels[l.beta] || node.Labels[l.stable] != before.Labels[l.stable] {
			return false
		}
	}
	return slices.Equal(noSchedule(before), noSchedule(node))
}
