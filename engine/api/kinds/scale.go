package kinds

import (
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// scaleOf is the scale subresource of a workload.
func scaleOf(meta *metav1.ObjectMeta, desired *int32, current int32, selector *metav1.LabelSelector) *autoscalingv1.Scale {
	return &autoscalingv1.Scale{
		TypeMeta: metav1.TypeMeta{
			Kind:       "Scale",
			APIVersion: autoscalingv1.SchemeGroupVersion.String(),
		},
		ObjectMeta: metav1.ObjectMeta{
			Name:              meta.Name,
			Namespace:         meta.Namespace,
			UID:               meta.UID,
			ResourceVersion:   meta.ResourceVersion,
			CreationTimestamp: meta.CreationTimestamp,
		},
		Spec: autoscalingv1.ScaleSpec{Replicas: replicas(desired)},
		Status: autoscalingv1.ScaleStatus{
			Replicas: current,
			Selector: selectorString(selector),
		},
	}
}

func replicas(count *int32) int32 {
	if count == nil {
		return 0
	}
	return *count
}

// selectorString writes a selector as clients may send it in a query.
func selectorString(selector *metav1.LabelSelector) string {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return "<invalid>"
	}
	return parsed.String()
}
