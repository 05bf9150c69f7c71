package kinds

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func horizontalPodAutoscaler() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: autoscalingv2.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"),
		Versions:         []kind.Version{oldAutoscaler},
		Plural:           "horizontalpodautoscalers",
		Singular:         "horizontalpodautoscaler",
		ShortNames:       []string{"hpa"},
		Categories:       []string{"all"},
		Namespaced:       true,
		New:              func() store.Object { return &autoscalingv2.HorizontalPodAutoscaler{} },
		NewList:          func() runtime.Object { return &autoscalingv2.HorizontalPodAutoscalerList{} },
		Default:          on(defaultAutoscaler),
		PrepareForCreate: on(func(a *autoscalingv2.HorizontalPodAutoscaler) {
			a.Status = autoscalingv2.HorizontalPodAutoscalerStatus{}
			a.Generation = 1
			dropAutoscalerAnnotations(&a.ObjectMeta)
		}),
		PrepareForUpdate: onUpdate(func(a, old *autoscalingv2.HorizontalPodAutoscaler) {
			a.Status = old.Status
			dropAutoscalerAnnotations(&a.ObjectMeta)
			if !equality.Semantic.DeepEqual(a.Spec, old.Spec) {
				a.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate:   onUpdate(func(a, old *autoscalingv2.HorizontalPodAutoscaler) { a.Spec = old.Spec }),
		Validate:                 validate(validation.Autoscaler),
		ValidateUpdate:           validateUpdate(validation.AutoscalerUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.AutoscalerStatusUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Reference", "scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count."),
			textColumn("Targets", "metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).  The desired replica count is calculated multiplying the ratio between the target value and the current value by the current number of pods.  Ergo, metrics used must decrease as the pod count is increased, and vice-versa.  See the individual metric source types for more information about how each type of metric must respond. If not set, the default metric will be set to 80% average CPU utilization."),
			textColumn("MinPods", "minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled and at least one Object or External metric is configured.  Scaling is active as long as at least one metric value is available."),
			textColumn("MaxPods", "maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up. It cannot be less that minReplicas."),
			textColumn("Replicas", "currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler."),
			ageColumn(),
		},
		Row: row(func(a *autoscalingv2.HorizontalPodAutoscaler, now time.Time) []any {
			least := "<unset>"
			if a.Spec.MinReplicas != nil {
				least = strconv.Itoa(int(*a.Spec.MinReplicas))
			}
			return []any{
				a.Name, a.Spec.ScaleTargetRef.Kind + "/" + a.Spec.ScaleTargetRef.Name, autoscalerTargets(a), least,
				int64(a.Spec.MaxReplicas), int64(a.Status.CurrentReplicas), age(a.CreationTimestamp, now),
			}
		}),
	}
}

// defaultUtilization is the share of the requested CPU that pods should use if
// an autoscaler does not say what to look at.
const defaultUtilization = 80

func defaultAutoscaler(a *autoscalingv2.HorizontalPodAutoscaler) {
	if a.Spec.MinReplicas == nil {
		a.Spec.MinReplicas = new(int32(1))
	}
	if len(a.Spec.Metrics) == 0 {
		a.Spec.Metrics = []autoscalingv2.MetricSpec{cpuUtilization(defaultUtilization)}
	}
	if behavior := a.Spec.Behavior; behavior != nil {
		percent := autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15}
		pods := autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: 4, PeriodSeconds: 15}
		behavior.ScaleUp = withDefaultRules(behavior.ScaleUp, pods, percent)
		if behavior.ScaleUp.StabilizationWindowSeconds == nil {
			behavior.ScaleUp.StabilizationWindowSeconds = new(int32)
		}
		behavior.ScaleDown = withDefaultRules(behavior.ScaleDown, percent)
	}
}

func cpuUtilization(percent int32) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{
		Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{
			Name:   corev1.ResourceCPU,
			Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &percent},
		},
	}
}

