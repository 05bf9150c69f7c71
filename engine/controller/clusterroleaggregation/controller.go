// Package clusterroleaggregation is the control loop that gives a ClusterRole
// with an aggregationRule the rules of all ClusterRoles which that selects. So
// "admin", "edit" and "view" grow with what others label as a part of them.
package clusterroleaggregation

import (
	"context"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "clusterrole-aggregation-controller"

	resource = "clusterroles.rbac.authorization.k8s.io"
)

type loop struct {
	cache  *cache.Cache
	client client.Client
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client) controller.Controller {
	l := &loop{cache, client}
	return controller.Controller{
		Name:       Name,
		Watches:    []controller.Watch{{Resource: resource, Map: l.all}},
		Reconciler: l,
	}
}

// all requests every role that aggregates: any may select the changed one.
func (l *loop) all(store.Event) []controller.Request {
	var requests []controller.Request
	for _, role := range cache.List[*rbacv1.ClusterRole](l.cache, resource, "") {
		if role.AggregationRule != nil {
			requests = append(requests, controller.Request{Name: role.Name})
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	role, ok := cache.Get[*rbacv1.ClusterRole](l.cache, resource, "", request.Name)
	if !ok || role.AggregationRule == nil {
		return controller.Result{}, nil
	}
	rules, err := l.gather(role)
	if err != nil || slices.EqualFunc(rules, role.Rules, same) {
		return controller.Result{}, err
	}
	next := role.DeepCopy()
	next.Rules = rules
	_, err = l.client.Update(ctx, resource, next)
	return controller.Result{}, err
}

// gather joins the rules of the selected roles, in the order of the selectors
// and of the roles' names.
func (l *loop) gather(role *rbacv1.ClusterRole) ([]rbacv1.PolicyRule, error) {
	rules := []rbacv1.PolicyRule{}
	for i := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&role.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			return nil, err
		}
		for _, other := range cache.List[*rbacv1.ClusterRole](l.cache, resource, "") {
			if other.Name == role.Name || !selector.Matches(labels.Set(other.Labels)) {
				continue
			}
			for _, rule := range other.Rules {
				if !slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool { return same(r, rule) }) {
					rules = append(rules, *rule.DeepCopy())
				}
			}
		}
	}
	return rules, nil
}

// same compares all fields; an empty list is the same as none.
func same(a, b rbacv1.PolicyRule) bool {
	return slices.Equal(a.Verbs, b.Verbs) && slices.Equal(a.APIGroups, b.APIGroups) && slices.Equal(a.Resources, b.Resources) &&
		slices.Equal(a.ResourceNames, b.ResourceNames) && slices.Equal(a.NonResourceURLs, b.NonResourceURLs)
}
