package validation

import (
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The rules below are those of k8s.io/kubernetes/pkg/apis/authorization/validation.

var resourceAttributesPath = field.NewPath("spec.resourceAttributes")

// SubjectAccessReview checks a question about somebody.
func SubjectAccessReview(r *authorizationv1.SubjectAccessReview) field.ErrorList {
	return append(accessSpec(r.Spec), emptyMeta(r.ObjectMeta, "must be empty")...)
}

// LocalSubjectAccessReview checks a question about somebody in a namespace.
func LocalSubjectAccessReview(r *authorizationv1.LocalSubjectAccessReview) field.ErrorList {
	errs := accessSpec(r.Spec)
	meta := r.ObjectMeta
	meta.Namespace = ""
	if len(emptyMeta(meta, "")) > 0 {
		errs = append(errs, field.Invalid(field.NewPath("metadata"), r.ObjectMeta, "must be empty except for namespace"))
	}
	if a := r.Spec.ResourceAttributes; a != nil && a.Namespace != r.Namespace {
		errs = append(errs, field.Invalid(field.NewPath("spec.resourceAttributes.namespace"), a.Namespace, "must match metadata.namespace"))
	}
	if a := r.Spec.NonResourceAttributes; a != nil {
		errs = append(errs, field.Invalid(field.NewPath("spec.nonResourceAttributes"), internal(*a), "disallowed on this kind of request"))
	}
	return errs
}

// SelfSubjectAccessReview checks a question of somebody about themselves.
func SelfSubjectAccessReview(r *authorizationv1.SelfSubjectAccessReview) field.ErrorList {
	errs := accessAttributes(r.Spec.ResourceAttributes, r.Spec.NonResourceAttributes)
	errs = append(errs, selectors(r.Spec.ResourceAttributes)...)
	return append(errs, emptyMeta(r.ObjectMeta, "must be empty")...)
}

func accessSpec(spec authorizationv1.SubjectAccessReviewSpec) field.ErrorList {
	errs := accessAttributes(spec.ResourceAttributes, spec.NonResourceAttributes)
	if spec.User == "" && len(spec.Groups) == 0 {
		errs = append(errs, field.Invalid(specPath.Child("user"), spec.User, "at least one of user or group must be specified"))
	}
	return append(errs, selectors(spec.ResourceAttributes)...)
}

func accessAttributes(resource *authorizationv1.ResourceAttributes, other *authorizationv1.NonResourceAttributes) field.ErrorList {
	if (resource == nil) != (other == nil) {
		return nil
	}
	return field.ErrorList{field.Invalid(specPath, internal(other), "exactly one of nonResourceAttributes or resourceAttributes must be specified")}
}

func emptyMeta(meta metav1.ObjectMeta, message string) field.ErrorList {
	checked := meta
	checked.ManagedFields = nil
	if equality.Semantic.DeepEqual(metav1.ObjectMeta{}, checked) {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("metadata"), meta, message)}
}

func selectors(a *authorizationv1.ResourceAttributes) field.ErrorList {
	if a == nil {
		return nil
	}
	var errs field.ErrorList
	if s := a.FieldSelector; s != nil {
		at := resourceAttributesPath.Child("fieldSelector")
		errs = append(errs, rawOrRequirements(at, s.RawSelector, len(s.Requirements))...)
		for i := range s.Requirements {
			errs = append(errs, metav1validation.ValidateFieldSelectorRequirement(s.Requirements[i],
				metav1validation.FieldSelectorValidationOptions{AllowUnknownOperatorInRequirement: true}, at.Child("requirements").Index(i))...)
		}
	}
	if s := a.LabelSelector; s != nil {
		at := resourceAttributesPath.Child("labelSelector")
		errs = append(errs, rawOrRequirements(at, s.RawSelector, len(s.Requirements))...)
		for i := range s.Requirements {
			errs = append(errs, metav1validation.ValidateLabelSelectorRequirement(s.Requirements[i],
				metav1validation.LabelSelectorValidationOptions{AllowUnknownOperatorInRequirement: true}, at.Child("requirements").Index(i))...)
		}
	}
	return errs
}

func rawOrRequirements(at *field.Path, raw string, requirements int) field.ErrorList {
	switch {
	case raw != "" && requirements > 0:
		return field.ErrorList{field.Invalid(at.Child("rawSelector"), raw, "may not specified at the same time as requirements")}
	case raw == "" && requirements == 0:
		return field.ErrorList{field.Required(at.Child("requirements"), "when "+at.String()+" is specified, requirements or rawSelector is required")}
	}
	return nil
}

// TokenRequest checks a request for a service account's token, whose lifetime
// is set (k8s.io/kubernetes/pkg/apis/authentication/validation).
func TokenRequest(r *authenticationv1.TokenRequest) field.ErrorList {
	var errs field.ErrorList
	const least, most = 10 * 60, int64(1) << 32
	at := specPath.Child("expirationSeconds")
	if *r.Spec.ExpirationSeconds < least {
		errs = append(errs, field.Invalid(at, *r.Spec.ExpirationSeconds, "may not specify a duration less than 10 minutes"))
	}
	if *r.Spec.ExpirationSeconds > most {
		errs = append(errs, field.Invalid(at, *r.Spec.ExpirationSeconds, "may not specify a duration larger than 2^32 seconds"))
	}
	return errs
}
