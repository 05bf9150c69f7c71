// Package reviews are the kinds that are questions about identity and access:
// who am I, whose token is that, may somebody do this, what may I do. They are
// created, answered in their status and not stored
// (k8s.io/kubernetes/pkg/registry/authentication and .../authorization
// upstream).
package reviews

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Config knows the answers; nil functions allow everything, know no token and
// no rule.
type Config struct {
	Clock     clock.Clock
	Authorize authorization.Authorizer
	Token     authentication.Token
	// Rules are all that a user has in a namespace.
	Rules func(ctx context.Context, user identity.User, namespace string) ([]rbacv1.PolicyRule, error)
}

// Review is one kind of question.
type Review struct {
	*kind.Kind
	// Answer returns the user's question with its answer.
	Answer func(ctx context.Context, user identity.User, question store.Object) (store.Object, error)
}

// All are the questions.
func All(c Config) []Review {
	if c.Authorize == nil {
		c.Authorize = func(context.Context, identity.User, authorization.Attributes) (bool, string) { return true, "" }
	}
	if c.Token == nil {
		c.Token = authentication.Any()
	}
	if c.Rules == nil {
		c.Rules = func(context.Context, identity.User, string) ([]rbacv1.PolicyRule, error) { return nil, nil }
	}
	authn, authz := authenticationv1.SchemeGroupVersion, authorizationv1.SchemeGroupVersion
	return []Review{
		review(authn.WithKind("TokenReview"), "tokenreview", false, c.token),
		review(authn.WithKind("SelfSubjectReview"), "selfsubjectreview", false, c.self),
		review(authz.WithKind("SubjectAccessReview"), "subjectaccessreview", false, c.access),
		review(authz.WithKind("LocalSubjectAccessReview"), "localsubjectaccessreview", true, c.localAccess),
		review(authz.WithKind("SelfSubjectAccessReview"), "selfsubjectaccessreview", false, c.selfAccess),
		review(authz.WithKind("SelfSubjectRulesReview"), "selfsubjectrulesreview", false, c.rules),
	}
}

// Kinds are the kinds of all questions.
func Kinds() []*kind.Kind {
	var kinds []*kind.Kind
	for _, r := range All(Config{}) {
		kinds = append(kinds, r.Kind)
	}
	return kinds
}

// review declares a kind T.
func review[T any, P interface {
	*T
	store.Object
}](gvk schema.GroupVersionKind, singular string, namespaced bool, answer func(context.Context, identity.User, P) (store.Object, error)) Review {
	return Review{
		Kind: &kind.Kind{
			GroupVersionKind: gvk,
			Plural:           singular + "s",
			Singular:         singular,
			Namespaced:       namespaced,
			New:              func() store.Object { return P(new(T)) },
			NoVerbs:          []string{"get", "list", "watch", "update", "patch", "delete", "deletecollection"},
		},
		Answer: func(ctx context.Context, user identity.User, question store.Object) (store.Object, error) {
			answered, err := answer(ctx, user, question.(P))
			if err != nil {
				return nil, err
			}
			answered.GetObjectKind().SetGroupVersionKind(gvk)
			return answered, nil
		},
	}
}
