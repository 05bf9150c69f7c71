package admission

import (
	"context"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// exempt requests are about what configures admission itself: it must stay
// possible to undo what refuses everything.
func (r *Request) exempt() bool {
	return r.Kind.Group == admissionregistrationv1.GroupName
}

// resources are the group versions in which the request's resource is served,
// the stored one first.
func (r *Request) resources() []schema.GroupVersionResource {
	all := []schema.GroupVersionResource{r.Kind.GroupVersion().WithResource(r.Kind.Plural)}
	for i := range r.Kind.Versions {
		all = append(all, r.Kind.Versions[i].GroupVersion().WithResource(r.Kind.Plural))
	}
	return all
}

// matchRule reports whether a rule is about a request. Unless the policy is
// exact, it also is if it names another version of the resource.
func matchRule(r *Request, rule *admissionregistrationv1.RuleWithOperations, exact bool) bool {
	if !slices.Contains(rule.Operations, admissionregistrationv1.OperationAll) &&
		!slices.Contains(rule.Operations, admissionregistrationv1.OperationType(r.Operation)) {
		return false
	}
	if scope := rule.Scope; scope != nil && *scope != admissionregistrationv1.AllScopes &&
		r.Kind.Namespaced != (*scope == admissionregistrationv1.NamespacedScope) {
		return false
	}
	resources := r.resources()
	if exact {
		resources = resources[:1]
	}
	for _, resource := range resources {
		if anyOf(rule.APIGroups, resource.Group) && anyOf(rule.APIVersions, resource.Version) && matchResource(rule.Resources, resource.Resource, r.Subresource) {
			return true
		}
	}
	return false
}

func anyOf(wanted []string, value string) bool {
	return slices.Contains(wanted, "*") || slices.Contains(wanted, value)
}

func matchResource(wanted []string, resource, subresource string) bool {
	return slices.ContainsFunc(wanted, func(entry string) bool {
		name, sub, _ := strings.Cut(entry, "/")
		return (name == "*" || name == resource) && (sub == "*" || sub == subresource)
	})
}

func isExact(policy *admissionregistrationv1.MatchPolicyType) bool {
	return policy == nil || *policy == admissionregistrationv1.Exact
}

// matchNamed reports whether any rule of a policy is about a request.
func matchNamed(r *Request, rules []admissionregistrationv1.NamedRuleWithOperations, policy *admissionregistrationv1.MatchPolicyType) bool {
	for i := range rules {
		rule := &rules[i]
		if matchRule(r, &rule.RuleWithOperations, isExact(policy)) && (len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, r.Name)) {
			return true
		}
	}
	return false
}

// matches reports whether a policy or a binding is about a request.
func (r *Request) matches(ctx context.Context, look lookup, match *admissionregistrationv1.MatchResources) (bool, error) {
	if match == nil {
		return true, nil
	}
	if matchNamed(r, match.ExcludeResourceRules, match.MatchPolicy) ||
		len(match.ResourceRules) > 0 && !matchNamed(r, match.ResourceRules, match.MatchPolicy) {
		return false, nil
	}
	return r.selected(ctx, look, match.NamespaceSelector, match.ObjectSelector)
}

// selected reports whether selectors select the request's namespace and its
// object, before or after the change.
func (r *Request) selected(ctx context.Context, look lookup, namespaces, objects *metav1.LabelSelector) (bool, error) {
	inNamespace, err := metav1.LabelSelectorAsSelector(namespaces)
	if err != nil {
		return false, err
	}
	if namespaces != nil && !inNamespace.Empty() {
		set, scoped, err := r.namespaceLabels(ctx, look)
		if err != nil || scoped && !inNamespace.Matches(set) {
			return false, err
		}
	}
	ofObject, err := metav1.LabelSelectorAsSelector(objects)
	if err != nil || objects == nil || ofObject.Empty() {
		return err == nil, err
	}
	return r.Object != nil && ofObject.Matches(labels.Set(r.Object.GetLabels())) ||
		r.Old != nil && ofObject.Matches(labels.Set(r.Old.GetLabels())), nil
}

// namespaceLabels are those of the request's namespace, or of the one that it
// is about; other cluster-scoped objects are in none.
func (r *Request) namespaceLabels(ctx context.Context, look lookup) (set labels.Set, scoped bool, err error) {
	if r.Kind.Group == "" && r.Kind.Kind == "Namespace" {
		if r.Object != nil {
			return r.Object.GetLabels(), true, nil
		}
		return r.Old.GetLabels(), true, nil
	}
	namespace, err := r.namespace(ctx, look)
	if err != nil || namespace == nil {
		return nil, false, err
	}
	return namespace.Labels, true, nil
}

// namespace is that of the request's object; nil for cluster-scoped ones.
func (r *Request) namespace(ctx context.Context, look lookup) (*corev1.Namespace, error) {
	if r.Namespace == "" || !r.Kind.Namespaced {
		return nil, nil
	}
	namespace, ok, err := get[*corev1.Namespace](ctx, look, "namespaces", "", r.Namespace)
	if err != nil || !ok {
		return nil, err
	}
	return namespace, nil
}
