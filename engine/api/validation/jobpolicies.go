package validation

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxPolicyRules      = 20
	maxExitCodes        = 255
	maxConditions       = 20
	maxSucceededIndexes = 64 * 1024 // characters
)

func podReplacementPolicy(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	switch policy := spec.PodReplacementPolicy; {
	case policy == nil:
		return nil
	case spec.PodFailurePolicy != nil:
		return supportedOnly(at, *policy, batchv1.Failed)
	default:
		return supportedOnly(at, *policy, batchv1.Failed, batchv1.TerminatingOrFailed)
	}
}

func podFailurePolicy(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	rules := spec.PodFailurePolicy.Rules
	var errs field.ErrorList
	if len(rules) > maxPolicyRules {
		errs = append(errs, field.TooMany(at, len(rules), maxPolicyRules))
	}
	for i := range rules {
		errs = append(errs, podFailureRule(at.Index(i), spec, &rules[i])...)
	}
	return errs
}

func podFailureRule(at *field.Path, spec *batchv1.JobSpec, rule *batchv1.PodFailurePolicyRule) field.ErrorList {
	actions := []batchv1.PodFailurePolicyAction{batchv1.PodFailurePolicyActionCount, batchv1.PodFailurePolicyActionFailIndex,
		batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionIgnore}
	var errs field.ErrorList
	switch path := at.Child("action"); {
	case rule.Action == "":
		errs = append(errs, field.Required(path, fmt.Sprintf("valid values: %q", actions)))
	case rule.Action == batchv1.PodFailurePolicyActionFailIndex:
		if spec.BackoffLimitPerIndex == nil {
			errs = append(errs, field.Invalid(path, rule.Action, "requires the backoffLimitPerIndex to be set"))
		}
	default:
		errs = append(errs, supportedOnly(path, rule.Action, actions...)...)
	}
	if rule.OnExitCodes != nil {
		errs = append(errs, onExitCodes(at.Child("onExitCodes"), spec, rule.OnExitCodes)...)
	}
	errs = append(errs, onPodConditions(at.Child("onPodConditions"), rule.OnPodConditions)...)
	if rule.OnExitCodes != nil && len(rule.OnPodConditions) > 0 {
		errs = append(errs, field.Invalid(at, field.OmitValueType{}, "specifying both OnExitCodes and OnPodConditions is not supported"))
	}
	if rule.OnExitCodes == nil && len(rule.OnPodConditions) == 0 {
		errs = append(errs, field.Invalid(at, field.OmitValueType{}, "specifying one of OnExitCodes and OnPodConditions is required"))
	}
	return errs
}

func onPodConditions(at *field.Path, patterns []batchv1.PodFailurePolicyOnPodConditionsPattern) field.ErrorList {
	states := []corev1.ConditionStatus{corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown}
	var errs field.ErrorList
	if len(patterns) > maxConditions {
		errs = append(errs, field.TooMany(at, len(patterns), maxConditions))
	}
	for i, pattern := range patterns {
		path := at.Index(i)
		errs = append(errs, invalid(path.Child("type"), string(pattern.Type), qualifiedName(string(pattern.Type)))...)
		if pattern.Status == "" {
			errs = append(errs, field.Required(path.Child("status"), fmt.Sprintf("valid values: %q", states)))
		} else {
			errs = append(errs, supportedOnly(path.Child("status"), pattern.Status, states...)...)
		}
	}
	return errs
}

func onExitCodes(at *field.Path, spec *batchv1.JobSpec, codes *batchv1.PodFailurePolicyOnExitCodesRequirement) field.ErrorList {
	operators := []batchv1.PodFailurePolicyOnExitCodesOperator{batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn}
	var errs field.ErrorList
	if codes.Operator == "" {
		errs = append(errs, field.Required(at.Child("operator"), fmt.Sprintf("valid values: %q", operators)))
	} else {
		errs = append(errs, supportedOnly(at.Child("operator"), codes.Operator, operators...)...)
	}
	if name := codes.ContainerName; name != nil {
		named := func(c corev1.Container) bool { return c.Name == *name }
		if !slices.ContainsFunc(spec.Template.Spec.Containers, named) && !slices.ContainsFunc(spec.Template.Spec.InitContainers, named) {
			errs = append(errs, field.Invalid(at.Child("containerName"), *name, "must be one of the container or initContainer names in the pod template"))
		}
	}
	path := at.Child("values")
	switch count := len(codes.Values); {
	case count == 0:
		errs = append(errs, field.Invalid(path, codes.Values, "at least one value is required"))
	case count > maxExitCodes:
		errs = append(errs, field.TooMany(path, count, maxExitCodes))
	}
	for i, code := range codes.Values {
		if code == 0 && codes.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn {
			errs = append(errs, field.Invalid(path.Index(i), code, "must not be 0 for the In operator"))
		}
		if slices.Contains(codes.Values[:i], code) {
			errs = append(errs, field.Duplicate(path.Index(i), code))
		}
	}
	if !slices.IsSorted(codes.Values) {
		errs = append(errs, field.Invalid(path, codes.Values, "must be ordered"))
	}
	return errs
}

func successPolicy(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	rules := spec.SuccessPolicy.Rules
	var errs field.ErrorList
	if len(rules) == 0 {
		errs = append(errs, field.Required(at, "at least one rules must be specified when the successPolicy is specified"))
	}
	if len(rules) > maxPolicyRules {
		errs = append(errs, field.TooMany(at, len(rules), maxPolicyRules))
	}
	for i := range rules {
		errs = append(errs, successRule(at.Index(i), spec, &rules[i])...)
	}
	return errs
}

func successRule(at *field.Path, spec *batchv1.JobSpec, rule *batchv1.SuccessPolicyRule) field.ErrorList {
	var errs field.ErrorList
	completions := int32(0)
	if spec.Completions != nil {
		completions = *spec.Completions
	}
	if rule.SucceededCount == nil && rule.SucceededIndexes == nil {
		errs = append(errs, field.Required(at, "at least one of succeededCount or succeededIndexes must be specified"))
	}
	listed := int32(0)
	if indexes := rule.SucceededIndexes; indexes != nil {
		path := at.Child("succeededIndexes")
		if len(*indexes) > maxSucceededIndexes {
			errs = append(errs, field.TooLong(path, "", maxSucceededIndexes))
		}
		var err error
		if listed, err = countIndexes(*indexes, completions); err != nil {
			errs = append(errs, field.Invalid(path, *indexes, fmt.Sprintf("error parsing succeededIndexes: %s", err)))
		}
	}
	if count := rule.SucceededCount; count != nil {
		path := at.Child("succeededCount")
		errs = append(errs, nonNegative(at, "succeededCount", *count)...)
		if *count > completions {
			errs = append(errs, field.Invalid(path, *count, fmt.Sprintf("must be less than or equal to %d (the number of specified completions)", completions)))
		}
		if rule.SucceededIndexes != nil && *count > listed {
			errs = append(errs, field.Invalid(path, *count, fmt.Sprintf("must be less than or equal to %d (the number of indexes in the specified succeededIndexes field)", listed)))
		}
	}
	return errs
}
