package endpoints_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func BenchmarkList1000Pods(b *testing.B) {
	const pods = "/api/v1/namespaces/default/pods"
	f := newFixture(b, nil)
	for i := range 1000 {
		f.mustCreate(pods, fmt.Sprintf(`{"metadata":{"name":"p-%d"},"spec":{"containers":[{"name":"c","image":"nginx"}]}}`, i))
	}
	for name, accept := range map[string]string{"json": "", "table": "application/json;as=Table;v=v1;g=meta.k8s.io"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			request := httptest.NewRequest("GET", pods, http.NoBody)
			request.Header.Set("Accept", accept)
			for b.Loop() {
				f.ServeHTTP(discard{http.Header{}}, request)
			}
		})
	}
}

func BenchmarkCreateOverHTTP(b *testing.B) {
	f := newFixture(b, nil)
	for i := 0; b.Loop(); i++ {
		f.mustCreate("/api/v1/namespaces/default/pods",
			fmt.Sprintf(`{"metadata":{"name":"p-%d"},"spec":{"containers":[{"name":"c","image":"nginx"}]}}`, i))
	}
}
