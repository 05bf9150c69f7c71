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
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/logs"
	"tidepool.dev/tidepool/engine/api/openapi"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Config is what a Handler needs; what is not said to be optional is not.
type Config struct {
	Operations *rest.Operations
	Clock      clock.Clock
	// Do runs an operation; nil calls it. A simulation makes each request an
	// input of its one sequence of events by it.
	Do func(func())
	// Logs are the containers' logs; nil has none.
	Logs logs.Source
	// OpenAPI has the OpenAPI documents; nil serves none.
	OpenAPI openapi.Source
	// Authenticate says who makes a request, and false where it shows no valid
	// credential; nil takes everybody for an administrator.
	Authenticate func(*http.Request) (rest.User, bool)
	// Authorize says whether a user may do something and, if not, why; nil
	// allows everything.
	Authorize func(context.Context, rest.User, Attributes) (allowed bool, reason string)
	// Observe is told of every operation that has been done, or refused, in the
	// same turn of Do; it may be nil.
	Observe func(Observed)
}

// Observed is an operation that a client asked for.
type Observed struct {
	Verb string
	// Resource is named as the store does: "deployments.apps".
	Resource, Subresource, Namespace, Name string
	User                                   rest.User
	UserAgent                              string
	// Code is the status of the answer.
	Code int
}

// Attributes are what a request wants to do.
type Attributes struct {
	Verb string
	schema.GroupVersionResource
	Subresource, Namespace, Name string
	// Path is that of a request which is not about resources; the fields above
	// but Verb are then empty.
	Path string
}

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	Config
	groups *groups
}

// New returns a handler of the operations' kinds.
func New(config Config) *Handler {
	if config.Do == nil {
		config.Do = func(f func()) { f() }
	}
	if config.Authenticate == nil {
		config.Authenticate = func(*http.Request) (rest.User, bool) { return administrator, true }
	}
	return &Handler{Config: config, groups: newGroups(config.Operations.Kinds())}
}

// administrator is the user of a kubeadm cluster's admin.conf.
var administrator = rest.User{
	Name:   "kubernetes-admin",
	Groups: []string{"kubeadm:cluster-admins", "system:masters", "system:authenticated"},
}

// request is one request on its way through the handler.
type request struct {
	*Handler
	w    *response
	r    *http.Request
	ctx  context.Context
	user rest.User
	target
	verb  string
	media media
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{Handler: h, w: &response{ResponseWriter: w}, r: r, ctx: r.Context()}
	defer func() {
		if reason := recover(); reason != nil {
			if reason == http.ErrAbortHandler { //nolint:errorlint // it is panicked as it is
				panic(reason)
			}
			q.fail(apierrors.NewInternalError(fmt.Errorf("panic: %v", reason)))
		}
	}()
	q.w.Header().Set("Cache-Control", "no-cache, private")
	if err := q.serve(); err != nil {
		q.fail(err)
	}
}

func (q *request) serve() error {
	user, ok := q.Authenticate(q.r)
	if !ok {
		return apierrors.NewUnauthorized("Unauthorized")
	}
	q.user = user
	q.ctx = store.WithCause(rest.WithUser(q.ctx, user), store.Cause{Actor: user.Name})
	target, isResource := parsePath(q.r.URL.Path)
	if !isResource {
		return q.serveOther()
	}
	q.target = target
	return q.serveResource()
}

// do runs an operation as Config.Do wants it. A panic travels to the request's
// own goroutine, whichever runs the operation.
func (q *request) do(operation func() error) (err error) {
	var panicked any
	q.Do(func() {
		defer func() { panicked = recover() }()
		err = operation()
		if q.Observe != nil {
			q.Observe(q.observed(err))
		}
	})
	if panicked != nil {
		panic(panicked)
	}
	return err
}

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

// authorize asks whether the user may do what the request wants.
func (q *request) authorize() error {
	attributes := Attributes{
		Verb:                 q.verb,
		GroupVersionResource: q.gv.WithResource(q.plural),
		Subresource:          q.subresource,
		Namespace:            q.namespace,
		Name:                 q.name,
	}
	return q.authorizeFor(attributes)
}

func (q *request) authorizeFor(attributes Attributes) error {
	if q.Authorize == nil {
		return nil
	}
	allowed, reason := q.Authorize(q.ctx, q.user, attributes)
	if allowed {
		return nil
	}
	text := forbidden(q.user, attributes)
	if reason != "" {
		text += ": " + reason
	}
	return apierrors.NewForbidden(attributes.GroupResource(), attributes.Name, fmt.Errorf("%s", text))
}

func forbidden(user rest.User, a Attributes) string {
	if a.Path != "" {
		return fmt.Sprintf("User %q cannot %s path %q", user.Name, a.Verb, a.Path)
	}
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	where := "at the cluster scope"
	if a.Namespace != "" {
		where = fmt.Sprintf("in the namespace %q", a.Namespace)
	}
	return fmt.Sprintf("User %q cannot %s resource %q in API group %q %s", user.Name, a.Verb, resource, a.Group, where)
}
