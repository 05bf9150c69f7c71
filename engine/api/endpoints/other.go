package endpoints

import (
	"fmt"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// serveOther answers requests that are not about resources.
func (q *request) serveOther() error {
	path := strings.TrimRight(q.r.URL.Path, "/")
	if q.r.Method != http.MethodGet && q.r.Method != http.MethodHead {
		if q.media.as.Empty() && !q.isServed(path) {
			return notFound()
		}
		return methodNotAllowed()
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "":
		return q.roots()
	case path == "/version":
		return q.object(Version)
	case path == openIDPath:
		return q.openID()
	case path == keysPath:
		return q.keys()
	case parts[0] == "healthz" || parts[0] == "livez" || parts[0] == "readyz":
		return q.health(parts)
	case parts[0] == "api" || parts[0] == "apis":
		return q.discovery(parts)
	case parts[0] == "openapi":
		return q.openAPI(strings.TrimPrefix(path, "/openapi/"))
	}
	return notFound()
}

// isServed says whether a path that is not about resources exists.
func (q *request) isServed(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "", "version", "healthz", "livez", "readyz", "api", "apis", "openapi", "openid", ".well-known":
		return true
	}
	return false
}

// object answers with an object that can't be transformed.
func (q *request) object(body any) error {
	var err error
	if q.media, err = negotiate(q.r, nothing); err != nil {
		return err
	}
	q.send(http.StatusOK, body)
	return nil
}

// roots lists the paths that there are.
func (q *request) roots() error {
	paths := []string{openIDPath, "/api", "/api/v1", "/apis", "/apis/"}
	for _, gv := range q.groups.versions {
		if gv.Group != "" {
			paths = append(paths, "/apis/"+gv.Group, "/apis/"+gv.String())
		}
	}
	paths = append(paths, "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/openapi/v3/", keysPath, "/readyz", "/version")
	return q.object(struct {
		Paths []string `json:"paths"`
	}{paths})
}

// checks are the names that /livez and /readyz show and answer for one by one.
var checks = []string{"ping", "etcd"}

// health tells whether the server works: that its store answers.
func (q *request) health(parts []string) error {
	_, broken := q.Operations.Store().Revision(q.ctx)
	if broken != nil {
		return apierrors.NewInternalError(fmt.Errorf("%s check failed: %w", parts[0], broken))
	}
	text := "ok"
	switch {
	case len(parts) == 2 && (parts[1] == checks[0] || parts[1] == checks[1]):
	case len(parts) > 1:
		return notFound()
	case q.r.URL.Query().Has("verbose"):
		var all strings.Builder
		for _, check := range checks {
			fmt.Fprintf(&all, "[+]%s ok\n", check)
		}
		fmt.Fprintf(&all, "%s check passed\n", parts[0])
		text = all.String()
	}
	q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q.w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = q.w.Write([]byte(text)) // a client that is gone needs no answer
	return nil
}
