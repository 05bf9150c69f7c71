package endpoints

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
)

// impersonate returns the user that the request's headers name, if whoever
// makes the request may act as that user; without such headers the user stays
// (k8s.io/apiserver/pkg/endpoints/filters/impersonation upstream, with the
// constrained modes, which are on by default since Kubernetes 1.36).
func (q *request) impersonate(user identity.User, wants authorization.Attributes) (identity.User, error) {
	wanted, err := q.impersonated()
	if err != nil || wanted.Name == "" {
		return user, err
	}
	var first error
	for _, mode := range impersonationModes {
		if !mode.fits(user, wanted) {
			continue
		}
		i := impersonation{request: q, mode: mode, by: user, as: wanted}
		as, err := i.check(wants)
		if err == nil {
			q.impersonator = &user
			if i.constrained() {
				q.trail.Constraint = "impersonate:" + mode.name
			}
			return as, nil
		}
		if first == nil {
			first = err
		}
	}
	return user, first
}

// impersonated is the user that the headers name.
func (q *request) impersonated() (identity.User, error) {
	headers := q.r.Header
	user := identity.User{
		Name:   headers.Get(authenticationv1.ImpersonateUserHeader),
		UID:    headers.Get(authenticationv1.ImpersonateUIDHeader),
		Groups: slices.Clone(headers.Values(authenticationv1.ImpersonateGroupHeader)),
	}
	for header, values := range headers {
		key, ok := strings.CutPrefix(header, authenticationv1.ImpersonateUserExtraHeaderPrefix)
		if !ok {
			continue
		}
		key = strings.ToLower(key)
		if unescaped, err := url.PathUnescape(key); err == nil {
			key = unescaped
		}
		if user.Extra == nil {
			user.Extra = map[string][]string{}
		}
		user.Extra[key] = append(user.Extra[key], values...)
	}
	if user.Name == "" && (user.UID != "" || len(user.Groups) > 0 || user.Extra != nil) {
		return user, apierrors.NewBadRequest(fmt.Sprintf(
			"requested &user.DefaultInfo{Name:%q, UID:%q, Groups:%#v, Extra:%#v} without impersonating a user name",
			user.Name, user.UID, user.Groups, user.Extra))
	}
	return user, nil
}

// impersonationMode is one way to be allowed to act as somebody else.
type impersonationMode struct {
	// name is empty for the unconstrained mode.
	name string
	// fits says whether the mode is for such users at all.
	fits func(by, as identity.User) bool
}

var impersonationModes = []impersonationMode{
	{"associated-node", func(by, as identity.User) bool {
		node, ok := nodeOf(as)
		_, _, isAccount := identity.SplitServiceAccount(by.Name)
		on := by.Extra[identity.NodeNameKey]
		return ok && onlyNamed(as) && isAccount && len(on) == 1 && on[0] == node
	}},
	{"arbitrary-node", func(_, as identity.User) bool {
		_, ok := nodeOf(as)
		return ok && onlyNamed(as)
	}},
	{"serviceaccount", func(_, as identity.User) bool {
		_, _, ok := identity.SplitServiceAccount(as.Name)
		return ok && onlyNamed(as)
	}},
	{"user-info", func(_, as identity.User) bool {
		_, isNode := nodeOf(as)
		_, _, isAccount := identity.SplitServiceAccount(as.Name)
		return !isNode && !isAccount
	}},
	{"", func(_, _ identity.User) bool { return true }},
}

func onlyNamed(user identity.User) bool {
	return user.UID == "" && len(user.Groups) == 0 && len(user.Extra) == 0
}

func nodeOf(user identity.User) (string, bool) {
	name, ok := strings.CutPrefix(user.Name, identity.NodePrefix)
	return name, ok && len(validation.IsDNS1123Subdomain(name)) == 0
}

// impersonation is an attempt of one user to act as another in one mode.
type impersonation struct {
	*request
	mode   impersonationMode
	by, as identity.User
}

func (i impersonation) constrained() bool { return i.mode.name != "" }

