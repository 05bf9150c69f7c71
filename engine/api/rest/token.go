package rest

import (
	"context"
	"errors"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Tokens issues the tokens of service accounts: the subresource token. Issue
// takes the request over and returns it answered.
type Tokens interface {
	Issue(ctx context.Context, namespace, account string, request *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error)
}

// SetTokens says who issues tokens; it is called before the first is asked for.
func (o *Operations) SetTokens(tokens Tokens) { o.tokens = tokens }

// IssueToken returns the request for a token of a service account, answered.
func (o *Operations) IssueToken(ctx context.Context, namespace, account string, request *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error) {
	if o.tokens == nil {
		return nil, apierrors.NewInternalError(errors.New("this cluster issues no tokens"))
	}
	return o.tokens.Issue(ctx, namespace, account, request)
}
