package admission

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// taintNodesByCondition keeps pods from new nodes until they have said that
// they are ready: the node lifecycle controller takes the taint away then.
func taintNodesByCondition() Plugin {
	return Plugin{Name: "TaintNodesByCondition", Mutate: func(_ context.Context, r *Request) error {
		node, ok := r.Object.(*corev1.Node)
		if !ok || r.Operation != Create || r.Subresource != "" {
			return nil
		}
		notReady := corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}
		for i := range node.Spec.Taints {
			if node.Spec.Taints[i].MatchTaint(&notReady) {
				return nil
			}
		}
		node.Spec.Taints = append(node.Spec.Taints[:len(node.Spec.Taints):len(node.Spec.Taints)], notReady)
		return nil
	}}
}
