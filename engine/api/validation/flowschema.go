package validation

import (
	"fmt"
	"slices"
	"strings"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// FlowSchema checks a new FlowSchema
// (k8s.io/kubernetes/pkg/apis/flowcontrol/validation upstream).
func FlowSchema(s *flowcontrolv1.FlowSchema) field.ErrorList {
	path := field.NewPath("spec")
	errs := flowSchemaSpec(s.Name, &s.Spec, path)
	if fixed, ok := mandatoryFlowSchema(s.Name); ok && !equality.Semantic.DeepEqual(s.Spec, fixed) {
		errs = append(errs, field.Invalid(path, internal(s.Spec), fmt.Sprintf("spec of '%s' must equal the fixed value", s.Name)))
	}
	return append(errs, flowSchemaConditions(s)...)
}

// FlowSchemaUpdate checks a FlowSchema that replaces another.
func FlowSchemaUpdate(s, _ *flowcontrolv1.FlowSchema) field.ErrorList { return FlowSchema(s) }

// FlowSchemaStatusUpdate checks the status alone.
func FlowSchemaStatusUpdate(s, _ *flowcontrolv1.FlowSchema) field.ErrorList {
	return flowSchemaConditions(s)
}

func flowSchemaConditions(s *flowcontrolv1.FlowSchema) field.ErrorList {
	types := make([]string, len(s.Status.Conditions))
	for i, c := range s.Status.Conditions {
		types[i] = string(c.Type)
	}
	return conditionTypes(types)
}

// conditionTypes: each is there, and once.
func conditionTypes(types []string) (errs field.ErrorList) {
	for i, name := range types {
		path := field.NewPath("status", "conditions").Index(i).Child("type")
		if slices.Contains(types[:i], name) {
			errs = append(errs, field.Duplicate(path, name))
		}
		if name == "" {
			errs = append(errs, field.Required(path, ""))
		}
	}
	return errs
}

func flowSchemaSpec(name string, s *flowcontrolv1.FlowSchemaSpec, path *field.Path) (errs field.ErrorList) {
	precedence := path.Child("matchingPrecedence")
	if s.MatchingPrecedence <= 0 {
		errs = append(errs, field.Invalid(precedence, s.MatchingPrecedence, "must be a positive value"))
	}
	if s.MatchingPrecedence > flowcontrolv1.FlowSchemaMaxMatchingPrecedence {
		errs = append(errs, field.Invalid(precedence, s.MatchingPrecedence, fmt.Sprintf("must not be greater than %v", flowcontrolv1.FlowSchemaMaxMatchingPrecedence)))
	}
	if s.MatchingPrecedence == 1 && name != flowcontrolv1.FlowSchemaNameExempt {
		errs = append(errs, field.Invalid(precedence, s.MatchingPrecedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
	}
	if method := s.DistinguisherMethod; method != nil {
		known := []string{string(flowcontrolv1.FlowDistinguisherMethodByNamespaceType), string(flowcontrolv1.FlowDistinguisherMethodByUserType)}
		if !slices.Contains(known, string(method.Type)) {
			errs = append(errs, field.NotSupported(path.Child("distinguisherMethod", "type"), internal(method), known))
		}
	}
	level := path.Child("priorityLevelConfiguration", "name")
	if s.PriorityLevelConfiguration.Name == "" {
		errs = append(errs, field.Required(level, "must reference a priority level"))
	} else {
		errs = append(errs, invalid(level, s.PriorityLevelConfiguration.Name, objectName(s.PriorityLevelConfiguration.Name, false))...)
	}
	for i := range s.Rules {
		errs = append(errs, flowRules(&s.Rules[i], path.Child("rules").Index(i))...)
	}
	return errs
}

func flowRules(rules *flowcontrolv1.PolicyRulesWithSubjects, path *field.Path) (errs field.ErrorList) {
	if len(rules.Subjects) == 0 {
		errs = append(errs, field.Required(path.Child("subjects"), "subjects must contain at least one value"))
	}
	for i := range rules.Subjects {
		errs = append(errs, flowSubject(&rules.Subjects[i], path.Child("subjects").Index(i))...)
	}
	if len(rules.ResourceRules) == 0 && len(rules.NonResourceRules) == 0 {
		errs = append(errs, field.Required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"))
	}
	for i := range rules.ResourceRules {
		errs = append(errs, flowResources(&rules.ResourceRules[i], path.Child("resourceRules").Index(i))...)
	}
	for i := range rules.NonResourceRules {
		errs = append(errs, flowURLs(&rules.NonResourceRules[i], path.Child("nonResourceRules").Index(i))...)
	}
	return errs
}

func flowSubject(s *flowcontrolv1.Subject, path *field.Path) (errs field.ErrorList) {
	// The one that the kind names comes first, then those that it forbids.
	members := []struct {
		kind    flowcontrolv1.SubjectKind
		field   string
		present bool
		check   func() field.ErrorList
	}{
		{flowcontrolv1.SubjectKindServiceAccount, "serviceAccount", s.ServiceAccount != nil, func() field.ErrorList {
			return flowServiceAccount(s.ServiceAccount, path.Child("serviceAccount"))
		}},
		{flowcontrolv1.SubjectKindUser, "user", s.User != nil, func() field.ErrorList { return flowName(s.User.Name, path.Child("user")) }},
		{flowcontrolv1.SubjectKindGroup, "group", s.Group != nil, func() field.ErrorList { return flowName(s.Group.Name, path.Child("group")) }},
	}
	known := false
	for _, m := range members {
		switch {
		case m.kind != s.Kind:
			continue
		case m.present:
			errs = append(errs, m.check()...)
		default:
			errs = append(errs, field.Required(path.Child(m.field), fmt.Sprintf("%s is required when subject kind is '%s'", m.field, m.kind)))
		}
		known = true
	}
	if !known {
		return field.ErrorList{field.NotSupported(path.Child("kind"), s.Kind, []flowcontrolv1.SubjectKind{
			flowcontrolv1.SubjectKindGroup, flowcontrolv1.SubjectKindServiceAccount, flowcontrolv1.SubjectKindUser})}
	}
	for _, m := range members {
		if m.kind != s.Kind && m.present {
			errs = append(errs, field.Forbidden(path.Child(m.field), fmt.Sprintf("%s is forbidden when subject kind is not '%s'", m.field, m.kind)))
		}
	}
	return errs
}

func flowName(name string, path *field.Path) field.ErrorList {
	if name != "" {
		return nil
	}
	return field.ErrorList{field.Required(path.Child("name"), "")}
}

func flowServiceAccount(account *flowcontrolv1.ServiceAccountSubject, path *field.Path) field.ErrorList {
	errs := flowName(account.Name, path)
	if account.Name != "" && account.Name != flowcontrolv1.NameAll {
		errs = append(errs, invalid(path.Child("name"), account.Name, apivalidation.ValidateServiceAccountName(account.Name, false))...)
	}
	if account.Namespace == "" {
		return append(errs, field.Required(path.Child("namespace"), "must specify namespace for service account"))
	}
	return append(errs, invalid(path.Child("namespace"), account.Namespace, dnsLabel(account.Namespace))...)
}

// flowVerbs are those that rules may name, in the order in which errors do.
var flowVerbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"}

func flowVerbList(verbs []string, path *field.Path) field.ErrorList {
	switch {
	case len(verbs) == 0:
		return field.ErrorList{field.Required(path, "verbs must contain at least one value")}
	case slices.Contains(verbs, "*"):
		return flowWildcard(verbs, path, "verbs")
	case slices.ContainsFunc(verbs, func(verb string) bool { return !slices.Contains(flowVerbs, verb) }):
		return field.ErrorList{field.NotSupported(path, verbs, flowVerbs)}
	}
	return nil
}

// flowWildcard: "*" stands alone.
func flowWildcard(values []string, path *field.Path, what string) field.ErrorList {
	if len(values) > 1 && slices.Contains(values, "*") {
		return field.ErrorList{field.Invalid(path, values, "if '*' is present, must not specify other "+what)}
	}
	return nil
}

func flowResources(rule *flowcontrolv1.ResourcePolicyRule, path *field.Path) field.ErrorList {
	errs := flowVerbList(rule.Verbs, path.Child("verbs"))
	atLeastOne := func(values []string, name, what, one string) {
		if len(values) == 0 {
			errs = append(errs, field.Required(path.Child(name), "resource rules must supply at least one "+one))
			return
		}
		errs = append(errs, flowWildcard(values, path.Child(name), what)...)
	}
	atLeastOne(rule.APIGroups, "apiGroups", "api groups", "api group")
	atLeastOne(rule.Resources, "resources", "resources", "resource")
	namespaces := path.Child("namespaces")
	switch {
	case len(rule.Namespaces) == 0 && !rule.ClusterScope:
		return append(errs, field.Required(namespaces, "resource rules that are not cluster scoped must supply at least one namespace"))
	case slices.Contains(rule.Namespaces, "*"):
		return append(errs, flowWildcard(rule.Namespaces, namespaces, "namespaces")...)
	}
	for i, name := range rule.Namespaces {
		for _, message := range dnsLabel(name) {
			errs = append(errs, field.Invalid(namespaces.Index(i), name, "each member of this list must be '*' or a DNS-1123 label; "+message))
		}
	}
	return errs
}

func flowURLs(rule *flowcontrolv1.NonResourcePolicyRule, path *field.Path) field.ErrorList {
	errs := flowVerbList(rule.Verbs, path.Child("verbs"))
	urls := path.Child("nonResourceURLs")
	switch {
	case len(rule.NonResourceURLs) == 0:
		return append(errs, field.Required(urls, "nonResourceURLs must contain at least one value"))
	case slices.Contains(rule.NonResourceURLs, "*"):
		return append(errs, flowWildcard(rule.NonResourceURLs, urls, "non-resource URLs")...)
	}
	for i, url := range rule.NonResourceURLs {
		if problem := flowURL(url); problem != "" {
			errs = append(errs, field.Invalid(urls.Index(i), url, problem))
		}
	}
	return errs
}

func flowURL(url string) string {
	wildcards := strings.Count(url, "*")
	switch {
	case url == "":
		return "must not be empty"
	case url[0] != '/':
		return "must start with slash"
	case strings.Contains(url, " "):
		return "must not contain white-space"
	case strings.Contains(url, "//"):
		return "must not contain double slash"
	case wildcards > 1 || wildcards == 1 && !strings.HasSuffix(url, "/*"):
		return "wildcard can only do suffix matching"
	}
	return ""
}
