package reviews

import (
	"context"
	"slices"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// access says whether somebody may do something.
func (c Config) access(ctx context.Context, _ identity.User, r *authorizationv1.SubjectAccessReview) (store.Object, error) {
	if err := invalid("SubjectAccessReview", validation.SubjectAccessReview(r)); err != nil {
		return nil, err
	}
	r.Status = c.ask(ctx, userOf(r.Spec), r.Spec.ResourceAttributes, r.Spec.NonResourceAttributes)
	return r, nil
}

// localAccess is access within one namespace.
func (c Config) localAccess(ctx context.Context, _ identity.User, r *authorizationv1.LocalSubjectAccessReview) (store.Object, error) {
	if err := invalid("LocalSubjectAccessReview", validation.LocalSubjectAccessReview(r)); err != nil {
		return nil, err
	}
	r.Status = c.ask(ctx, userOf(r.Spec), r.Spec.ResourceAttributes, r.Spec.NonResourceAttributes)
	return r, nil
}

// selfAccess says whether the one who asks may do something.
func (c Config) selfAccess(ctx context.Context, user identity.User, r *authorizationv1.SelfSubjectAccessReview) (store.Object, error) {
	if err := invalid("SelfSubjectAccessReview", validation.SelfSubjectAccessReview(r)); err != nil {
		return nil, err
	}
	r.Status = c.ask(ctx, user, r.Spec.ResourceAttributes, r.Spec.NonResourceAttributes)
	return r, nil
}

func invalid(kind string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: authorizationv1.GroupName, Kind: kind}, "", errs)
}

func userOf(spec authorizationv1.SubjectAccessReviewSpec) identity.User {
	user := identity.User{Name: spec.User, UID: spec.UID, Groups: spec.Groups}
	for key, values := range spec.Extra {
		if user.Extra == nil {
			user.Extra = map[string][]string{}
		}
		user.Extra[key] = values
	}
	return user
}

func (c Config) ask(ctx context.Context, user identity.User, resource *authorizationv1.ResourceAttributes, other *authorizationv1.NonResourceAttributes) authorizationv1.SubjectAccessReviewStatus {
	var a authorization.Attributes
	if resource != nil {
		a = resourceAttributes(resource)
	} else {
		a = authorization.Attributes{Verb: other.Verb, Path: other.Path}
	}
	allowed, reason := c.Authorize(ctx, user, a)
	return authorizationv1.SubjectAccessReviewStatus{Allowed: allowed, Reason: reason}
}

func resourceAttributes(in *authorizationv1.ResourceAttributes) authorization.Attributes {
	a := authorization.Attributes{
		Verb:                 in.Verb,
		GroupVersionResource: schema.GroupVersionResource{Group: in.Group, Version: in.Version, Resource: in.Resource},
		Subresource:          in.Subresource,
		Namespace:            in.Namespace,
		Name:                 in.Name,
	}
	if in.FieldSelector != nil {
		a.Fields = fieldSelector(in.FieldSelector)
	}
	return a
}

// fieldSelector leaves out what it can't read: that only makes the question
// broader.
func fieldSelector(in *authorizationv1.FieldSelectorAttributes) fields.Selector {
	if in.RawSelector != "" {
		selector, err := fields.ParseSelector(in.RawSelector)
		if err != nil {
			return nil
		}
		return selector
	}
	var terms []fields.Selector
	for _, r := range in.Requirements {
		switch {
		case len(r.Values) != 1:
		case r.Operator == metav1.FieldSelectorOpIn:
			terms = append(terms, fields.OneTermEqualSelector(r.Key, r.Values[0]))
		case r.Operator == metav1.FieldSelectorOpNotIn:
			terms = append(terms, fields.OneTermNotEqualSelector(r.Key, r.Values[0]))
		}
	}
	return fields.AndSelectors(terms...)
}

// rules says all that the one who asks may do in a namespace.
func (c Config) rules(ctx context.Context, user identity.User, r *authorizationv1.SelfSubjectRulesReview) (store.Object, error) {
	if r.Spec.Namespace == "" {
		return nil, apierrors.NewBadRequest("no namespace on request")
	}
	answer := &authorizationv1.SelfSubjectRulesReview{Status: authorizationv1.SubjectRulesReviewStatus{
		ResourceRules:    []authorizationv1.ResourceRule{},
		NonResourceRules: []authorizationv1.NonResourceRule{},
	}}
	rules, err := c.Rules(ctx, user, r.Spec.Namespace)
	for _, rule := range rules {
		if len(rule.Resources) > 0 {
			answer.Status.ResourceRules = append(answer.Status.ResourceRules, authorizationv1.ResourceRule{
				Verbs: slices.Clone(rule.Verbs), APIGroups: slices.Clone(rule.APIGroups),
				Resources: slices.Clone(rule.Resources), ResourceNames: slices.Clone(rule.ResourceNames),
			})
		}
		if len(rule.NonResourceURLs) > 0 {
			answer.Status.NonResourceRules = append(answer.Status.NonResourceRules, authorizationv1.NonResourceRule{
				Verbs: slices.Clone(rule.Verbs), NonResourceURLs: slices.Clone(rule.NonResourceURLs),
			})
		}
	}
	if err != nil {
		answer.Status.EvaluationError = err.Error()
	}
	if _, isNode := identity.NodeOf(user); isNode { // what its pods need, it may too
		answer.Status.Incomplete = true
		answer.Status.EvaluationError = "node authorizer does not support user rule resolution"
	}
	return answer, nil
}
