package validation

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The rules below are those of k8s.io/kubernetes/pkg/apis/rbac/validation.

var (
	rulesPath       = field.NewPath("rules")
	roleRefPath     = field.NewPath("roleRef")
	subjectsPath    = field.NewPath("subjects")
	aggregationPath = field.NewPath("aggregationRule", "clusterRoleSelectors")
)

// Role checks a Role on create and update.
func Role(role *rbacv1.Role) field.ErrorList {
	return append(policyRules(role.Rules, true), verbs(role.Rules)...)
}

// ClusterRole checks a ClusterRole on create and update.
func ClusterRole(role *rbacv1.ClusterRole) field.ErrorList {
	return append(append(policyRules(role.Rules, false), aggregation(role)...), verbs(role.Rules)...)
}

func aggregation(role *rbacv1.ClusterRole) field.ErrorList {
	if role.AggregationRule == nil {
		return nil
	}
	var errs field.ErrorList
	selectors := role.AggregationRule.ClusterRoleSelectors
	if len(selectors) == 0 {
		errs = append(errs, field.Required(aggregationPath, "at least one clusterRoleSelector required if aggregationRule is non-nil"))
	}
	for i := range selectors {
		at := aggregationPath.Index(i)
		errs = append(errs, metav1validation.ValidateLabelSelector(&selectors[i], metav1validation.LabelSelectorValidationOptions{}, at)...)
		if selector, err := metav1.LabelSelectorAsSelector(&selectors[i]); err != nil {
			errs = append(errs, field.Invalid(at, selector, "invalid label selector."))
		}
	}
	return errs
}

func policyRules(rules []rbacv1.PolicyRule, namespaced bool) field.ErrorList {
	var errs field.ErrorList
	for i := range rules {
		errs = append(errs, policyRule(&rules[i], namespaced, rulesPath.Index(i))...)
	}
	return errs
}

// verbs are a required field, which is declared with the type and so is checked
// after all else.
func verbs(rules []rbacv1.PolicyRule) field.ErrorList {
	var errs field.ErrorList
	for i := range rules {
		if len(rules[i].Verbs) == 0 {
			errs = append(errs, field.Required(rulesPath.Index(i).Child("verbs"), ""))
		}
	}
	return errs
}

func policyRule(rule *rbacv1.PolicyRule, namespaced bool, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(rule.NonResourceURLs) > 0 {
		urls := at.Child("nonResourceURLs")
		if namespaced {
			errs = append(errs, field.Invalid(urls, rule.NonResourceURLs, "namespaced rules cannot apply to non-resource URLs"))
		}
		if len(rule.APIGroups) > 0 || len(rule.Resources) > 0 || len(rule.ResourceNames) > 0 {
			errs = append(errs, field.Invalid(urls, rule.NonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs"))
		}
		return errs
	}
	if len(rule.APIGroups) == 0 {
		errs = append(errs, field.Required(at.Child("apiGroups"), "resource rules must supply at least one api group"))
	}
	if len(rule.Resources) == 0 {
		errs = append(errs, field.Required(at.Child("resources"), "resource rules must supply at least one resource"))
	}
	return errs
}

// RoleBinding checks a new RoleBinding.
func RoleBinding(b *rbacv1.RoleBinding) field.ErrorList {
	return roleBinding(b.RoleRef, b.Subjects, true)
}

// RoleBindingUpdate checks a change to a RoleBinding.
func RoleBindingUpdate(b, old *rbacv1.RoleBinding) field.ErrorList {
	return append(RoleBinding(b), sameRole(b.RoleRef, old.RoleRef)...)
}

// ClusterRoleBinding checks a new ClusterRoleBinding.
func ClusterRoleBinding(b *rbacv1.ClusterRoleBinding) field.ErrorList {
	return roleBinding(b.RoleRef, b.Subjects, false)
}

// ClusterRoleBindingUpdate checks a change to a ClusterRoleBinding.
func ClusterRoleBindingUpdate(b, old *rbacv1.ClusterRoleBinding) field.ErrorList {
	return append(ClusterRoleBinding(b), sameRole(b.RoleRef, old.RoleRef)...)
}

func sameRole(ref, old rbacv1.RoleRef) field.ErrorList {
	if equality.Semantic.DeepEqual(ref, old) {
		return nil
	}
	return field.ErrorList{field.Invalid(roleRefPath, internal(ref), apivalidation.FieldImmutableErrorMsg)}
}

func roleBinding(ref rbacv1.RoleRef, subjects []rbacv1.Subject, namespaced bool) field.ErrorList {
	var errs field.ErrorList
	if ref.APIGroup != rbacv1.GroupName {
		errs = append(errs, field.NotSupported(roleRefPath.Child("apiGroup"), ref.APIGroup, []string{rbacv1.GroupName}))
	}
	allowed := []string{"ClusterRole"}
	if namespaced {
		allowed = []string{"Role", "ClusterRole"}
	}
	if ref.Kind != "ClusterRole" && (ref.Kind != "Role" || !namespaced) {
		errs = append(errs, field.NotSupported(roleRefPath.Child("kind"), ref.Kind, allowed))
	}
	if ref.Name == "" {
		errs = append(errs, field.Required(roleRefPath.Child("name"), ""))
	} else {
		errs = append(errs, invalid(roleRefPath.Child("name"), ref.Name, content.IsPathSegmentName(ref.Name))...)
	}
	for i := range subjects {
		errs = append(errs, roleSubject(&subjects[i], namespaced, subjectsPath.Index(i))...)
	}
	return errs
}

func roleSubject(subject *rbacv1.Subject, namespaced bool, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if subject.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	switch subject.Kind {
	case rbacv1.ServiceAccountKind:
		if subject.Name != "" {
			errs = append(errs, invalid(at.Child("name"), subject.Name, apivalidation.ValidateServiceAccountName(subject.Name, false))...)
		}
		if subject.APIGroup != "" {
			errs = append(errs, field.NotSupported(at.Child("apiGroup"), subject.APIGroup, []string{""}))
		}
		if !namespaced && subject.Namespace == "" {
			errs = append(errs, field.Required(at.Child("namespace"), ""))
		}
	case rbacv1.UserKind, rbacv1.GroupKind:
		if subject.APIGroup != rbacv1.GroupName {
			errs = append(errs, field.NotSupported(at.Child("apiGroup"), subject.APIGroup, []string{rbacv1.GroupName}))
		}
	default:
		errs = append(errs, field.NotSupported(at.Child("kind"), subject.Kind,
			[]string{rbacv1.ServiceAccountKind, rbacv1.UserKind, rbacv1.GroupKind}))
	}
	return errs
}
