package kinds

import (
	"encoding/json"
	"maps"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// oldAutoscaler is autoscaling/v1, which knows a target for CPU only. The rest
// is in annotations, so that an object survives being read and written in this
// version (k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go upstream).
var oldAutoscaler = kind.Version{
	GroupVersionKind: autoscalingv1.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"),
	New:              func() store.Object { return &autoscalingv1.HorizontalPodAutoscaler{} },
	Show: func(obj store.Object) store.Object {
		return showAutoscaler(obj.(*autoscalingv2.HorizontalPodAutoscaler))
	},
	Read: func(obj store.Object) store.Object {
		return readAutoscaler(obj.(*autoscalingv1.HorizontalPodAutoscaler))
	},
}

const (
	metricsAnnotation        = "autoscaling.alpha.kubernetes.io/metrics"
	currentMetricsAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics"
	conditionsAnnotation     = "autoscaling.alpha.kubernetes.io/conditions"
	behaviorAnnotation       = "autoscaling.alpha.kubernetes.io/behavior"
)

var autoscalerAnnotations = []string{
	metricsAnnotation, currentMetricsAnnotation, conditionsAnnotation, behaviorAnnotation,
	"autoscaling.alpha.kubernetes.io/scale-down-tolerance", "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
}

// dropAutoscalerAnnotations drops what only autoscaling/v1 shows.
func dropAutoscalerAnnotations(meta *metav1.ObjectMeta) {
	for _, key := range autoscalerAnnotations {
		if _, has := meta.Annotations[key]; has {
			meta.Annotations = maps.Clone(meta.Annotations)
			for _, key := range autoscalerAnnotations {
				delete(meta.Annotations, key)
			}
			return
		}
	}
}

// utilizationOf is the target of a metric that autoscaling/v1 can express.
func utilizationOf(metric *autoscalingv2.MetricSpec) *int32 {
	if metric.Type == autoscalingv2.ResourceMetricSourceType && metric.Resource != nil && metric.Resource.Name == corev1.ResourceCPU {
		return metric.Resource.Target.AverageUtilization
	}
	return nil
}

func showAutoscaler(a *autoscalingv2.HorizontalPodAutoscaler) *autoscalingv1.HorizontalPodAutoscaler {
	shown := &autoscalingv1.HorizontalPodAutoscaler{
		ObjectMeta: a.ObjectMeta,
		Spec: autoscalingv1.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv1.CrossVersionObjectReference(a.Spec.ScaleTargetRef),
			MinReplicas:    a.Spec.MinReplicas,
			MaxReplicas:    a.Spec.MaxReplicas,
		},
		Status: autoscalingv1.HorizontalPodAutoscalerStatus{
			ObservedGeneration: a.Status.ObservedGeneration,
			LastScaleTime:      a.Status.LastScaleTime,
			CurrentReplicas:    a.Status.CurrentReplicas,
			DesiredReplicas:    a.Status.DesiredReplicas,
		},
	}
	dropAutoscalerAnnotations(&shown.ObjectMeta)
	var others []autoscalingv1.MetricSpec
	for i := range a.Spec.Metrics {
		share := utilizationOf(&a.Spec.Metrics[i])
		if share == nil {
			others = append(others, showMetric(&a.Spec.Metrics[i]))
		} else if shown.Spec.TargetCPUUtilizationPercentage == nil {
			shown.Spec.TargetCPUUtilizationPercentage = share
		}
	}
	var current []autoscalingv1.MetricStatus
	for i := range a.Status.CurrentMetrics {
		status := &a.Status.CurrentMetrics[i]
		current = append(current, showMetricStatus(status))
		if status.Type == autoscalingv2.ResourceMetricSourceType && status.Resource != nil && status.Resource.Name == corev1.ResourceCPU && status.Resource.Current.AverageUtilization != nil {
			shown.Status.CurrentCPUUtilizationPercentage = status.Resource.Current.AverageUtilization
		}
	}
	var conditions []autoscalingv1.HorizontalPodAutoscalerCondition
	for _, c := range a.Status.Conditions {
		conditions = append(conditions, autoscalingv1.HorizontalPodAutoscalerCondition{
			Type: autoscalingv1.HorizontalPodAutoscalerConditionType(c.Type), Status: c.Status,
			LastTransitionTime: c.LastTransitionTime, Reason: c.Reason, Message: c.Message, ObservedGeneration: c.ObservedGeneration,
		})
	}
	annotate(&shown.ObjectMeta, metricsAnnotation, others, len(others) > 0)
	annotate(&shown.ObjectMeta, currentMetricsAnnotation, current, len(current) > 0)
	annotate(&shown.ObjectMeta, conditionsAnnotation, conditions, len(conditions) > 0)
	if a.Spec.Behavior != nil {
		annotate(&shown.ObjectMeta, behaviorAnnotation, internalBehavior(*a.Spec.Behavior), true)
	}
	shown.SetGroupVersionKind(autoscalingv1.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"))
	return shown
}

// internalBehavior is a behavior under its Go names, as upstream happens to
// write it.
type internalBehavior autoscalingv2.HorizontalPodAutoscalerBehavior

// MarshalJSON writes the rules with the names of upstream's internal type.
func (b internalBehavior) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct{ ScaleUp, ScaleDown *internalRules }{(*internalRules)(b.ScaleUp), (*internalRules)(b.ScaleDown)})
}

