// Package endpoints is the Kubernetes API over HTTP: it finds out what a
// request means (path, media types, parameters, body), has rest.Operations do
// it, and writes the answer as Kubernetes would
// (k8s.io/apiserver/pkg/endpoints upstream).
//
// What lives here: everything that knows net/http's types. What may not: the
// meaning of verbs, which is in engine/api/rest, and the listening on a socket:
// whoever mounts the Handler does that. A handler runs in the goroutine of its
// caller and starts none.
package endpoints

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authentication/jwt"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/logs"
	"tidepool.dev/tidepool/engine/api/openapi"
	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/api/reviews"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Config is what a Handler needs; what is not said to be optional is not.
type Config struct {
	Operations *rest.Operations
	Clock      clock.Clock
	// Panicked is told of a request that has panicked, with the stack; the
	// client gets a 500. nil: the panic goes on to whoever called the handler.
	Panicked func(r *http.Request, reason any, stack []byte)
	// Do runs an operation; nil calls it. A simulation makes each request an
	// input of its one sequence of events by it.
	Do func(func())
	// Logs are the containers' logs; nil has none.
	Logs logs.Source
	// Remote reaches into the containers, and Carrier carries what comes of it to
	// clients; without them there is no exec, attach and port-forward.
	Remote  remote.Source
	Carrier Carrier
	// OpenAPI has the OpenAPI documents; nil serves none.
	OpenAPI openapi.Source
	// EncodeOpenAPI writes a document of OpenAPI v2 as protobuf; nil: custom
	// resources are not in that form of it.
	EncodeOpenAPI func(document []byte) ([]byte, error)
	// Authenticate says who makes a request by a credential that only the
	// surroundings know, a client certificate: false where there is none, an
	// error where it is not valid. Who shows neither that nor a bearer token is
	// anonymous; with a nil Authenticate, the administrator.
	Authenticate func(*http.Request) (identity.User, bool, error)
	// Token says whose a bearer token is; nil knows none.
	Token authentication.Token
	// Key is the one that signs service accounts' tokens, for others to verify
	// them; nil: there are none.
	Key *jwt.Key
	// Authorize says whether a user may do something and, if not, why; nil
	// allows everything.
	Authorize authorization.Authorizer
	// Rules are all that a user has in a namespace; nil knows none.
	Rules func(ctx context.Context, user identity.User, namespace string) ([]rbacv1.PolicyRule, error)
	// Limits keep the server alive.
	Limits Limits
	// Turns gives a watch its place among those that deliver, for the server to
	// answer others meanwhile; ready, which never blocks, is called when the
	// watch's turn has come. nil: they deliver whenever they have news.
	Turns func(ready func()) Turn
	// Compress compresses long answers with gzip; nil: nothing is compressed.
	Compress func(io.Writer) io.WriteCloser
	// Checks are parts of the server's health besides those of every server.
	Checks []Check
	// Observe is told of every operation that has been done, or refused, in the
	// same turn of Do; it may be nil.
	Observe func(Observed)
}

// Observed is an operation that a client asked for.
type Observed struct {
	Verb string
	// Resource is named as the store does: "deployments.apps".
	Resource, Subresource, Namespace, Name string
	User                                   identity.User
	UserAgent                              string
	// Code is the status of the answer.
	Code int
}

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	Config
	questions []reviews.Review
	flying    inFlight
	shared    shared
	served    atomic.Pointer[groups]
}

// New returns a handler of the operations' kinds.
func New(config Config) *Handler {
	if config.Do == nil {
		config.Do = func(f func()) { f() }
	}
	questions := reviews.All(reviews.Config{Clock: config.Clock, Authorize: config.Authorize, Token: config.Token, Rules: config.Rules})
	return &Handler{Config: config, questions: questions}
}

// current are the resources that are served at present.
func (h *Handler) current() *groups {
	kinds, generation := h.Operations.Definitions().Kinds()
	served := h.served.Load()
	if served == nil || served.generation != generation {
		served = newGroups(kinds, h.questions)
		served.generation = generation
		h.served.Store(served)
	}
	return served
}

// request is one request on its way through the handler.
type request struct {
	*Handler
	w      *response
	r      *http.Request
	groups *groups
	ctx    context.Context
	user   identity.User
	// impersonator is who makes the request as user, nil if that is the user.
	impersonator *identity.User
	target
	verb  string
	media media
	trail *Trail
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{Handler: h, w: &response{ResponseWriter: w}, r: r, groups: h.current(), ctx: r.Context(), trail: trailOf(r.Context())}
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		if h.Panicked == nil || reason == http.ErrAbortHandler { //nolint:errorlint // it is panicked as it is
			panic(reason)
		}
		inner, ok := reason.(panicked)
		if !ok {
			inner = panicked{reason, debug.Stack()}
		}
		h.Panicked(r, inner.reason, inner.stack)
		q.fail(apierrors.NewInternalError(errors.New("this request caused the API server to panic; its log has the details")))
	}()
	q.w.Header().Set("Cache-Control", "no-cache, private")
	if err := q.serve(); err != nil {
		q.fail(err)
	}
}

func (q *request) serve() error {
	target, isResource := parsePath(q.r.URL.Path)
	q.target = target
	wants := q.attributes(isResource)
	q.trail.Wants, q.trail.Lasting = wants, q.lasting(wants)
	cancel, err := q.limitTime(wants)
	if err != nil {
		return err
	}
	defer cancel()
	user, err := q.authenticate()
	if err != nil {
		return err
	}
	q.trail.User = user
	if user, err = q.impersonate(user, wants); err != nil {
		return err
	}
	if q.impersonator != nil {
		q.trail.As = &user
	}
	release, err := q.admit(user, wants)
	if err != nil {
		return err
	}
	defer release()
	q.user = user
	q.ctx = store.WithCause(identity.WithUser(q.ctx, user), store.Cause{Actor: user.Name})
	if isResource {
		// Errors are written in the negotiated form too, so negotiate first;
		// what is wrong with the path is the more useful thing to hear.
		var unacceptable error
		q.media, unacceptable = negotiate(q.r, transformable)
		if err := q.authorizeRequest(user, wants); err != nil {
			return err
		}
		return q.serveResource(unacceptable)
	}
	if err := q.authorizeRequest(user, wants); err != nil {
		return err
	}
	return q.serveOther()
}

// do runs an operation as Config.Do wants it. A panic travels to the request's
// own goroutine, whichever runs the operation.
func (q *request) do(operation func() error) (err error) {
	var failed *panicked
	q.Do(func() {
		defer func() {
			if reason := recover(); reason != nil {
				failed = &panicked{reason, debug.Stack()}
			}
		}()
		err = operation()
		if q.Observe != nil {
			q.Observe(q.observed(err))
		}
	})
	if failed != nil {
		panic(*failed)
	}
	return err
}

// panicked is a panic with the stack on which it began.
type panicked struct {
	reason any
	stack  []byte
}

func (p panicked) String() string { return fmt.Sprintf("%v\n%s", p.reason, p.stack) }

func (q *request) observed(err error) Observed {
	code := http.StatusOK
	switch {
	case err != nil:
		code = int(statusOf(err).Code)
	case q.verb == "create":
		code = http.StatusCreated
	}
	return Observed{
		Verb:        q.verb,
		Resource:    q.gv.WithResource(q.plural).GroupResource().String(),
		Subresource: q.subresource,
		Namespace:   q.namespace,
		Name:        q.name,
		User:        q.user,
		UserAgent:   q.r.UserAgent(),
		Code:        code,
	}
}
