package endpoints_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/logs"
)

// stream is the answer to a request that goes on: its lines, as they come.
type stream struct {
	header http.Header
	status int
	rest   bytes.Buffer
	lines  chan string
}

func (s *stream) Header() http.Header    { return s.header }
func (s *stream) WriteHeader(status int) { s.status = status }
func (s *stream) Flush()                 {}

func (s *stream) Write(data []byte) (int, error) {
	s.rest.Write(data)
	for {
		line, err := s.rest.ReadString('\n')
		if err != nil {
			s.rest.WriteString(line)
			return len(data), nil
		}
		s.lines <- strings.TrimSuffix(line, "\n")
	}
}

// open begins a request; its lines end when it does.
func (f *fixture) open(path, accept string) (*stream, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	f.Cleanup(cancel)
	request := httptest.NewRequestWithContext(ctx, "GET", path, http.NoBody)
	request.Header.Set("Accept", accept)
	s := &stream{header: http.Header{}, lines: make(chan string, 100)}
	go func() {
		defer close(s.lines)
		f.ServeHTTP(s, request)
	}()
	return s, cancel
}

type watchEvent struct {
	Type   string
	Object struct {
		metav1.TypeMeta
		metav1.ObjectMeta `json:"metadata"`
		Code              int
		Message           string
		ColumnDefinitions []metav1.TableColumnDefinition
		Rows              []metav1.TableRow
	}
}

func (s *stream) next(t *testing.T) watchEvent {
	t.Helper()
	line, open := <-s.lines
	if !open {
		t.Fatal("the stream has ended")
	}
	var event watchEvent
	if err := json.Unmarshal([]byte(line), &event); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return event
}

func (s *stream) expect(t *testing.T, eventType, name string) watchEvent {
	t.Helper()
	event := s.next(t)
	if event.Type != eventType || event.Object.Name != name {
		t.Fatalf("got %s of %q, want %s of %q: %+v", event.Type, event.Object.Name, eventType, name, event)
	}
	return event
}

func (s *stream) expectEnd(t *testing.T) {
	t.Helper()
	if line, open := <-s.lines; open {
		t.Fatalf("the stream goes on: %s", line)
	}
}

func TestWatchFollowsSelectors(t *testing.T) {
	f := newFixture(t, nil)
	f.mustCreate(configMaps, `{"metadata":{"name":"old","labels":{"a":"b"}}}`)
	f.mustCreate(configMaps, `{"metadata":{"name":"other"}}`)
	s, cancel := f.open(configMaps+"?watch=true&labelSelector=a%3Db", "")
	s.expect(t, "ADDED", "old")
	f.mustCreate(configMaps, `{"metadata":{"name":"new","labels":{"a":"b"}}}`)
	s.expect(t, "ADDED", "new")
	f.call("PATCH", configMaps+"/new", mergePatch, "", `{"data":{"x":"y"}}`)
	s.expect(t, "MODIFIED", "new")
	f.call("PATCH", configMaps+"/new", mergePatch, "", `{"metadata":{"labels":null}}`)
	if left := s.expect(t, "DELETED", "new"); left.Object.Labels["a"] != "b" {
		t.Errorf("an object that no longer matches is shown as it did: %+v", left)
	}
	f.call("PATCH", configMaps+"/other", mergePatch, "", `{"metadata":{"labels":{"a":"b"}}}`)
	s.expect(t, "ADDED", "other")
	f.call("DELETE", configMaps+"/old", "", "", "")
	s.expect(t, "DELETED", "old")
	cancel()
	s.expectEnd(t)
}

func TestWatchOfOneFromARevision(t *testing.T) {
	f := newFixture(t, nil)
	f.mustCreate(configMaps, `{"metadata":{"name":"a"}}`)
	list := listOf(t, f.call("GET", configMaps, "", "", ""))
	f.mustCreate(configMaps, `{"metadata":{"name":"b"}}`)
	f.call("PATCH", configMaps+"/a", mergePatch, "", `{"data":{"x":"y"}}`)
	for _, path := range []string{
		configMaps + "?watch=1&fieldSelector=metadata.name%3Da&resourceVersion=",
		configMaps + "/a?watch=1&resourceVersion=",
		"/api/v1/watch/namespaces/default/configmaps/a?resourceVersion=",
	} {
		s, _ := f.open(path+list.ResourceVersion, "")
		s.expect(t, "MODIFIED", "a")
	}
}

func TestWatchEndsAtItsTimeout(t *testing.T) {
	f := newFixture(t, nil)
	f.mustCreate(configMaps, `{"metadata":{"name":"a"}}`)
	s, _ := f.open(configMaps+"?watch=1&timeoutSeconds=5", "")
	s.expect(t, "ADDED", "a")
	f.advance(5 * time.Second)
	s.expectEnd(t)
}

// advance moves the virtual time and fires what is due. Whoever calls it knows
// that the timers are set.
func (f *fixture) advance(d time.Duration) {
	f.clock.Set(f.clock.Now().Add(d))
	for f.clock.Fire() {
	}
}

func TestWatchBookmarks(t *testing.T) {
	f := newFixture(t, nil)
	f.mustCreate(configMaps, `{"metadata":{"name":"a"}}`)
	s, _ := f.open(configMaps+"?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan", "")
	s.expect(t, "ADDED", "a")
	end := s.expect(t, "BOOKMARK", "")
	if end.Object.Annotations[metav1.InitialEventsAnnotationKey] != "true" || end.Object.Kind != "ConfigMap" {
		t.Errorf("%+v", end)
	}
	f.mustCreate(configMaps, `{"metadata":{"name":"b"}}`)
	s.expect(t, "ADDED", "b") // so all that is behind it is delivered
	f.mustCreate("/api/v1/namespaces/default/secrets", `{"metadata":{"name":"elsewhere"}}`)
	f.advance(time.Minute)
	if bookmark := s.expect(t, "BOOKMARK", ""); bookmark.Object.ResourceVersion != strconv.FormatInt(mustRevision(f), 10) {
		t.Errorf("the bookmark is not at the newest revision: %+v", bookmark)
	}
}

