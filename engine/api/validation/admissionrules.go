package validation

import (
	"fmt"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What policies and webhooks have in common: which requests they are about.

func admissionRule(path *field.Path, rule *admissionregistrationv1.RuleWithOperations) field.ErrorList {
	var errs field.ErrorList
	if len(rule.Operations) == 0 {
		errs = append(errs, field.Required(path.Child("operations"), ""))
	}
	if len(rule.Operations) > 1 && slices.Contains(rule.Operations, admissionregistrationv1.OperationAll) {
		errs = append(errs, field.Invalid(path.Child("operations"), rule.Operations, "if '*' is present, must not specify other operations"))
	}
	for i, operation := range rule.Operations {
		errs = append(errs, supportedOnly(path.Child("operations").Index(i), operation, admissionregistrationv1.OperationAll,
			admissionregistrationv1.Connect, admissionregistrationv1.Create, admissionregistrationv1.Delete, admissionregistrationv1.Update)...)
	}
	errs = append(errs, wildcards(path.Child("apiGroups"), rule.APIGroups, "API groups")...)
	errs = append(errs, wildcards(path.Child("apiVersions"), rule.APIVersions, "API versions")...)
	for i, version := range rule.APIVersions {
		if version == "" {
			errs = append(errs, field.Required(path.Child("apiVersions").Index(i), ""))
		}
	}
	errs = append(errs, admissionResources(path.Child("resources"), rule.Resources)...)
	if rule.Scope != nil {
		errs = append(errs, supportedOnly(path.Child("scope"), *rule.Scope, admissionregistrationv1.AllScopes,
			admissionregistrationv1.ClusterScope, admissionregistrationv1.NamespacedScope)...)
	}
	return errs
}

func wildcards(path *field.Path, values []string, what string) field.ErrorList {
	switch {
	case len(values) == 0:
		return field.ErrorList{field.Required(path, "")}
	case len(values) > 1 && slices.Contains(values, "*"):
		return field.ErrorList{field.Invalid(path, values, "if '*' is present, must not specify other "+what)}
	}
	return nil
}

func admissionResources(path *field.Path, resources []string) field.ErrorList {
	if len(resources) == 0 {
		return field.ErrorList{field.Required(path, "")}
	}
	var errs field.ErrorList
	allSubresourcesOf, subresourceOfAll := map[string]bool{}, map[string]bool{} // x/* and */x
	plain := false
	for i, entry := range resources {
		if entry == "" {
			errs = append(errs, field.Required(path.Index(i), ""))
			continue
		}
		resource, sub, deep := strings.Cut(entry, "/")
		if !deep {
			plain = entry != "*"
			continue
		}
		if allSubresourcesOf[resource] {
			errs = append(errs, field.Invalid(path.Index(i), entry, fmt.Sprintf("if '%s/*' is present, must not specify %s", resource, entry)))
		}
		if subresourceOfAll[sub] {
			errs = append(errs, field.Invalid(path.Index(i), entry, fmt.Sprintf("if '*/%s' is present, must not specify %s", sub, entry)))
		}
		if sub == "*" {
			allSubresourcesOf[resource] = true
		}
		if resource == "*" {
			subresourceOfAll[sub] = true
		}
	}
	if len(resources) > 1 && slices.Contains(resources, "*/*") {
		errs = append(errs, field.Invalid(path, resources, "if '*/*' is present, must not specify other resources"))
	}
	if plain && slices.Contains(resources, "*") {
		errs = append(errs, field.Invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
	}
	return errs
}

func matchResources(path *field.Path, match *admissionregistrationv1.MatchResources) field.ErrorList {
	if match == nil {
		return nil
	}
	var errs field.ErrorList
	if match.MatchPolicy == nil {
		errs = append(errs, field.Required(path.Child("matchPolicy"), ""))
	} else {
		errs = append(errs, matchPolicy(path, *match.MatchPolicy)...)
	}
	options := metav1validation.LabelSelectorValidationOptions{}
	if match.NamespaceSelector == nil {
		errs = append(errs, field.Required(path.Child("namespaceSelector"), ""))
	} else {
		errs = append(errs, metav1validation.ValidateLabelSelector(match.NamespaceSelector, options, path.Child("namespaceSelector"))...)
	}
	if match.ObjectSelector == nil {
		errs = append(errs, field.Required(path.Child("objectSelector"), ""))
	} else {
		errs = append(errs, metav1validation.ValidateLabelSelector(match.ObjectSelector, options, path.Child("objectSelector"))...)
	}
	for i := range match.ResourceRules {
		errs = append(errs, namedRule(path.Child("resourceRules").Index(i), &match.ResourceRules[i])...)
	}
	for i := range match.ExcludeResourceRules {
		errs = append(errs, namedRule(path.Child("excludeResourceRules").Index(i), &match.ExcludeResourceRules[i])...)
	}
	return errs
}

func namedRule(path *field.Path, rule *admissionregistrationv1.NamedRuleWithOperations) field.ErrorList {
	var errs field.ErrorList
	for i, name := range rule.ResourceNames {
		at := path.Child("resourceNames").Index(i)
		errs = append(errs, invalid(at, name, content.IsPathSegmentName(name))...)
		if slices.Contains(rule.ResourceNames[:i], name) {
			errs = append(errs, field.Duplicate(at, name))
		}
	}
	return append(errs, admissionRule(path, &rule.RuleWithOperations)...)
}

func matchPolicy(path *field.Path, policy admissionregistrationv1.MatchPolicyType) field.ErrorList {
	return supportedOnly(path.Child("matchPolicy"), policy, admissionregistrationv1.Equivalent, admissionregistrationv1.Exact)
}

func failurePolicy(path *field.Path, policy admissionregistrationv1.FailurePolicyType) field.ErrorList {
	return supportedOnly(path.Child("failurePolicy"), policy, admissionregistrationv1.Fail, admissionregistrationv1.Ignore)
}

// matchConditions leaves what the expressions say to a CEL evaluator.
func matchConditions(path *field.Path, conditions []admissionregistrationv1.MatchCondition) field.ErrorList {
	const most = 64
	var errs field.ErrorList
	if len(conditions) > most {
		errs = append(errs, field.TooMany(path, len(conditions), most))
	}
	seen := map[string]bool{}
	for i := range conditions {
		condition, at := &conditions[i], path.Index(i)
		if strings.TrimSpace(condition.Expression) == "" {
			errs = append(errs, field.Required(at.Child("expression"), ""))
		}
		if condition.Name == "" {
			errs = append(errs, field.Required(at.Child("name"), ""))
			continue
		}
		errs = append(errs, invalid(at.Child("name"), condition.Name, qualifiedName(condition.Name))...)
		if seen[condition.Name] {
			errs = append(errs, field.Duplicate(at.Child("name"), condition.Name))
		}
		seen[condition.Name] = true
	}
	return errs
}
