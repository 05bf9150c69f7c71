// Package api is the Kubernetes API of one cluster, assembled: the served
// kinds, their operations over a store (engine/api/rest), and both ways to
// reach them: a client in the same process, and HTTP (engine/api/endpoints).
package api

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authentication/jwt"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/logs"
	"tidepool.dev/tidepool/engine/api/openapi"
	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Config is what an API server is made of. Store, Clock, Random and Kinds are
// required; Random must be safe for concurrent use. The hooks are explained at
// endpoints.Config.
type Config struct {
	Store  store.Interface
	Clock  clock.Clock
	Random *rand.Rand
	Kinds  []*kind.Kind

	Panicked      func(r *http.Request, reason any, stack []byte)
	Do            func(func())
	Logs          logs.Source
	Remote        remote.Source
	Carrier       endpoints.Carrier
	OpenAPI       openapi.Source
	EncodeOpenAPI func([]byte) ([]byte, error)
	Authenticate  func(*http.Request) (identity.User, bool, error)
	Token         authentication.Token
	Key           *jwt.Key
	Authorize     authorization.Authorizer
	Rules         func(ctx context.Context, user identity.User, namespace string) ([]rbacv1.PolicyRule, error)
	Observe       func(Observed)
	Limits        endpoints.Limits
	Turns         func(ready func()) endpoints.Turn
	Compress      func(io.Writer) io.WriteCloser
	Checks        []endpoints.Check
	// CEL evaluates the expressions of policies, webhooks and custom resources,
	// and Call calls webhooks; each may be nil.
	CEL  cel.Evaluator
	Call admission.Caller
}

// Observed is an operation that a client asked for over HTTP.
type Observed = endpoints.Observed

// Server is a cluster's API. It is an http.Handler and safe for concurrent use.
type Server struct {
	*endpoints.Handler
	operations *rest.Operations
}

// New returns an API server. The objects that every cluster has are there once
// Operations().Bootstrap has been called.
func New(config Config) (*Server, error) {
	if config.Store == nil || config.Clock == nil || config.Random == nil || len(config.Kinds) == 0 {
		return nil, errors.New("api: Store, Clock, Random and Kinds are required")
	}
	operations := rest.New(config.Store, config.Clock, config.Random, config.Kinds)
	operations.SetPolicies(config.CEL, config.Call, answers(config.Authorize))
	handler := endpoints.New(endpoints.Config{
		Operations:    operations,
		Clock:         config.Clock,
		Panicked:      config.Panicked,
		Do:            config.Do,
		Logs:          config.Logs,
		Remote:        config.Remote,
		Carrier:       config.Carrier,
		OpenAPI:       config.OpenAPI,
		EncodeOpenAPI: config.EncodeOpenAPI,
		Authenticate:  config.Authenticate,
		Token:         config.Token,
		Key:           config.Key,
		Authorize:     config.Authorize,
		Rules:         config.Rules,
		Observe:       config.Observe,
		Limits:        config.Limits,
		Turns:         config.Turns,
		Compress:      config.Compress,
		Checks:        config.Checks,
	})
	return &Server{Handler: handler, operations: operations}, nil
}

// Operations are the verbs on typed objects.
func (s *Server) Operations() *rest.Operations { return s.operations }

// Client returns the client of a component of the same process, which writes as
// a user, for instance "system:kube-scheduler".
func (s *Server) Client(user string) client.Client { return s.operations.Client(user) }

// answers lets policies ask an authorizer.
func answers(authorize authorization.Authorizer) cel.Authorize {
	if authorize == nil {
		return nil
	}
	return func(ctx context.Context, spec authorizationv1.SubjectAccessReviewSpec) (bool, string, error) {
		user := identity.User{Name: spec.User, UID: spec.UID, Groups: spec.Groups, Extra: map[string][]string{}}
		for key, values := range spec.Extra {
			user.Extra[key] = values
		}
		var asked authorization.Attributes
		if resource := spec.ResourceAttributes; resource != nil {
			asked.Verb, asked.Subresource, asked.Namespace, asked.Name = resource.Verb, resource.Subresource, resource.Namespace, resource.Name
			asked.GroupVersionResource = schema.GroupVersionResource{Group: resource.Group, Version: resource.Version, Resource: resource.Resource}
		} else if other := spec.NonResourceAttributes; other != nil {
			asked.Verb, asked.Path = other.Verb, other.Path
		}
		allowed, reason := authorize(ctx, user, asked)
		return allowed, reason, nil
	}
}
