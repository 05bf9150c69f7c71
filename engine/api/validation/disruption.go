package validation

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DisruptionBudget checks a PodDisruptionBudget.
func DisruptionBudget(budget *policyv1.PodDisruptionBudget) field.ErrorList {
	var errs field.ErrorList
	spec := &budget.Spec
	if spec.MinAvailable != nil && spec.MaxUnavailable != nil {
		errs = append(errs, field.Invalid(specPath, internal(*spec), "minAvailable and maxUnavailable cannot be both set"))
	}
	errs = append(errs, numberOrPart(specPath.Child("minAvailable"), spec.MinAvailable)...)
	errs = append(errs, numberOrPart(specPath.Child("maxUnavailable"), spec.MaxUnavailable)...)
	errs = append(errs, labelSelector(specPath, "selector", spec.Selector)...)
	if policy := spec.UnhealthyPodEvictionPolicy; policy != nil {
		errs = append(errs, supportedOnly(specPath.Child("unhealthyPodEvictionPolicy"), *policy, policyv1.AlwaysAllow, policyv1.IfHealthyBudget)...)
	}
	return errs
}

// numberOrPart takes a number, or a percentage of at most 100.
func numberOrPart(at *field.Path, value *intstr.IntOrString) field.ErrorList {
	if value == nil {
		return nil
	}
	errs := numberOrPercent(at, *value)
	if percent, is := percentage(*value); is && percent > 100 {
		errs = append(errs, field.Invalid(at, *value, "must not be greater than 100%"))
	}
	return errs
}

// DisruptionBudgetStatusUpdate checks what the controller has counted.
func DisruptionBudgetStatusUpdate(budget, _ *policyv1.PodDisruptionBudget) field.ErrorList {
	status := &budget.Status
	errs := metav1validation.ValidateConditions(status.Conditions, statusPath.Child("conditions"))
	errs = append(errs, nonNegative(statusPath, "disruptionsAllowed", status.DisruptionsAllowed)...)
	errs = append(errs, nonNegative(statusPath, "currentHealthy", status.CurrentHealthy)...)
	errs = append(errs, nonNegative(statusPath, "desiredHealthy", status.DesiredHealthy)...)
	return append(errs, nonNegative(statusPath, "expectedPods", status.ExpectedPods)...)
}
