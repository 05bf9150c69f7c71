package endpoints

import (
	"net/http"
	"slices"

	"tidepool.dev/tidepool/engine/api/rest"
)

// serveResource answers a request about resources.
func (q *request) serveResource(unacceptable error) error {
	r := q.groups.find(q.gv, q.plural)
	if r == nil {
		return notFound()
	}
	if r.Namespaced && q.namespace == "" && q.name != "" || !r.Namespaced && q.namespace != "" {
		return notFound()
	}
	q.verb = q.verbOf()
	if q.verb == "" || q.subresource == "" && !slices.Contains(r.verbs, q.verb) {
		return methodNotAllowed()
	}
	if r.Deprecated != "" {
		q.w.warn(r.Deprecated)
	}
	if q.subresource != "" {
		return q.serveSubresource(r, unacceptable)
	}
	if unacceptable != nil {
		return unacceptable
	}
	switch {
	case r.answer != nil:
		return q.review(r)
	case r.served == bindingKind:
		return q.bind()
	}
	switch q.verb {
	case "get":
		return q.get(r)
	case "list":
		return q.list(r)
	case "watch":
		return q.watchResource(r)
	case "create":
		return q.create(r)
	case "update":
		return q.update(r, rest.Main)
	case "patch":
		return q.patch(r, rest.Main)
	case "delete":
		return q.delete(r)
	default:
		return q.deleteCollection(r)
	}
}

// verbOf is what the method means for the path; empty if nothing.
func (q *request) verbOf() string {
	named := q.name != ""
	switch q.r.Method {
	case http.MethodGet:
		query := parameters{values: q.r.URL.Query()}
		switch {
		case q.subresource != "":
			return "get"
		case q.target.watch || query.flag("watch"):
			return "watch"
		case named:
			return "get"
		}
		return "list"
	case http.MethodPost:
		if !named || q.subresource != "" {
			return "create"
		}
	case http.MethodPut:
		if named {
			return "update"
		}
	case http.MethodPatch:
		if named {
			return "patch"
		}
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return ""
}
