package scheduler

import (
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
)

var unschedulable = &refusal{"NodeUnschedulable", []string{"node(s) were unschedulable"}, true}

// nodeUnschedulable refuses cordoned nodes.
func nodeUnschedulable(p *podInfo, n *nodeInfo) *refusal {
	if !n.Spec.Unschedulable {
		return nil
	}
	taint := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
	if tolerates(p.Spec.Tolerations, &taint) {
		return nil
	}
	return unschedulable
}

var otherName = &refusal{"NodeName", []string{"node(s) didn't match the requested node name"}, true}

// nodeName refuses all but the node that the pod names.
func nodeName(p *podInfo, n *nodeInfo) *refusal {
	if p.Spec.NodeName == "" || p.Spec.NodeName == n.name {
		return nil
	}
	return otherName
}

var tainted = &refusal{"TaintToleration", []string{"node(s) had untolerated taint(s)"}, true}

// taintToleration refuses nodes with a taint that the pod does not tolerate.
func taintToleration(p *podInfo, n *nodeInfo) *refusal {
	for i := range n.Spec.Taints {
		taint := &n.Spec.Taints[i]
		if taint.Effect != corev1.TaintEffectPreferNoSchedule && !tolerates(p.Spec.Tolerations, taint) {
			return tainted
		}
	}
	return nil
}

func tolerates(tolerations []corev1.Toleration, taint *corev1.Taint) bool {
	for i := range tolerations {
		if tolerations[i].ToleratesTaint(logr.Logger{}, taint, false) {
			return true
		}
	}
	return false
}

var unmatched = &refusal{"NodeAffinity", []string{"node(s) didn't match Pod's node affinity/selector"}, true}

// nodeAffinity refuses nodes that the pod's nodeSelector or required affinity
// does not select.
func nodeAffinity(p *podInfo, n *nodeInfo) *refusal {
	if p.anyNode {
		return nil
	}
	if ok, err := p.required.Match(n.Node); ok && err == nil {
		return nil
	}
	return unmatched
}

var portsTaken = &refusal{"NodePorts", []string{"node(s) didn't have free ports for the requested pod ports"}, false}

// nodePorts refuses nodes where another pod has one of the pod's host ports.
func nodePorts(p *podInfo, n *nodeInfo) *refusal {
	for _, wanted := range p.ports {
		for _, taken := range n.ports {
			if wanted.conflicts(taken) {
				return portsTaken
			}
		}
	}
	return nil
}
