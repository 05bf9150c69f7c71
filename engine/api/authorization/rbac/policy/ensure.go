package policy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/auth/rbac/validation"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/store"
)

// Ensure creates what is missing of Objects and gives back to the rest what it
// has lost: permissions, subjects, labels. What has been added stays, and an
// object whose annotation rbac.authorization.kubernetes.io/autoupdate is
// "false" is left alone. It is the post-start hook rbac/bootstrap-roles
// (k8s.io/kubernetes/pkg/registry/rbac/rest and
// k8s.io/component-helpers/auth/rbac/reconciliation upstream).
func Ensure(ctx context.Context, c client.Client) error {
	for _, wanted := range Objects() {
		resource := resourceOf(wanted)
		if err := ensure(ctx, c, resource, wanted); err != nil {
			return fmt.Errorf("the default %s %s: %w", resource, wanted.GetName(), err)
		}
	}
	return nil
}

func resourceOf(obj store.Object) string {
	switch obj.(type) {
	case *rbacv1.ClusterRole:
		return "clusterroles.rbac.authorization.k8s.io"
	case *rbacv1.Role:
		return "roles.rbac.authorization.k8s.io"
	case *rbacv1.ClusterRoleBinding:
		return "clusterrolebindings.rbac.authorization.k8s.io"
	}
	return "rolebindings.rbac.authorization.k8s.io"
}

func ensure(ctx context.Context, c client.Client, resource string, wanted store.Object) error {
	for {
		_, err := c.Create(ctx, resource, wanted.DeepCopyObject().(store.Object))
		if !errors.IsAlreadyExists(err) {
			return err
		}
		present, err := c.Get(ctx, resource, wanted.GetNamespace(), wanted.GetName())
		if errors.IsNotFound(err) {
			continue
		}
		if err != nil || present.GetAnnotations()[rbacv1.AutoUpdateAnnotationKey] == "false" {
			return err
		}
		if refOf(present) != refOf(wanted) { // a role reference can't be changed
			err := c.Delete(ctx, resource, wanted.GetNamespace(), wanted.GetName(), metav1.DeleteOptions{})
			if err != nil && !errors.IsNotFound(err) {
				return err
			}
			continue
		}
		next := present.DeepCopyObject().(store.Object)
		next.SetLabels(merged(wanted.GetLabels(), present.GetLabels()))
		next.SetAnnotations(merged(wanted.GetAnnotations(), present.GetAnnotations()))
		complete(next, wanted)
		if _, err = c.Update(ctx, resource, next); !errors.IsConflict(err) && !errors.IsNotFound(err) {
			return err
		}
	}
}

func refOf(obj store.Object) rbacv1.RoleRef {
	switch obj := obj.(type) {
	case *rbacv1.ClusterRoleBinding:
		return obj.RoleRef
	case *rbacv1.RoleBinding:
		return obj.RoleRef
	}
	return rbacv1.RoleRef{}
}

func merged(wanted, present map[string]string) map[string]string {
	all := maps.Clone(wanted)
	maps.Copy(all, present)
	return all
}

// complete adds to obj what it lacks of what is wanted.
func complete(obj, wanted store.Object) {
	switch obj := obj.(type) {
	case *rbacv1.ClusterRole:
		wanted := wanted.(*rbacv1.ClusterRole)
		obj.Rules = withRules(obj.Rules, wanted.Rules)
		obj.AggregationRule = withSelectors(obj.AggregationRule, wanted.AggregationRule)
	case *rbacv1.Role:
		obj.Rules = withRules(obj.Rules, wanted.(*rbacv1.Role).Rules)
	case *rbacv1.ClusterRoleBinding:
		obj.Subjects = withSubjects(obj.Subjects, wanted.(*rbacv1.ClusterRoleBinding).Subjects)
	case *rbacv1.RoleBinding:
		obj.Subjects = withSubjects(obj.Subjects, wanted.(*rbacv1.RoleBinding).Subjects)
	}
}

func withRules(present, wanted []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	_, missing := validation.Covers(present, wanted)
	return append(present, missing...)
}

// withSelectors takes an aggregation away where none is wanted.
func withSelectors(present, wanted *rbacv1.AggregationRule) *rbacv1.AggregationRule {
	if present == nil || wanted == nil {
		return wanted
	}
	for _, selector := range wanted.ClusterRoleSelectors {
		same := func(other metav1.LabelSelector) bool { return equality.Semantic.DeepEqual(selector, other) }
		if !slices.ContainsFunc(present.ClusterRoleSelectors, same) {
			present.ClusterRoleSelectors = append(present.ClusterRoleSelectors, selector)
		}
	}
	return present
}

func withSubjects(present, wanted []rbacv1.Subject) []rbacv1.Subject {
	for _, subject := range wanted {
		if !slices.Contains(present, subject) {
			present = append(present, subject)
		}
	}
	return present
}
