package endpoints

import (
	"errors"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/fields"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
)

// authenticate finds out who makes the request. Whoever shows nothing is
// nobody; whoever shows something that is not valid is refused.
func (q *request) authenticate() (identity.User, error) {
	var invalid error
	if q.Handler.Authenticate != nil {
		user, found, err := q.Handler.Authenticate(q.r)
		if found {
			return user.Authenticated(), nil
		}
		invalid = err
	}
	token, ok := authentication.BearerToken(q.r.Header.Get("Authorization"))
	if !ok && wantsUpgrade(q.r) {
		var malformed error
		if token, malformed = authentication.WebSocketToken(q.r.Header); malformed != nil {
			invalid = malformed
		}
		ok = token != ""
	}
	if ok {
		user, valid := q.byToken(token)
		if valid {
			return user.Authenticated(), nil
		}
		invalid = errors.New("invalid bearer token")
	}
	switch {
	case invalid != nil:
		return identity.User{}, apierrors.NewUnauthorized("Unauthorized")
	case q.Handler.Authenticate == nil:
		return identity.Administrator, nil
	}
	return identity.Nobody, nil
}

func (q *request) byToken(token string) (user identity.User, valid bool) {
	if q.Token != nil {
		q.Do(func() { user, _, valid = q.Token(q.ctx, token, nil) })
	}
	return user, valid
}

// attributes are what the request wants, as far as its method and its path tell
// (k8s.io/apiserver/pkg/endpoints/request.RequestInfoFactory upstream).
func (q *request) attributes(isResource bool) authorization.Attributes {
	if !isResource {
		return authorization.Attributes{Verb: strings.ToLower(q.r.Method), Path: q.r.URL.Path}
	}
	a := authorization.Attributes{
		GroupVersionResource: q.gv.WithResource(q.plural),
		Subresource:          q.subresource,
		Namespace:            q.namespace,
		Name:                 q.name,
		Verb:                 verbOfMethod[q.r.Method],
	}
	if a.Resource == "namespaces" && a.Name != "" {
		a.Namespace = a.Name
	}
	switch {
	case q.target.watch:
		a.Verb = "watch"
	case a.Name == "" && a.Verb == "get":
		a.Verb = "list"
		if query := (parameters{values: q.r.URL.Query()}); query.flag("watch") {
			a.Verb = "watch"
		}
	case a.Name == "" && a.Verb == "delete":
		a.Verb = "deletecollection"
	}
	switch a.Verb {
	case "list", "watch", "deletecollection":
		q.addSelector(&a)
	}
	return a
}

// addSelector tells which objects of a list are wanted; a list of one is about
// that one.
func (q *request) addSelector(a *authorization.Attributes) {
	text := q.r.URL.Query().Get("fieldSelector")
	if text == "" {
		return
	}
	selector, err := fields.ParseSelector(text)
	if err != nil {
		return // the verb itself will say so
	}
	a.Fields = selector
	if name, ok := selector.RequiresExactMatch("metadata.name"); ok && a.Name == "" && len(content.IsPathSegmentName(name)) == 0 {
		a.Name = name
	}
}

var verbOfMethod = map[string]string{
	http.MethodGet: "get", http.MethodHead: "get", http.MethodPost: "create",
	http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete",
}

// authorizeRequest asks whether a user may make the request.
func (q *request) authorizeRequest(user identity.User, wants authorization.Attributes) error {
	if q.Authorize == nil {
		return nil
	}
	allowed, reason := q.ask(user, wants)
	q.trail.Decided, q.trail.Allowed, q.trail.Reason = true, allowed, reason
	if allowed {
		return nil
	}
	return forbidden(user, wants, reason)
}

// authorize asks whether a user may do something.
func (q *request) authorize(user identity.User, a authorization.Attributes) error {
	if q.Authorize == nil {
		return nil
	}
	if allowed, reason := q.ask(user, a); !allowed {
		return forbidden(user, a, reason)
	}
	return nil
}

func (q *request) ask(user identity.User, a authorization.Attributes) (allowed bool, reason string) {
	q.Do(func() { allowed, reason = q.Authorize(q.ctx, user, a) })
	return allowed, reason
}

func forbidden(user identity.User, a authorization.Attributes, reason string) error {
	return apierrors.NewForbidden(a.GroupResource(), a.Name, errors.New(authorization.Denial(user, a, reason)))
}
