package controlplane

import (
	"context"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authentication/jwt"
	"tidepool.dev/tidepool/engine/api/authentication/serviceaccount"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/authorization/rbac"
	"tidepool.dev/tidepool/engine/api/certificates"
	"tidepool.dev/tidepool/engine/api/rest"
)

// access is who may do what, and who issues the tokens by which clients say who
// they are.
type access struct {
	roles     *rbac.Policy
	authorize authorization.Authorizer
	tokens    *serviceaccount.Issuer
	authority certificates.Authority
}

// newAccess also sets the API's hooks for authentication and authorization. A
// key that is not given is drawn at random.
func newAccess(ctx context.Context, config *Config) (*access, error) {
	roles, err := rbac.New(ctx, config.Store)
	if err != nil {
		return nil, err
	}
	hooks := &config.API
	if hooks.Key == nil {
		hooks.Key = jwt.FromRandom(config.Random)
	}
	a := &access{
		roles:     roles,
		authority: config.Authority,
		authorize: authorization.AnyOf(authorization.Masters, roles.Authorize),
		tokens:    &serviceaccount.Issuer{Store: config.Store, Clock: config.Clock, Random: config.Random, Key: hooks.Key},
	}
	hooks.Authorize, hooks.Rules = a.authorize, roles.Rules
	if hooks.Token == nil {
		hooks.Token = a.tokens.Authenticate
	} else {
		hooks.Token = authentication.Any(hooks.Token, a.tokens.Authenticate)
	}
	return a, nil
}

// protect lets users write only what they may, and lets them have tokens.
func (a *access) protect(operations *rest.Operations) {
	operations.SetGuard(
		rbac.Guard{Policy: a.roles, Authorize: a.authorize}.Check,
		certificates.Guard{Authority: a.authority, Authorize: a.authorize}.Check,
	)
	operations.SetTokens(a.tokens)
}