func (i impersonation) check(wants authorization.Attributes) (identity.User, error) {
	if i.constrained() {
		wants.Verb = "impersonate-on:" + i.mode.name + ":" + wants.Verb
		if err := i.authorize(i.by, wants); err != nil {
			return i.by, err
		}
	}
	as := i.as
	groups, err := i.mayUseName()
	if err != nil {
		return i.by, err
	}
	if len(as.Groups) == 0 {
		as.Groups = groups
	}
	if as.UID != "" {
		if err := i.may(authenticationv1.SchemeGroupVersion, "uids", "", "", as.UID); err != nil {
			return i.by, err
		}
	}
	if err := i.mayUseGroups(); err != nil {
		return i.by, err
	}
	if err := i.mayUseExtra(); err != nil {
		return i.by, err
	}
	switch {
	case as.Name == identity.Anonymous:
		if !as.In(identity.AllUnauthenticated) {
			as.Groups = append(slices.Clip(as.Groups), identity.AllUnauthenticated)
		}
	case !as.In(identity.AllUnauthenticated):
		as = as.Authenticated()
	}
	return as, nil
}

// names is the group version of users and groups.
func (i impersonation) names() schema.GroupVersion {
	if i.constrained() {
		return authenticationv1.SchemeGroupVersion
	}
	return corev1.SchemeGroupVersion
}

// mayUseName also returns the groups that a user of such a name always has.
func (i impersonation) mayUseName() ([]string, error) {
	if namespace, name, ok := identity.SplitServiceAccount(i.as.Name); ok {
		return identity.ServiceAccountGroups(namespace), i.may(i.names(), "serviceaccounts", "", namespace, name)
	}
	if node, ok := nodeOf(i.as); ok && i.constrained() {
		if i.mode.name == "associated-node" {
			node = "*"
		}
		return []string{identity.Nodes}, i.may(i.names(), "nodes", "", "", node)
	}
	return nil, i.may(i.names(), "users", "", "", i.as.Name)
}

// many values are asked for at once before they are asked for one by one.
const many = 4

func (i impersonation) mayUseGroups() error {
	groups := i.as.Groups
	if i.constrained() {
		a := i.attributesOf(i.names(), "groups", "", "", "")
		if slices.Contains(groups, "") {
			return i.refuse(a, "impersonating the empty string group is not allowed")
		}
		if a.Name = identity.Masters; slices.Contains(groups, a.Name) {
			return i.refuse(a, "impersonating the system:masters group is not allowed")
		}
		if len(groups) >= many && i.may(i.names(), "groups", "", "", "*") == nil {
			return nil
		}
	}
	for _, group := range groups {
		if err := i.may(i.names(), "groups", "", "", group); err != nil {
			return err
		}
	}
	return nil
}

func (i impersonation) mayUseExtra() error {
	keys := slices.Sorted(maps.Keys(i.as.Extra))
	if i.constrained() {
		count := 0
		for _, key := range keys {
			count += len(i.as.Extra[key])
			if err := validateExtra(key, i.as.Extra[key]); err != nil {
				return i.refuse(i.attributesOf(authenticationv1.SchemeGroupVersion, "userextras", "", "", ""), err.Error())
			}
		}
		if max(count, len(keys)) >= many && i.may(authenticationv1.SchemeGroupVersion, "userextras", "*", "", "*") == nil {
			return nil
		}
	}
	for _, key := range keys {
		for _, value := range i.as.Extra[key] {
			if err := i.may(authenticationv1.SchemeGroupVersion, "userextras", key, "", value); err != nil {
				return err
			}
		}
	}
	return nil
}

func validateExtra(key string, values []string) error {
	if key == "" {
		return errors.New("impersonating the empty string key in extra is not allowed")
	}
	if err := validation.IsDomainPrefixedPath(field.NewPath("extra", "key"), key).ToAggregate(); err != nil {
		return fmt.Errorf("impersonating an invalid key in extra is not allowed: %w", err)
	}
	if len(values) == 0 {
		return errors.New("impersonating empty values in extra is not allowed")
	}
	if slices.Contains(values, "") {
		return errors.New("impersonating the empty string value in extra is not allowed")
	}
	return nil
}

func (i impersonation) attributesOf(gv schema.GroupVersion, resource, subresource, namespace, name string) authorization.Attributes {
	verb := "impersonate"
	if i.constrained() {
		verb += ":" + i.mode.name
	}
	return authorization.Attributes{
		Verb: verb, GroupVersionResource: gv.WithResource(resource), Subresource: subresource, Namespace: namespace, Name: name,
	}
}

func (i impersonation) may(gv schema.GroupVersion, resource, subresource, namespace, name string) error {
	return i.authorize(i.by, i.attributesOf(gv, resource, subresource, namespace, name))
}

func (i impersonation) refuse(a authorization.Attributes, reason string) error {
	return apierrors.NewForbidden(a.GroupResource(), a.Name, errors.New(authorization.Denial(i.by, a, reason)))
}
