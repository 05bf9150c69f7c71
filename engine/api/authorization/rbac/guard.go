package rbac

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/component-helpers/auth/rbac/validation"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/store"
)

// Guard keeps users from giving away permissions that they don't have
// (k8s.io/kubernetes/pkg/registry/rbac/*/policybased upstream).
type Guard struct {
	Policy    *Policy
	Authorize authorization.Authorizer
}

// Check is called before a user's object is written. It has an opinion on roles
// and bindings only, and none on those that the engine's own components write.
func (g Guard) Check(ctx context.Context, r *admission.Request) error {
	obj, old := r.Object, r.Old
	user, ok := identity.From(ctx)
	if !ok || user.In(identity.Masters) {
		return nil
	}
	switch obj := obj.(type) {
	case *rbacv1.Role:
		return g.role(ctx, user, "roles", obj, old, obj.Rules, false)
	case *rbacv1.ClusterRole:
		was, _ := old.(*rbacv1.ClusterRole)
		return g.role(ctx, user, "clusterroles", obj, old, obj.Rules, aggregates(obj) || aggregates(was))
	case *rbacv1.RoleBinding:
		return g.binding(ctx, user, "rolebindings", obj, old, obj.RoleRef)
	case *rbacv1.ClusterRoleBinding:
		return g.binding(ctx, user, "clusterrolebindings", obj, old, obj.RoleRef)
	}
	return nil
}

func aggregates(role *rbacv1.ClusterRole) bool {
	return role != nil && role.AggregationRule != nil && len(role.AggregationRule.ClusterRoleSelectors) > 0
}

// everything is what somebody must have who gathers rules that are not known
// yet.
var everything = []rbacv1.PolicyRule{
	{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}},
	{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}},
}

func (g Guard) role(ctx context.Context, user identity.User, resource string, obj, old store.Object, rules []rbacv1.PolicyRule, aggregates bool) error {
	escalate := authorization.Attributes{
		Verb:                 "escalate",
		GroupVersionResource: rbacv1.SchemeGroupVersion.WithResource(resource),
		Namespace:            obj.GetNamespace(),
	}
	if old != nil {
		escalate.Name = obj.GetName()
	}
	if allowed, _ := g.Authorize(ctx, user, escalate); allowed || old != nil && onlyForCollection(obj, old) {
		return nil
	}
	err := g.confirm(ctx, user, obj.GetNamespace(), rules)
	if err == nil && aggregates && g.confirm(ctx, user, obj.GetNamespace(), everything) != nil {
		err = errors.New("must have cluster-admin privileges to use the aggregationRule")
	}
	if err != nil {
		return apierrors.NewForbidden(rbacv1.Resource(resource), obj.GetName(), err)
	}
	return nil
}

func (g Guard) binding(ctx context.Context, user identity.User, resource string, obj, old store.Object, ref rbacv1.RoleRef) error {
	if old != nil && onlyForCollection(obj, old) {
		return nil
	}
	bind := authorization.Attributes{Verb: "bind", Namespace: obj.GetNamespace(), Name: ref.Name}
	bind.Group, bind.Version = ref.APIGroup, "*"
	switch ref.Kind {
	case "ClusterRole":
		bind.Resource = "clusterroles"
	case "Role":
		bind.Resource = "roles"
	}
	if bind.Resource != "" {
		if allowed, _ := g.Authorize(ctx, user, bind); allowed {
			return nil
		}
	}
	if err := g.Policy.sync(ctx); err != nil {
		return apierrors.NewInternalError(err)
	}
	rules, err := g.Policy.rulesOf(ref, obj.GetNamespace())
	if err != nil {
		return err
	}
	if err := g.confirm(ctx, user, obj.GetNamespace(), rules); err != nil {
		return apierrors.NewForbidden(rbacv1.Resource(resource), obj.GetName(), err)
	}
	return nil
}

// onlyForCollection says whether an update changes nothing but what garbage
// collection needs to delete the object.
func onlyForCollection(obj, old store.Object) bool {
	copied := obj.DeepCopyObject().(store.Object)
	copied.SetOwnerReferences(old.GetOwnerReferences())
	copied.SetFinalizers(old.GetFinalizers())
	copied.SetManagedFields(old.GetManagedFields())
	return equality.Semantic.DeepEqual(copied, old)
}

// confirm says which of the rules the user does not have.
func (g Guard) confirm(ctx context.Context, user identity.User, namespace string, rules []rbacv1.PolicyRule) error {
	owned, unknown := g.Policy.Rules(ctx, user, namespace)
	covered, missing := validation.Covers(owned, rules)
	if covered {
		return nil
	}
	var lines []string
	for _, rule := range compact(missing) {
		lines = append(lines, describe(rule))
	}
	slices.Sort(lines)
	text := fmt.Sprintf("user %q (groups=%q) is attempting to grant RBAC permissions not currently held:\n%s",
		user.Name, user.Groups, strings.Join(slices.Compact(lines), "\n"))
	if unknown != nil {
		text += fmt.Sprintf("; resolution errors: %v", []error{unknown})
	}
	return errors.New(text)
}

// compact joins rules that differ in their verbs only.
func compact(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var joined []rbacv1.PolicyRule
	at := map[string]int{}
	for _, rule := range rules {
		if len(rule.NonResourceURLs) > 0 {
			joined = append(joined, rule)
			continue
		}
		verbs := rule.Verbs
		rule.Verbs = nil
		key := describe(rule)
		if i, ok := at[key]; ok {
			joined[i].Verbs = append(joined[i].Verbs, verbs...)
			continue
		}
		rule.Verbs = slices.Clone(verbs)
		at[key] = len(joined)
		joined = append(joined, rule)
	}
	return joined
}

// describe is k8s.io/kubernetes/pkg/apis/rbac/v1.CompactString.
func describe(rule rbacv1.PolicyRule) string {
	var parts []string
	add := func(name string, values []string) {
		if len(values) > 0 {
			parts = append(parts, fmt.Sprintf("%s:%q", name, values))
		}
	}
	add("APIGroups", rule.APIGroups)
	add("Resources", rule.Resources)
	add("NonResourceURLs", rule.NonResourceURLs)
	add("ResourceNames", rule.ResourceNames)
	add("Verbs", rule.Verbs)
	return "{" + strings.Join(parts, ", ") + "}"
}
