package daemonset

import (
	"slices"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// daemonTolerations are a template's tolerations and those that let a daemon
// stay where other pods must not be: it is part of the node.
func daemonTolerations(spec *corev1.PodSpec) []corev1.Toleration {
	list := slices.Clone(spec.Tolerations)
	add := func(key string, effect corev1.TaintEffect) {
		toleration := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: effect}
		for i := range list {
			if list[i].MatchToleration(&toleration) {
				list[i] = toleration
				return
			}
		}
		list = append(list, toleration)
	}
	add(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute)
	add(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute)
	add(corev1.TaintNodeDiskPressure, corev1.TaintEffectNoSchedule)
	add(corev1.TaintNodeMemoryPressure, corev1.TaintEffectNoSchedule)
	add(corev1.TaintNodePIDPressure, corev1.TaintEffectNoSchedule)
	add(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule)
	if spec.HostNetwork {
		add(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule)
	}
	return list
}

// wants reports whether the node should get a pod, and whether one that it has
// may go on running.
func (t *turn) wants(node *corev1.Node) (run, goOn bool) {
	if name := t.ds.Spec.Template.Spec.NodeName; name != "" && name != node.Name {
		return false, false
	}
	if match, err := t.affinity.Match(node); err != nil || !match {
		return false, false
	}
	run, goOn = true, true
	for i := range node.Spec.Taints {
		taint := &node.Spec.Taints[i]
		if taint.Effect == corev1.TaintEffectPreferNoSchedule || t.tolerates(taint) {
			continue
		}
		run = false
		if taint.Effect == corev1.TaintEffectNoExecute {
			goOn = false
		}
	}
	return run, goOn
}

func (t *turn) tolerates(taint *corev1.Taint) bool {
	return slices.ContainsFunc(t.tolerations, func(toleration corev1.Toleration) bool {
		return toleration.ToleratesTaint(logr.Logger{}, taint, false)
	})
}

// onlyNode is an affinity narrowed to one node.
func onlyNode(affinity *corev1.Affinity, node string) *corev1.Affinity {
	affinity = affinity.DeepCopy()
	if affinity == nil {
		affinity = &corev1.Affinity{}
	}
	if affinity.NodeAffinity == nil {
		affinity.NodeAffinity = &corev1.NodeAffinity{}
	}
	// Terms are alternatives: the node's own takes the place of all.
	affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{
			{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node}},
		}}},
	}
	return affinity
}

// nodeOf is the node that a pod is on or meant for; false if nobody knows.
func nodeOf(pod *corev1.Pod) (string, bool) {
	if pod.Spec.NodeName != "" {
		return pod.Spec.NodeName, true
	}
	a := pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return "", false
	}
	for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, field := range term.MatchFields {
			if field.Key == metav1.ObjectNameField && field.Operator == corev1.NodeSelectorOpIn {
				if len(field.Values) != 1 {
					return "", false
				}
				return field.Values[0], true
			}
		}
	}
	return "", false
}
