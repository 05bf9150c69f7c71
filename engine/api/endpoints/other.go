package endpoints

import (
	"net/http"
	"strings"
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
	case isHealth(path):
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
