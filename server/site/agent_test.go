package site

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestWithAgent(t *testing.T) {
	for given, want := range map[string]string{"": "browser", "kubectl/v1.37": "kubectl/v1.37"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", "browser")
		if given != "" {
			r.Header.Set(agentHeader, given)
		}
		withAgent(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.UserAgent() != want || r.Header.Get(agentHeader) != "" {
				t.Errorf("given %q: got %q, want %q", given, r.UserAgent(), want)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}
