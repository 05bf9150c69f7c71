// Package authentication says whose a bearer token is. Its subpackage
// serviceaccount knows the tokens that the cluster itself issues; those of the
// surroundings are passed in.
package authentication

import (
	"context"
	"slices"
	"strings"

	"tidepool.dev/tidepool/engine/api/identity"
)

// Token says whose a bearer token is, and for which of the wanted audiences it
// is meant: those of the API server if none is named. false where it is not
// valid, or for none of them.
type Token func(ctx context.Context, token string, audiences []string) (identity.User, []string, bool)

// Any takes a token that one of the authenticators takes.
func Any(authenticators ...Token) Token {
	return func(ctx context.Context, token string, audiences []string) (identity.User, []string, bool) {
		for _, authenticate := range authenticators {
			if user, forWhom, ok := authenticate(ctx, token, audiences); ok {
				return user, forWhom, true
			}
		}
		return identity.User{}, nil, false
	}
}

// Audience is that of the API server, and the issuer of its tokens.
const Audience = "https://kubernetes.default.svc.cluster.local"

// Static makes an authenticator of one that knows tokens, but no audiences:
// they are meant for that of the API server.
func Static(user func(token string) (identity.User, bool)) Token {
	return func(_ context.Context, token string, audiences []string) (identity.User, []string, bool) {
		own := []string{Audience}
		if audiences == nil {
			audiences = own
		}
		common := Common(audiences, own)
		if len(common) == 0 {
			return identity.User{}, nil, false
		}
		found, ok := user(token)
		return found, common, ok
	}
}

// Common are the wanted audiences that there are.
func Common(wanted, present []string) []string {
	var common []string
	for _, audience := range wanted {
		if slices.Contains(present, audience) {
			common = append(common, audience)
		}
	}
	return common
}

// BearerToken returns the token in an Authorization header; false if it has
// none.
func BearerToken(header string) (string, bool) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(header), " ")
	token = strings.TrimSpace(token)
	return token, ok && token != "" && strings.EqualFold(scheme, "Bearer")
}