type internalRules autoscalingv2.HPAScalingRules

// MarshalJSON is that of internalBehavior's parts.
func (r internalRules) MarshalJSON() ([]byte, error) {
	type policy struct {
		Type          autoscalingv2.HPAScalingPolicyType
		Value         int32
		PeriodSeconds int32
	}
	var policies []policy
	for _, p := range r.Policies {
		policies = append(policies, policy{p.Type, p.Value, p.PeriodSeconds})
	}
	return json.Marshal(struct {
		StabilizationWindowSeconds *int32
		SelectPolicy               *autoscalingv2.ScalingPolicySelect
		Policies                   []policy
		Tolerance                  any
	}{r.StabilizationWindowSeconds, r.SelectPolicy, policies, r.Tolerance})
}

func annotate(meta *metav1.ObjectMeta, key string, value any, present bool) {
	if !present {
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		return
	}
	annotations := maps.Clone(meta.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = string(text)
	meta.Annotations = annotations
}

func readAutoscaler(a *autoscalingv1.HorizontalPodAutoscaler) *autoscalingv2.HorizontalPodAutoscaler {
	stored := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: a.ObjectMeta,
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference(a.Spec.ScaleTargetRef),
			MinReplicas:    a.Spec.MinReplicas,
			MaxReplicas:    a.Spec.MaxReplicas,
		},
		Status: autoscalingv2.HorizontalPodAutoscalerStatus{
			ObservedGeneration: a.Status.ObservedGeneration,
			LastScaleTime:      a.Status.LastScaleTime,
			CurrentReplicas:    a.Status.CurrentReplicas,
			DesiredReplicas:    a.Status.DesiredReplicas,
		},
	}
	var others []autoscalingv1.MetricSpec
	if annotated(&a.ObjectMeta, metricsAnnotation, &others) {
		for i := range others {
			stored.Spec.Metrics = append(stored.Spec.Metrics, readMetric(&others[i]))
		}
	}
	if share := a.Spec.TargetCPUUtilizationPercentage; share != nil {
		stored.Spec.Metrics = append(stored.Spec.Metrics, cpuUtilization(*share))
	}
	var behavior autoscalingv2.HorizontalPodAutoscalerBehavior
	if annotated(&a.ObjectMeta, behaviorAnnotation, &behavior) && behavior != (autoscalingv2.HorizontalPodAutoscalerBehavior{}) {
		stored.Spec.Behavior = &behavior
	}
	var current []autoscalingv1.MetricStatus
	if annotated(&a.ObjectMeta, currentMetricsAnnotation, &current) {
		for i := range current {
			stored.Status.CurrentMetrics = append(stored.Status.CurrentMetrics, readMetricStatus(&current[i]))
		}
	} else if share := a.Status.CurrentCPUUtilizationPercentage; share != nil {
		stored.Status.CurrentMetrics = []autoscalingv2.MetricStatus{{
			Type: autoscalingv2.ResourceMetricSourceType,
			Resource: &autoscalingv2.ResourceMetricStatus{
				Name: corev1.ResourceCPU, Current: autoscalingv2.MetricValueStatus{AverageUtilization: share},
			},
		}}
	}
	annotated(&a.ObjectMeta, conditionsAnnotation, &stored.Status.Conditions)
	dropAutoscalerAnnotations(&stored.ObjectMeta)
	stored.SetGroupVersionKind(autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"))
	return stored
}

// annotated reads an annotation; encoding/json takes the names of behaviors in
// either case.
func annotated(meta *metav1.ObjectMeta, key string, into any) bool {
	text, has := meta.Annotations[key]
	return has && json.Unmarshal([]byte(text), into) == nil
}
