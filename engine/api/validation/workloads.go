package validation

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubelabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Deployment checks a new Deployment.
func Deployment(d *appsv1.Deployment) field.ErrorList {
	spec := &d.Spec
	errs := replicas(spec.Replicas)
	errs = append(errs, selectorAndTemplate(spec.Selector, &spec.Template)...)
	errs = append(errs, deploymentStrategy(specPath.Child("strategy"), &spec.Strategy)...)
	errs = append(errs, nonNegative(specPath, "minReadySeconds", spec.MinReadySeconds)...)
	if spec.RevisionHistoryLimit != nil {
		errs = append(errs, nonNegative(specPath, "revisionHistoryLimit", *spec.RevisionHistoryLimit)...)
	}
	if deadline := spec.ProgressDeadlineSeconds; deadline != nil {
		errs = append(errs, nonNegative(specPath, "progressDeadlineSeconds", *deadline)...)
		if *deadline <= spec.MinReadySeconds {
			errs = append(errs, field.Invalid(specPath.Child("progressDeadlineSeconds"), *deadline, "must be greater than minReadySeconds"))
		}
	}
	return errs
}

// DeploymentUpdate checks a change to a Deployment.
func DeploymentUpdate(d, old *appsv1.Deployment) field.ErrorList {
	return append(Deployment(d), immutable(specPath.Child("selector"), d.Spec.Selector, old.Spec.Selector)...)
}

// ReplicaSet checks a new ReplicaSet.
func ReplicaSet(rs *appsv1.ReplicaSet) field.ErrorList {
	errs := replicas(rs.Spec.Replicas)
	errs = append(errs, nonNegative(specPath, "minReadySeconds", rs.Spec.MinReadySeconds)...)
	return append(errs, selectorAndTemplate(rs.Spec.Selector, &rs.Spec.Template)...)
}

// ReplicaSetUpdate checks a change to a ReplicaSet.
func ReplicaSetUpdate(rs, old *appsv1.ReplicaSet) field.ErrorList {
	return append(ReplicaSet(rs), immutable(specPath.Child("selector"), rs.Spec.Selector, old.Spec.Selector)...)
}

func replicas(count *int32) field.ErrorList {
	if count == nil {
		return nil
	}
	return nonNegative(specPath, "replicas", *count)
}

func selectorAndTemplate(selector *metav1.LabelSelector, template *corev1.PodTemplateSpec) field.ErrorList {
	var errs field.ErrorList
	if selector == nil {
		errs = append(errs, field.Required(specPath.Child("selector"), ""))
	} else {
		errs = append(errs, labelSelector(specPath, "selector", selector)...)
		if selectsAll(selector) {
			errs = append(errs, field.Invalid(specPath.Child("selector"), selector, "empty selector is invalid for deployment"))
		}
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return append(errs, field.Invalid(specPath.Child("selector"), selector, "invalid label selector"))
	}
	at := specPath.Child("template")
	if !parsed.Empty() && !parsed.Matches(kubelabels.Set(template.Labels)) {
		errs = append(errs, selectsOthers(at, template))
	}
	errs = append(errs, podTemplate(at, template)...)
	return append(errs, runsForever(at, template, "ReplicaSet")...)
}

func selectsAll(selector *metav1.LabelSelector) bool {
	return len(selector.MatchLabels)+len(selector.MatchExpressions) == 0
}

func selectsOthers(at *field.Path, template *corev1.PodTemplateSpec) *field.Error {
	return field.Invalid(at.Child("metadata", "labels"), template.Labels, "`selector` does not match template `labels`")
}

