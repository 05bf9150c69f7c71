package validation

import (
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Lease checks a lease on create and update.
func Lease(l *coordinationv1.Lease) field.ErrorList {
	var errs field.ErrorList
	spec := &l.Spec
	if seconds := spec.LeaseDurationSeconds; seconds != nil && *seconds <= 0 {
		errs = append(errs, field.Invalid(specPath.Child("leaseDurationSeconds"), *seconds, "must be greater than 0"))
	}
	if count := spec.LeaseTransitions; count != nil && *count < 0 {
		errs = append(errs, field.Invalid(specPath.Child("leaseTransitions"), *count, notNegative))
	}
	return errs
}
