// Package rbac allows what roles allow that are bound to a user, directly, by
// one of its groups or as a service account
// (k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac upstream). It also keeps
// users from granting each other more than they have themselves.
package rbac

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/store"
)

// The resources that policy is made of.
const (
	Roles               = "roles.rbac.authorization.k8s.io"
	ClusterRoles        = "clusterroles.rbac.authorization.k8s.io"
	RoleBindings        = "rolebindings.rbac.authorization.k8s.io"
	ClusterRoleBindings = "clusterrolebindings.rbac.authorization.k8s.io"
)

// Policy is the roles and bindings of a cluster. It is safe for concurrent use.
type Policy struct {
	mu     sync.Mutex // held while news are read
	synced bool       // the state at the start has been read
	cache  *cache.Cache
}

// New returns the policy that is in a store. It is always as new as the store's
// watch, so that who has just been given a role can use it.
func New(ctx context.Context, s store.Interface) (*Policy, error) {
	objects, err := cache.New(ctx, s, []string{ClusterRoles, Roles, ClusterRoleBindings, RoleBindings}, nil)
	return &Policy{cache: objects}, err
}

func (p *Policy) sync(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		news, err := p.cache.Sync(ctx)
		if err != nil || len(news) == 0 && p.synced {
			return err
		}
		p.synced = true
	}
}

// Authorize is an authorization.Authorizer.
func (p *Policy) Authorize(ctx context.Context, user identity.User, a authorization.Attributes) (bool, string) {
	var allowedBy string
	var errs []error
	p.visit(ctx, user, a.Namespace, func(by source, rules []rbacv1.PolicyRule, err error) bool {
		if err != nil {
			errs = append(errs, err)
		}
		for i := range rules {
			if allows(&rules[i], a) {
				allowedBy = by.String()
				return false
			}
		}
		return true
	})
	switch {
	case allowedBy != "":
		return true, "RBAC: allowed by " + allowedBy
	case len(errs) > 0:
		return false, fmt.Sprintf("RBAC: %v", utilerrors.NewAggregate(errs))
	}
	return false, ""
}

// Rules are all that a user has in a namespace; the error tells what could not
// be found out.
func (p *Policy) Rules(ctx context.Context, user identity.User, namespace string) ([]rbacv1.PolicyRule, error) {
	var all []rbacv1.PolicyRule
	var errs []error
	p.visit(ctx, user, namespace, func(_ source, rules []rbacv1.PolicyRule, err error) bool {
		if err != nil {
			errs = append(errs, err)
		}
		all = append(all, rules...)
		return true
	})
	return all, utilerrors.NewAggregate(errs)
}

// source is the binding that gives rules to a user.
type source struct {
	kind, name string
	ref        rbacv1.RoleRef
	subject    *rbacv1.Subject
	namespace  string
}

func (s source) String() string {
	subject := s.subject.Name
	if s.subject.Kind == rbacv1.ServiceAccountKind {
		namespace := s.subject.Namespace
		if namespace == "" {
			namespace = s.namespace
		}
		subject += "/" + namespace
	}
	return fmt.Sprintf("%s %q of %s %q to %s %q", s.kind, s.name, s.ref.Kind, s.ref.Name, s.subject.Kind, subject)
}

// visit calls f with the rules of each binding that applies to the user, or
// with the reason why they are unknown, until it returns false.
func (p *Policy) visit(ctx context.Context, user identity.User, namespace string, f func(source, []rbacv1.PolicyRule, error) bool) {
	if err := p.sync(ctx); err != nil {
		f(source{}, nil, err)
		return
	}
	for _, binding := range cache.List[*rbacv1.ClusterRoleBinding](p.cache, ClusterRoleBindings, "") {
		subject := applying(user, binding.Subjects, "")
		if subject == nil {
			continue
		}
		rules, err := p.rulesOf(binding.RoleRef, "")
		if !f(source{"ClusterRoleBinding", binding.Name, binding.RoleRef, subject, ""}, rules, err) {
			return
		}
	}
	if namespace == "" {
		return
	}
	for _, binding := range cache.List[*rbacv1.RoleBinding](p.cache, RoleBindings, namespace) {
		subject := applying(user, binding.Subjects, namespace)
		if subject == nil {
			continue
		}
		rules, err := p.rulesOf(binding.RoleRef, namespace)
		if !f(source{"RoleBinding", binding.Name + "/" + namespace, binding.RoleRef, subject, namespace}, rules, err) {
			return
		}
	}
}

func (p *Policy) rulesOf(ref rbacv1.RoleRef, namespace string) ([]rbacv1.PolicyRule, error) {
	switch ref.Kind {
	case "Role":
		if role, ok := cache.Get[*rbacv1.Role](p.cache, Roles, namespace, ref.Name); ok {
			return role.Rules, nil
		}
		return nil, errors.NewNotFound(rbacv1.Resource("role"), ref.Name)
	case "ClusterRole":
		if role, ok := cache.Get[*rbacv1.ClusterRole](p.cache, ClusterRoles, "", ref.Name); ok {
			return role.Rules, nil
		}
		return nil, errors.NewNotFound(rbacv1.Resource("clusterrole"), ref.Name)
	}
	return nil, fmt.Errorf("unsupported role reference kind: %q", ref.Kind)
}

// applying is the first of the subjects that means the user; nil if none does.
func applying(user identity.User, subjects []rbacv1.Subject, namespace string) *rbacv1.Subject {
	for i := range subjects {
		if applies(user, &subjects[i], namespace) {
			return &subjects[i]
		}
	}
	return nil
}

func applies(user identity.User, subject *rbacv1.Subject, namespace string) bool {
	switch subject.Kind {
	case rbacv1.UserKind:
		return user.Name == subject.Name
	case rbacv1.GroupKind:
		return user.In(subject.Name)
	case rbacv1.ServiceAccountKind:
		if subject.Namespace != "" {
			namespace = subject.Namespace
		}
		return namespace != "" && user.Name == identity.ServiceAccountName(namespace, subject.Name)
	}
	return false
}

func allows(rule *rbacv1.PolicyRule, a authorization.Attributes) bool {
	if !hasOr(rule.Verbs, a.Verb, rbacv1.VerbAll) {
		return false
	}
	if a.Path != "" {
		return slices.ContainsFunc(rule.NonResourceURLs, func(url string) bool { return urlCovers(url, a.Path) })
	}
	return hasOr(rule.APIGroups, a.Group, rbacv1.APIGroupAll) && resourceAllowed(rule.Resources, a) &&
		(len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, a.Name))
}

func hasOr(list []string, value, all string) bool {
	return slices.Contains(list, all) || slices.Contains(list, value)
}

func resourceAllowed(resources []string, a authorization.Attributes) bool {
	if a.Subresource == "" {
		return hasOr(resources, a.Resource, rbacv1.ResourceAll)
	}
	return hasOr(resources, a.Resource+"/"+a.Subresource, rbacv1.ResourceAll) || slices.Contains(resources, "*/"+a.Subresource)
}

func urlCovers(url, path string) bool {
	return url == path || strings.HasSuffix(url, "*") && strings.HasPrefix(path, strings.TrimRight(url, "*"))
}