// runsForever checks that the pods of a workload are not made to end; errors
// name the kind of workload.
func runsForever(at *field.Path, template *corev1.PodTemplateSpec, kind string) field.ErrorList {
	var errs field.ErrorList
	if policy := template.Spec.RestartPolicy; policy != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(at.Child("spec", "restartPolicy"), policy, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if template.Spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(at.Child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in "+kind+" is not Supported"))
	}
	return errs
}

func podTemplate(at *field.Path, template *corev1.PodTemplateSpec) field.ErrorList {
	errs := labels(at, "labels", template.Labels)
	if len(template.Annotations) > 0 {
		errs = append(errs, annotations(at.Child("annotations"), template.Annotations)...)
		errs = append(errs, podAnnotations(at.Child("annotations"), template.Annotations, &template.Spec)...)
	}
	errs = append(errs, podSpec(at.Child("spec"), &template.Spec, "", false)...)
	if len(template.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(at.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
	}
	return errs
}

// annotations have names like labels', in any case.
func annotations(at *field.Path, set map[string]string) field.ErrorList {
	var errs field.ErrorList
	for _, key := range sorted(set) {
		errs = append(errs, invalid(at, key, qualifiedName(strings.ToLower(key)))...)
	}
	if err := apivalidation.ValidateAnnotationsSize(set); err != nil {
		errs = append(errs, field.TooLong(at, "", apivalidation.TotalAnnotationSizeLimitB))
	}
	return errs
}

func deploymentStrategy(at *field.Path, strategy *appsv1.DeploymentStrategy) field.ErrorList {
	switch strategy.Type {
	case appsv1.RecreateDeploymentStrategyType:
		if strategy.RollingUpdate != nil {
			return field.ErrorList{field.Forbidden(at.Child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'")}
		}
		return nil
	case appsv1.RollingUpdateDeploymentStrategyType:
		if strategy.RollingUpdate == nil {
			return field.ErrorList{field.Required(at.Child("rollingUpdate"), "this should be defaulted and never be nil")}
		}
		return rollingUpdate(at.Child("rollingUpdate"), strategy.RollingUpdate)
	}
	return field.ErrorList{field.NotSupported(at, internal(strategyValue(strategy)),
		[]appsv1.DeploymentStrategyType{appsv1.RecreateDeploymentStrategyType, appsv1.RollingUpdateDeploymentStrategyType})}
}

// strategyValue has numbers where the API has pointers, as errors show it.
func strategyValue(strategy *appsv1.DeploymentStrategy) any {
	value := struct {
		Type          appsv1.DeploymentStrategyType
		RollingUpdate *unavailableAndSurge
	}{Type: strategy.Type}
	if update := strategy.RollingUpdate; update != nil {
		value.RollingUpdate = &unavailableAndSurge{numberOrZero(update.MaxUnavailable), numberOrZero(update.MaxSurge)}
	}
	return value
}

// unavailableAndSurge is a rolling update as errors show it.
type unavailableAndSurge struct{ MaxUnavailable, MaxSurge intstr.IntOrString }

func rollingUpdate(at *field.Path, update *appsv1.RollingUpdateDeployment) field.ErrorList {
	unavailable, surge := numberOrZero(update.MaxUnavailable), numberOrZero(update.MaxSurge)
	errs := numberOrPercent(at.Child("maxUnavailable"), unavailable)
	errs = append(errs, numberOrPercent(at.Child("maxSurge"), surge)...)
	if isNothing(unavailable) && isNothing(surge) {
		errs = append(errs, field.Invalid(at.Child("maxUnavailable"), unavailable, "may not be 0 when `maxSurge` is 0"))
	}
	return append(errs, atMostAll(at.Child("maxUnavailable"), unavailable)...)
}

func atMostAll(at *field.Path, value intstr.IntOrString) field.ErrorList {
	if percent, is := percentage(value); is && percent > 100 {
		return field.ErrorList{field.Invalid(at, value, "must not be greater than 100%")}
	}
	return nil
}

func numberOrZero(value *intstr.IntOrString) intstr.IntOrString {
	if value == nil {
		return intstr.IntOrString{}
	}
	return *value
}

func numberOrPercent(at *field.Path, value intstr.IntOrString) field.ErrorList {
	if value.Type == intstr.String {
		return invalid(at, value, validation.IsValidPercent(value.StrVal))
	}
	return apivalidation.ValidateNonnegativeField(int64(value.IntVal), at)
}

func percentage(value intstr.IntOrString) (int, bool) {
	if value.Type != intstr.String || validation.IsValidPercent(value.StrVal) != nil {
		return 0, false
	}
	percent, err := strconv.Atoi(strings.TrimSuffix(value.StrVal, "%"))
	return percent, err == nil
}

func isNothing(value intstr.IntOrString) bool {
	if percent, is := percentage(value); is {
		return percent == 0
	}
	return value.IntValue() == 0
}