func TestWatchOfForgottenHistory(t *testing.T) {
	f := newFixture(t, nil)
	f.mustCreate(configMaps, `{"metadata":{"name":"a"}}`)
	if err := f.store.Compact(context.Background(), mustRevision(f)); err != nil {
		t.Fatal(err)
	}
	answer := f.call("GET", configMaps+"?watch=1&resourceVersion=2", "", "", "")
	if answer.Code != http.StatusOK || !strings.HasPrefix(answer.Body.String(), `{"type":"ERROR",`) ||
		!strings.Contains(answer.Body.String(), `"message":"too old resource version: 2 (`) || !strings.Contains(answer.Body.String(), `"code":410`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestWatchAsTable(t *testing.T) {
	f := newFixture(t, nil)
	f.mustCreate(configMaps, `{"metadata":{"name":"a"}}`)
	s, _ := f.open(configMaps+"?watch=1", "application/json;as=Table;v=v1;g=meta.k8s.io")
	first := s.expect(t, "ADDED", "")
	if len(first.Object.ColumnDefinitions) != 3 || len(first.Object.Rows) != 1 || first.Object.Rows[0].Cells[0] != "a" {
		t.Errorf("%+v", first)
	}
	f.mustCreate(configMaps, `{"metadata":{"name":"b"}}`)
	if second := s.expect(t, "ADDED", ""); len(second.Object.ColumnDefinitions) != 0 || second.Object.Rows[0].Cells[0] != "b" {
		t.Errorf("columns are named once: %+v", second)
	}
}

// written is a container's output.
type written struct {
	lines []logs.Line
	ended bool
}

func (w *written) OpenLog(*corev1.Pod, string, bool, func()) (logs.Reader, error) {
	return &written{lines: w.lines, ended: w.ended}, nil
}

func (w *written) Next(buffer []logs.Line, limit int) ([]logs.Line, bool) {
	n := min(limit, len(w.lines))
	buffer = append(buffer, w.lines[:n]...)
	w.lines = w.lines[n:]
	return buffer, w.ended && len(w.lines) == 0
}

func (w *written) Stop() {}

func TestLogs(t *testing.T) {
	at := time.Date(2025, 12, 31, 23, 59, 0, 0, time.UTC)
	source := &written{ended: true}
	for i, text := range []string{"one", "two", "three"} {
		source.lines = append(source.lines, logs.Line{Time: at.Add(time.Duration(i) * 20 * time.Second), Text: text, Stderr: text == "two"})
	}
	f := newFixture(t, func(c *endpoints.Config) { c.Logs = source })
	const pods = "/api/v1/namespaces/default/pods"
	f.mustCreate(pods, `{"metadata":{"name":"p"},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"x"}]}}`)
	f.mustCreate(pods, `{"metadata":{"name":"two"},"spec":{"containers":[{"name":"c","image":"x"},{"name":"d","image":"x"}]}}`)
	f.mustCreate(pods, `{"metadata":{"name":"waiting"},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"x"}]}}`)
	setStatus := func(pod, state string) {
		answer := f.call("PATCH", pods+"/"+pod+"/status", mergePatch, "",
			`{"status":{"containerStatuses":[{"name":"c","image":"x","imageID":"","ready":false,"restartCount":0,"state":`+state+`}]}}`)
		if answer.Code != http.StatusOK {
			t.Fatal(answer.Body)
		}
	}
	setStatus("p", `{"running":{}}`)
	setStatus("waiting", `{"waiting":{"reason":"ContainerCreating"}}`)
	tests := map[string]struct {
		path string
		code int
		want string
	}{
		"all":         {"/p/log", 200, "one\ntwo\nthree\n"},
		"follow":      {"/p/log?follow=true", 200, "one\ntwo\nthree\n"},
		"tail":        {"/p/log?tailLines=2", 200, "two\nthree\n"},
		"no tail":     {"/p/log?tailLines=0", 200, ""},
		"since":       {"/p/log?sinceSeconds=45", 200, "two\nthree\n"},
		"since time":  {"/p/log?sinceTime=2025-12-31T23:59:30Z", 200, "three\n"},
		"bytes":       {"/p/log?limitBytes=5", 200, "one\nt"},
		"timestamps":  {"/p/log?timestamps=true&tailLines=1", 200, "2025-12-31T23:59:40.000000000Z three\n"},
		"one stream":  {"/p/log?stream=Stderr", 200, "two\n"},
		"unscheduled": {"/two/log?container=c", 204, ""},
		"which":       {"/two/log", 400, "a container name must be specified for pod two, choose one of: [c d]"},
		"no such":     {"/two/log?container=e", 400, "container e is not valid for pod two"},
		"previous":    {"/p/log?previous=true", 400, `previous terminated container \"c\" in pod \"p\" not found`},
		"waiting":     {"/waiting/log", 400, `container \"c\" in pod \"waiting\" is waiting to start: ContainerCreating`},
		"no pod":      {"/none/log", 404, `pods \"none\" not found`},
		"bad tail":    {"/p/log?tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			answer := f.call("GET", pods+test.path, "", "", "")
			text := answer.Body.String()
			if answer.Code != test.code || test.code < 300 && text != test.want || !strings.Contains(text, test.want) {
				t.Errorf("%d %q", answer.Code, text)
			}
		})
	}
}
