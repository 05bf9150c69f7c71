package validation

import (
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxScalingPeriod       = 1800
	maxStabilizationWindow = 3600
)

// Autoscaler checks a new HorizontalPodAutoscaler. What upstream checks
// declaratively comes last, as there.
func Autoscaler(a *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	return autoscalerSpec(&a.Spec, false)
}

// AutoscalerUpdate checks a change; the version of a target that stays is let
// be.
func AutoscalerUpdate(a, old *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	is, was := a.Spec.ScaleTargetRef, old.Spec.ScaleTargetRef
	return autoscalerSpec(&a.Spec, is.APIVersion == was.APIVersion && is.Kind == was.Kind)
}

func autoscalerSpec(spec *autoscalingv2.HorizontalPodAutoscalerSpec, sameTarget bool) field.ErrorList {
	var errs field.ErrorList
	if spec.MinReplicas != nil && spec.MaxReplicas < *spec.MinReplicas {
		errs = append(errs, field.Invalid(specPath.Child("maxReplicas"), spec.MaxReplicas, "must be greater than or equal to `minReplicas`"))
	}
	target := &spec.ScaleTargetRef
	errs = append(errs, crossVersionReference(specPath.Child("scaleTargetRef"), target, sameTarget, target.Kind == "ReplicationController")...)
	errs = append(errs, metrics(spec)...)
	if behavior := spec.Behavior; behavior != nil {
		errs = append(errs, scalingRules(specPath.Child("behavior", "scaleUp"), behavior.ScaleUp)...)
		errs = append(errs, scalingRules(specPath.Child("behavior", "scaleDown"), behavior.ScaleDown)...)
	}
	if spec.MinReplicas != nil {
		errs = append(errs, atLeast(specPath.Child("minReplicas"), *spec.MinReplicas, 0)...)
	}
	if spec.MaxReplicas == 0 {
		return append(errs, field.Required(specPath.Child("maxReplicas"), ""))
	}
	return append(errs, atLeast(specPath.Child("maxReplicas"), spec.MaxReplicas, 1)...)
}

func atLeast(at *field.Path, value, minimum int32) field.ErrorList {
	if value >= minimum {
		return nil
	}
	return field.ErrorList{field.Invalid(at, value, fmt.Sprintf("must be greater than or equal to %d", minimum))}
}

func crossVersionReference(at *field.Path, ref *autoscalingv2.CrossVersionObjectReference, anyVersion, coreGroup bool) field.ErrorList {
	errs := pathSegment(at.Child("kind"), ref.Kind)
	errs = append(errs, pathSegment(at.Child("name"), ref.Name)...)
	if anyVersion {
		return errs
	}
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err == nil && gv.Group == "" && !coreGroup {
		err = fmt.Errorf("apiVersion must specify API group")
	}
	if err != nil {
		errs = append(errs, field.Invalid(at.Child("apiVersion"), ref.APIVersion, err.Error()))
	}
	return errs
}

func metrics(spec *autoscalingv2.HorizontalPodAutoscalerSpec) field.ErrorList {
	var errs field.ErrorList
	at := specPath.Child("metrics")
	outside := false // of the pods, so that there is something to see when there are none
	for i := range spec.Metrics {
		metric := &spec.Metrics[i]
		errs = append(errs, metricSpec(at.Index(i), metric)...)
		outside = outside || metric.Type == autoscalingv2.ObjectMetricSourceType || metric.Type == autoscalingv2.ExternalMetricSourceType
	}
	if spec.MinReplicas != nil && *spec.MinReplicas == 0 && !outside {
		errs = append(errs, field.Forbidden(at, "must specify at least one Object or External metric to support scaling to zero replicas"))
	}
	return errs
}

var metricTypes = []autoscalingv2.MetricSourceType{
	autoscalingv2.ContainerResourceMetricSourceType, autoscalingv2.ExternalMetricSourceType, autoscalingv2.ObjectMetricSourceType,
	autoscalingv2.PodsMetricSourceType, autoscalingv2.ResourceMetricSourceType,
}