func withDefaultRules(rules *autoscalingv2.HPAScalingRules, policies ...autoscalingv2.HPAScalingPolicy) *autoscalingv2.HPAScalingRules {
	if rules == nil {
		rules = &autoscalingv2.HPAScalingRules{}
	}
	if rules.SelectPolicy == nil {
		rules.SelectPolicy = new(autoscalingv2.MaxChangePolicySelect)
	}
	if rules.Policies == nil {
		rules.Policies = policies
	}
	return rules
}

// autoscalerTargets shows the first two metrics as "current/target".
func autoscalerTargets(a *autoscalingv2.HorizontalPodAutoscaler) string {
	const shown = 2
	if len(a.Spec.Metrics) == 0 {
		return "<none>"
	}
	var list []string
	for i := range a.Spec.Metrics {
		var status autoscalingv2.MetricStatus
		if i < len(a.Status.CurrentMetrics) {
			status = a.Status.CurrentMetrics[i]
		}
		list = append(list, metricText(&a.Spec.Metrics[i], &status))
	}
	if len(list) > shown {
		return fmt.Sprintf("%s + %d more...", strings.Join(list[:shown], ", "), len(list)-shown)
	}
	return strings.Join(list, ", ")
}

func metricText(spec *autoscalingv2.MetricSpec, status *autoscalingv2.MetricStatus) string {
	switch spec.Type {
	case autoscalingv2.ExternalMetricSourceType:
		var current *autoscalingv2.MetricValueStatus
		if status.External != nil {
			current = &status.External.Current
		}
		return valueText(&spec.External.Target, current)
	case autoscalingv2.ObjectMetricSourceType:
		var current *autoscalingv2.MetricValueStatus
		if status.Object != nil {
			current = &status.Object.Current
		}
		return valueText(&spec.Object.Target, current)
	case autoscalingv2.PodsMetricSourceType:
		current := unknownValue
		if status.Pods != nil {
			current = quantityText(status.Pods.Current.AverageValue)
		}
		return current + "/" + quantityText(spec.Pods.Target.AverageValue)
	case autoscalingv2.ResourceMetricSourceType:
		var current *autoscalingv2.MetricValueStatus
		if status.Resource != nil {
			current = &status.Resource.Current
		}
		return shareText(spec.Resource.Name, &spec.Resource.Target, current)
	case autoscalingv2.ContainerResourceMetricSourceType:
		var current *autoscalingv2.MetricValueStatus
		if status.ContainerResource != nil {
			current = &status.ContainerResource.Current
		}
		return shareText(spec.ContainerResource.Name, &spec.ContainerResource.Target, current)
	}
	return "<unknown type>"
}

const unknownValue = "<unknown>"

func quantityText(q *resource.Quantity) string {
	if q == nil {
		return unknownValue
	}
	return q.String()
}

func valueText(target *autoscalingv2.MetricTarget, current *autoscalingv2.MetricValueStatus) string {
	now := unknownValue
	if target.AverageValue != nil {
		if current != nil {
			now = quantityText(current.AverageValue)
		}
		return now + "/" + target.AverageValue.String() + " (avg)"
	}
	if current != nil {
		now = quantityText(current.Value)
	}
	return now + "/" + quantityText(target.Value)
}

func shareText(name corev1.ResourceName, target *autoscalingv2.MetricTarget, current *autoscalingv2.MetricValueStatus) string {
	now, want := unknownValue, "<auto>"
	if target.AverageValue != nil {
		if current != nil {
			now = quantityText(current.AverageValue)
		}
		return fmt.Sprintf("%s: %s/%s", name, now, target.AverageValue.String())
	}
	if current != nil && current.AverageUtilization != nil {
		now = fmt.Sprintf("%d%%", *current.AverageUtilization)
	}
	if target.AverageUtilization != nil {
		want = fmt.Sprintf("%d%%", *target.AverageUtilization)
	}
	return fmt.Sprintf("%s: %s/%s", name, now, want)
}
