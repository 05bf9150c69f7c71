package endpoints_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/identity"
)

// as makes users of the header User, in the group of the header Group.
func as(r *http.Request) (identity.User, bool, error) {
	return identity.User{Name: r.Header.Get("User"), Groups: r.Header.Values("Group")}, true, nil
}

// TestInFlight: while one request of each kind is being served, others of the
// kind have to wait, but for those that are exempt.
func TestInFlight(t *testing.T) {
	var hold chan struct{}
	entered := make(chan struct{})
	f := newFixture(t, nil)
	limited := endpoints.New(endpoints.Config{
		Operations: f.Operations, Clock: f.clock, Authenticate: as,
		Limits: endpoints.Limits{ReadOnly: 1, Mutating: 1},
		Do: func(operation func()) {
			if held := hold; held != nil {
				entered <- struct{}{}
				<-held
			}
			operation()
		},
	})
	call := func(ctx context.Context, method, path, group string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(`{"metadata":{"generateName":"x"}}`))
		request.Header.Set("User", "somebody")
		request.Header.Set("Group", group)
		recorder := httptest.NewRecorder()
		limited.ServeHTTP(recorder, request)
		return recorder
	}
	done := make(chan int, 2)
	release := make(chan struct{})
	hold = release
	for _, method := range []string{"GET", "POST"} {
		go func() { done <- call(t.Context(), method, configMaps, "").Code }()
		<-entered
	}
	hold = nil
	gone, leave := context.WithCancel(t.Context())
	leave() // a watch of a client that is gone ends at once
	for _, test := range []struct {
		method, path, group string
		code                int
	}{
		{"GET", configMaps, "", 429},
		{"POST", configMaps, "", 429},
		{"GET", "/version", "", 429},
		{"GET", "/readyz/ping", "", 200},
		{"GET", configMaps + "?watch=1", "", 200},
		{"GET", configMaps, identity.Masters, 200},
		{"POST", configMaps, identity.Masters, 201},
	} {
		answer := call(gone, test.method, test.path, test.group)
		if answer.Code != test.code {
			t.Errorf("%s %s as %q: %d %s", test.method, test.path, test.group, answer.Code, answer.Body)
		}
		if busy := answer.Code == 429; busy && (answer.Header().Get("Retry-After") != "1" || answer.Body.String() != "Too many requests, please try again later.\n") {
			t.Errorf("headers %v: %s", answer.Header(), answer.Body)
		}
	}
	close(release)
	if a, b := <-done, <-done; a+b != 401 { // 200 and 201
		t.Errorf("those that were being served got %d and %d", a, b)
	}
	for _, method := range []string{"GET", "POST"} {
		if answer := call(t.Context(), method, configMaps, ""); answer.Code >= 400 {
			t.Errorf("afterwards: %d", answer.Code)
		}
	}
}

func zipped(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

// TestCompression: long answers are compressed for those who take it.
func TestCompression(t *testing.T) {
	f := newFixture(t, func(c *endpoints.Config) { c.Compress = zipped })
	get := func(path, accepted string) *httptest.ResponseRecorder {
		request := httptest.NewRequest("GET", path, nil)
		request.Header.Set("Accept-Encoding", accepted)
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, request)
		return recorder
	}
	f.mustCreate(configMaps, `{"metadata":{"name":"short"}}`)
	for i := range 2 {
		f.mustCreate(configMaps, fmt.Sprintf(`{"metadata":{"name":"long-%d"},"data":{"a":"%s"}}`, i, strings.Repeat("long ", 20<<10)))
	}
	plain := get(configMaps, "")
	if plain.Header().Get("Content-Encoding") != "" || plain.Body.Len() < 200<<10 {
		t.Errorf("%v, %d bytes", plain.Header(), plain.Body.Len())
	}
	for _, path := range []string{configMaps, configMaps + "?pretty=1", "/openapi/v2"} {
		answer, plain := get(path, "br, gzip;q=0.5"), get(path, "identity")
		if answer.Code != 200 || answer.Header().Get("Content-Encoding") != "gzip" || !slices.Contains(answer.Header().Values("Vary"), "Accept-Encoding") {
			t.Fatalf("%s: %d %v", path, answer.Code, answer.Header())
		}
		unzipped, err := gzip.NewReader(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(unzipped); err != nil || string(text) != plain.Body.String() {
			t.Errorf("%s: %d bytes and %v, want %d", path, len(text), err, plain.Body.Len())
		}
	}
	if answer := get(configMaps+"/short", "gzip"); answer.Header().Get("Content-Encoding") != "" || !strings.Contains(answer.Body.String(), `"name":"short"`) {
		t.Errorf("%v: %s", answer.Header(), answer.Body)
	}
}

// TestTimeout: a request gets at most as much time as its client and the server
// allow.
func TestTimeout(t *testing.T) {
	var got time.Duration
	f := newFixture(t, func(c *endpoints.Config) {
		c.Limits = endpoints.Limits{Timeout: time.Minute, Deadline: func(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
			got = timeout
			return ctx, func() {}
		}}
	})
	for _, test := range []struct {
		query string
		want  time.Duration
	}{{"", time.Minute}, {"?timeout=5s", 5 * time.Second}, {"?timeout=2h", time.Minute}, {"?timeout=0s", time.Minute}, {"?watch=1&timeoutSeconds=1&timeout=1s", 0}} {
		got = 0
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", configMaps+test.query, nil))
		if got != test.want {
			t.Errorf("%q: %v, want %v", test.query, got, test.want)
		}
	}
}

// TestUnhealthy: what fails is told, and why to those who ask for it alone.
func TestUnhealthy(t *testing.T) {
	f := newFixture(t, func(c *endpoints.Config) {
		c.Checks = []endpoints.Check{{Name: "shutdown", Ready: true, Healthy: func(context.Context) error { return errors.New("process is shutting down") }}}
	})
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/livez":                    {200, "ok"},
		"/readyz":                   {500, "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n"},
		"/readyz?exclude=shutdown":  {200, "ok"},
		"/readyz/shutdown":          {500, "internal server error: process is shutting down\n"},
		"/readyz/shutdown?verbose=": {500, "internal server error: process is shutting down\n"},
	} {
		if answer := f.call("GET", path, "", "", ""); answer.Code != want.code || answer.Body.String() != want.text {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
}