func metricSpec(at *field.Path, spec *autoscalingv2.MetricSpec) field.ErrorList {
	var errs field.ErrorList
	if spec.Type == "" {
		errs = append(errs, field.Required(at.Child("type"), "must specify a metric source type"))
	}
	known := supportedOnly(at.Child("type"), spec.Type, metricTypes...)
	errs = append(errs, known...)
	sources := [...]struct {
		name    string
		kind    autoscalingv2.MetricSourceType
		present bool
		check   func(*field.Path) field.ErrorList
	}{
		{"object", autoscalingv2.ObjectMetricSourceType, spec.Object != nil, func(at *field.Path) field.ErrorList { return objectMetric(at, spec.Object) }},
		{"external", autoscalingv2.ExternalMetricSourceType, spec.External != nil, func(at *field.Path) field.ErrorList { return externalMetric(at, spec.External) }},
		{"pods", autoscalingv2.PodsMetricSourceType, spec.Pods != nil, func(at *field.Path) field.ErrorList { return podsMetric(at, spec.Pods) }},
		{"resource", autoscalingv2.ResourceMetricSourceType, spec.Resource != nil, func(at *field.Path) field.ErrorList { return resourceMetric(at, spec.Resource) }},
		{"containerResource", autoscalingv2.ContainerResourceMetricSourceType, spec.ContainerResource != nil,
			func(at *field.Path) field.ErrorList { return containerMetric(at, spec.ContainerResource) }},
	}
	count := 0
	for _, source := range sources {
		if source.present {
			if count++; count == 1 {
				errs = append(errs, source.check(at.Child(source.name))...)
			}
		}
	}
	for _, source := range sources {
		if source.kind == spec.Type && !source.present {
			errs = append(errs, field.Required(at.Child(source.name), "must populate information for the given metric source"))
		}
	}
	errs = append(errs, known...) // upstream says it twice
	for _, source := range sources {
		if count > 1 && source.present && source.kind != spec.Type {
			errs = append(errs, field.Forbidden(at.Child(source.name), "must populate the given metric source only"))
		}
	}
	return errs
}

func objectMetric(at *field.Path, source *autoscalingv2.ObjectMetricSource) field.ErrorList {
	errs := crossVersionReference(at.Child("describedObject"), &source.DescribedObject, false, true)
	errs = append(errs, metricName(at.Child("metric"), &source.Metric)...)
	errs = append(errs, metricTarget(at.Child("target"), &source.Target)...)
	if source.Target.Value == nil && source.Target.AverageValue == nil {
		errs = append(errs, field.Required(at.Child("target", "averageValue"), "must set either a target value or averageValue"))
	}
	return errs
}

func externalMetric(at *field.Path, source *autoscalingv2.ExternalMetricSource) field.ErrorList {
	errs := metricName(at.Child("metric"), &source.Metric)
	errs = append(errs, metricTarget(at.Child("target"), &source.Target)...)
	switch value, average := source.Target.Value != nil, source.Target.AverageValue != nil; {
	case !value && !average:
		errs = append(errs, field.Required(at.Child("target", "averageValue"), "must set either a target value for metric or a per-pod target"))
	case value && average:
		errs = append(errs, field.Forbidden(at.Child("target", "value"), "may not set both a target value for metric and a per-pod target"))
	}
	return errs
}

func podsMetric(at *field.Path, source *autoscalingv2.PodsMetricSource) field.ErrorList {
	errs := metricName(at.Child("metric"), &source.Metric)
	errs = append(errs, metricTarget(at.Child("target"), &source.Target)...)
	if source.Target.AverageValue == nil {
		errs = append(errs, field.Required(at.Child("target", "averageValue"), "must specify a positive target averageValue"))
	}
	return errs
}

func resourceMetric(at *field.Path, source *autoscalingv2.ResourceMetricSource) field.ErrorList {
	var errs field.ErrorList
	if source.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), "must specify a resource name"))
	}
	return append(errs, resourceTarget(at.Child("target"), &source.Target)...)
}

func containerMetric(at *field.Path, source *autoscalingv2.ContainerResourceMetricSource) field.ErrorList {
	var errs field.ErrorList
	if source.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), "must specify a resource name"))
	} else {
		errs = append(errs, containerResourceName(at.Child("name"), source.Name)...)
	}
	if source.Container == "" {
		errs = append(errs, field.Required(at.Child("container"), "must specify a container"))
	} else {
		errs = append(errs, invalid(at.Child("container"), source.Container, dnsLabel(source.Container))...)
	}
	return append(errs, resourceTarget(at.Child("target"), &source.Target)...)
}

