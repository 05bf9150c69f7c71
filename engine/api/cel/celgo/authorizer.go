package celgo

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"tidepool.dev/tidepool/engine/api/cel"
)

// authorizerOf shows a cluster's authorizer to upstream's library. Without one,
// everything is refused.
func authorizerOf(authorize cel.Authorize) authorizer.UnconditionalAuthorizer {
	return questions{authorize}
}

type questions struct{ authorize cel.Authorize }

func (q questions) Authorize(ctx context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	if q.authorize == nil {
		return authorizer.DecisionNoOpinion, "", nil
	}
	review := authorizationv1.SubjectAccessReviewSpec{
		User: a.GetUser().GetName(), UID: a.GetUser().GetUID(), Groups: a.GetUser().GetGroups(),
		Extra: map[string]authorizationv1.ExtraValue{},
	}
	for key, values := range a.GetUser().GetExtra() {
		review.Extra[key] = authorizationv1.ExtraValue(authenticationv1.ExtraValue(values))
	}
	if a.IsResourceRequest() {
		review.ResourceAttributes = &authorizationv1.ResourceAttributes{
			Namespace: a.GetNamespace(), Verb: a.GetVerb(), Group: a.GetAPIGroup(), Version: a.GetAPIVersion(),
			Resource: a.GetResource(), Subresource: a.GetSubresource(), Name: a.GetName(),
		}
	} else {
		review.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: a.GetPath(), Verb: a.GetVerb()}
	}
	allowed, reason, err := q.authorize(ctx, review)
	if allowed {
		return authorizer.DecisionAllow, reason, err
	}
	return authorizer.DecisionNoOpinion, reason, err
}
