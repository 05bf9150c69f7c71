package admission

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// evictAfter is how many seconds a pod stays on a node that is not ready or
// unreachable, if it does not say otherwise.
const evictAfter = 300

// defaultTolerationSeconds lets pods outlast short outages of their node.
func defaultTolerationSeconds() Plugin {
	return Plugin{Name: "DefaultTolerationSeconds", Mutate: func(_ context.Context, r *Request) error {
		pod, ok := r.Object.(*corev1.Pod)
		if !ok || r.Subresource != "" {
			return nil
		}
		for _, key := range [...]string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
			if toleratesNoExecute(pod, key) {
				continue
			}
			at := len(pod.Spec.Tolerations)
			pod.Spec.Tolerations = append(pod.Spec.Tolerations[:at:at], corev1.Toleration{
				Key:               key,
				Operator:          corev1.TolerationOpExists,
				Effect:            corev1.TaintEffectNoExecute,
				TolerationSeconds: new(int64(evictAfter)),
			})
		}
		return nil
	}}
}

func toleratesNoExecute(pod *corev1.Pod, key string) bool {
	for i := range pod.Spec.Tolerations {
		t := &pod.Spec.Tolerations[i]
		if (t.Key == key || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "") {
			return true
		}
	}
	return false
}