func resourceTarget(at *field.Path, target *autoscalingv2.MetricTarget) field.ErrorList {
	errs := metricTarget(at, target)
	switch share, value := target.AverageUtilization != nil, target.AverageValue != nil; {
	case !share && !value:
		errs = append(errs, field.Required(at.Child("averageUtilization"), "must set either a target raw value or a target utilization"))
	case share && value:
		errs = append(errs, field.Forbidden(at.Child("averageValue"), "may not set both a target raw value and a target utilization"))
	}
	return errs
}

func metricTarget(at *field.Path, target *autoscalingv2.MetricTarget) field.ErrorList {
	var errs field.ErrorList
	if target.Type == "" {
		errs = append(errs, field.Required(at.Child("type"), "must specify a metric target type"))
	}
	switch target.Type {
	case autoscalingv2.UtilizationMetricType, autoscalingv2.ValueMetricType, autoscalingv2.AverageValueMetricType:
	default:
		errs = append(errs, field.Invalid(at.Child("type"), target.Type, "must be either Utilization, Value, or AverageValue"))
	}
	if target.Value != nil && target.Value.Sign() <= 0 {
		errs = append(errs, field.Invalid(at.Child("value"), target.Value, "must be positive"))
	}
	if target.AverageValue != nil && target.AverageValue.Sign() <= 0 {
		errs = append(errs, field.Invalid(at.Child("averageValue"), target.AverageValue, "must be positive"))
	}
	if share := target.AverageUtilization; share != nil && *share < 1 {
		errs = append(errs, field.Invalid(at.Child("averageUtilization"), share, "must be greater than 0"))
	}
	return errs
}

func metricName(at *field.Path, metric *autoscalingv2.MetricIdentifier) field.ErrorList {
	if metric.Name == "" {
		return field.ErrorList{field.Required(at.Child("name"), "must specify a metric name")}
	}
	return pathSegment(at.Child("name"), metric.Name)
}

func scalingRules(at *field.Path, rules *autoscalingv2.HPAScalingRules) field.ErrorList {
	if rules == nil {
		return nil
	}
	var errs field.ErrorList
	if window := rules.StabilizationWindowSeconds; window != nil {
		if *window < 0 {
			errs = append(errs, field.Invalid(at.Child("stabilizationWindowSeconds"), window, "must be greater than or equal to zero"))
		}
		if *window > maxStabilizationWindow {
			errs = append(errs, field.Invalid(at.Child("stabilizationWindowSeconds"), window, fmt.Sprintf("must be less than or equal to %v", maxStabilizationWindow)))
		}
	}
	if rules.SelectPolicy != nil {
		errs = append(errs, supportedOnly(at.Child("selectPolicy"), *rules.SelectPolicy,
			autoscalingv2.DisabledPolicySelect, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect)...)
	}
	if len(rules.Policies) == 0 {
		errs = append(errs, field.Required(at.Child("policies"), "must specify at least one Policy"))
	}
	for i, policy := range rules.Policies {
		path := at.Child("policies").Index(i)
		errs = append(errs, supportedOnly(path.Child("type"), policy.Type, autoscalingv2.PercentScalingPolicy, autoscalingv2.PodsScalingPolicy)...)
		if policy.Value <= 0 {
			errs = append(errs, field.Invalid(path.Child("value"), policy.Value, "must be greater than zero"))
		}
		if policy.PeriodSeconds <= 0 {
			errs = append(errs, field.Invalid(path.Child("periodSeconds"), policy.PeriodSeconds, "must be greater than zero"))
		}
		if policy.PeriodSeconds > maxScalingPeriod {
			errs = append(errs, field.Invalid(path.Child("periodSeconds"), policy.PeriodSeconds, fmt.Sprintf("must be less than or equal to %v", maxScalingPeriod)))
		}
	}
	if rules.Tolerance != nil && rules.Tolerance.Sign() < 0 {
		errs = append(errs, field.Invalid(at.Child("tolerance"), rules.Tolerance.String(), notNegative))
	}
	return errs
}

// AutoscalerStatusUpdate checks what the controller has found.
func AutoscalerStatusUpdate(a, _ *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	var errs field.ErrorList
	for i, condition := range a.Status.Conditions {
		if condition.ObservedGeneration != nil {
			errs = append(errs, nonNegative(statusPath.Child("conditions").Index(i), "observedGeneration", *condition.ObservedGeneration)...)
		}
	}
	errs = append(errs, nonNegative(statusPath, "currentReplicas", a.Status.CurrentReplicas)...)
	return append(errs, nonNegative(statusPath, "desiredReplicas", a.Status.DesiredReplicas)...)
}
