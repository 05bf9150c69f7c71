package reviews

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/store"
)

// token says whose a bearer token is.
func (c Config) token(ctx context.Context, _ identity.User, r *authenticationv1.TokenReview) (store.Object, error) {
	if r.Spec.Token == "" {
		return nil, apierrors.NewBadRequest("token is required for TokenReview in authentication")
	}
	audiences := r.Spec.Audiences
	if len(audiences) == 0 {
		audiences = []string{authentication.Audience}
	}
	user, forWhom, ok := c.Token(ctx, r.Spec.Token, audiences)
	r.Status = authenticationv1.TokenReviewStatus{Authenticated: ok}
	if !ok {
		r.Status.Error = "invalid bearer token"
		return r, nil
	}
	r.Status.User, r.Status.Audiences = user.Authenticated().Info(), forWhom
	return r, nil
}

// self says who asks.
func (c Config) self(_ context.Context, user identity.User, _ *authenticationv1.SelfSubjectReview) (store.Object, error) {
	return &authenticationv1.SelfSubjectReview{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(c.Clock.Now().Truncate(1e9))},
		Status:     authenticationv1.SelfSubjectReviewStatus{UserInfo: user.Info()},
	}, nil
}
