package site

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"tidepool.dev/tidepool/server/stream"
)

func TestSite(t *testing.T) {
	says := func(what string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, what, " ", r.URL.Path) })
	}
	site := New(Config{
		Hosts:  []string{"classroom.example"},
		Pages:  says("page"),
		API:    says("api"),
		Stream: stream.Handler{Authorize: func(*http.Request) bool { return false }},
	})
	for _, test := range []struct {
		name, host, path, token string
		status                  int
		body                    string
	}{
		{"a page", "127.0.0.1:8080", "/learn", "", http.StatusOK, "page /learn"},
		{"a page by name", "localhost:8080", "/", "", http.StatusOK, "page /"},
		{"a page by IPv6", "[::1]:8080", "/", "", http.StatusOK, "page /"},
		{"a named host", "classroom.example", "/", "", http.StatusOK, "page /"},
		{"a page by name in capitals", "LOCALHOST:8080", "/", "", http.StatusOK, "page /"},
		{"another host", "evil.example", "/", "", http.StatusMisdirectedRequest, ""},
		{"the API", "localhost", "/cluster/api/v1/pods", "x", http.StatusOK, "api /api/v1/pods"},
		{"the API without a token", "localhost", "/cluster/api/v1/pods", "", http.StatusUnauthorized, ""},
		{"the stream without a token", "localhost", "/stream", "", http.StatusUnauthorized, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, test.path, nil)
			r.Host = test.host
			if test.token != "" {
				r.Header.Set("Authorization", "Bearer "+test.token)
			}
			w := httptest.NewRecorder()
			site.ServeHTTP(w, r)
			if w.Code != test.status || test.body != "" && w.Body.String() != test.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, test.status, test.body)
			}
		})
	}
}
