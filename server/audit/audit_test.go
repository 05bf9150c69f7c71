package audit_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
	"tidepool.dev/tidepool/server/audit"
)

var (
	start = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	jane  = identity.User{Name: "jane", UID: "7", Groups: []string{"developers"}, Extra: map[string][]string{"team": {"blue"}}}
)

// authenticate knows jane by a header, and nobody else who shows credentials.
func authenticate(r *http.Request) (identity.User, bool, error) {
	if r.Header.Get("Test-User") == "jane" {
		return jane, true, nil
	}
	if r.Header.Get("Authorization") != "" {
		return identity.User{}, false, errors.New("who is that?")
	}
	return identity.User{}, false, nil
}

// authorize allows jane all but to delete.
func authorize(_ context.Context, user identity.User, a authorization.Attributes) (bool, string) {
	if user.In("developers") && a.Verb != "delete" {
		return true, "RBAC: allowed by a test"
	}
	return false, ""
}

// logged is an API whose requests are logged in the buffer.
func logged(t *testing.T) (http.Handler, *bytes.Buffer) {
	t.Helper()
	server, err := api.New(api.Config{
		Store: store.NewMemory(0), Clock: clock.NewVirtual(start), Random: rand.New(rand.NewPCG(1, 2)), Kinds: kinds.All(),
		Authenticate: authenticate, Authorize: authorize,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Operations().Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := audit.New(&out, func() time.Time { return start }, func(err error) { t.Error(err) })
	return log.Handler(server), &out
}

func events(t *testing.T, out *bytes.Buffer) (all []auditv1.Event) {
	t.Helper()
	for line := range strings.Lines(out.String()) {
		var event auditv1.Event
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&event); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, event)
	}
	return all
}

const secrets = "/api/v1/namespaces/default/secrets"

// TestEvents: each request has the event that Kubernetes would write.
func TestEvents(t *testing.T) {
	for _, test := range []struct {
		name, method, path, body string
		headers                  map[string]string
		verb, decision           string
		stage                    auditv1.Stage
		object                   *auditv1.ObjectReference
		status                   metav1.Status
		as                       string
	}{
		{name: "create", method: "POST", path: secrets, body: `{"metadata":{"name":"s"},"stringData":{"password":"hunter2"}}`,
			verb: "create", decision: "allow", status: metav1.Status{Code: 201},
			object: &auditv1.ObjectReference{Resource: "secrets", Namespace: "default", Name: "s", APIVersion: "v1"}},
		{name: "list", path: "/apis/apps/v1/deployments?limit=5", verb: "list", decision: "allow", status: metav1.Status{Code: 200},
			object: &auditv1.ObjectReference{Resource: "deployments", APIGroup: "apps", APIVersion: "v1"}},
		{name: "absent", path: secrets + "/none", verb: "get", decision: "allow",
			object: &auditv1.ObjectReference{Resource: "secrets", Namespace: "default", Name: "none", APIVersion: "v1"},
			status: metav1.Status{Code: 404, Status: "Failure", Reason: "NotFound", Message: `secrets "none" not found`, Details: &metav1.StatusDetails{Name: "none", Kind: "secrets"}}},
		{name: "forbidden", method: "DELETE", path: secrets + "/s", verb: "delete", decision: "forbid",
			object: &auditv1.ObjectReference{Resource: "secrets", Namespace: "default", Name: "s", APIVersion: "v1"},
			status: metav1.Status{Code: 403, Status: "Failure", Reason: "Forbidden", Details: &metav1.StatusDetails{Name: "s", Kind: "secrets"},
				Message: `secrets "s" is forbidden: User "jane" cannot delete resource "secrets" in API group "" in the namespace "default"`}},
		{name: "no resource", path: "/version", verb: "get", decision: "allow", status: metav1.Status{Code: 200}},
		{name: "another user", path: "/version", headers: map[string]string{"Impersonate-User": "bob", "Impersonate-Group": "developers"},
			verb: "get", decision: "allow", status: metav1.Status{Code: 200}, as: "bob"},
		{name: "a bad token", path: "/version", headers: map[string]string{"Test-User": "", "Authorization": "Bearer hunter2"},
			verb: "get", stage: auditv1.StageResponseStarted, status: metav1.Status{Code: 401, Message: "Authentication failed, attempted: bearer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler, out := logged(t)
			request := httptest.NewRequest(cmp.Or(test.method, "GET"), test.path, strings.NewReader(test.body))
			request.Header.Set("Test-User", "jane")
			request.Header.Set("User-Agent", "kubectl/v1")
			for key, value := range test.headers {
				request.Header.Set(key, value)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			got := events(t, out)
			if len(got) != 1 {
				t.Fatalf("%d events:\n%s", len(got), out)
			}
			e := got[0]
			stage := auditv1.StageResponseComplete
			if test.stage != "" {
				stage = test.stage
			}
			if e.APIVersion != "audit.k8s.io/v1" || e.Kind != "Event" || e.Level != auditv1.LevelMetadata || e.Stage != stage || e.Verb != test.verb ||
				e.RequestURI != test.path || e.UserAgent != "kubectl/v1" || !reflect.DeepEqual(e.SourceIPs, []string{"192.0.2.1"}) ||
				!e.RequestReceivedTimestamp.Time.Equal(start) || !e.StageTimestamp.Time.Equal(start) {
				t.Errorf("the event is\n%s", out)
			}
			if e.AuditID == "" || answer.Header().Get("Audit-Id") != string(e.AuditID) {
				t.Errorf("the identity is %q, the answer's %q", e.AuditID, answer.Header().Get("Audit-Id"))
			}
			if !reflect.DeepEqual(e.ObjectRef, test.object) {
				t.Errorf("the object is %+v, want %+v", e.ObjectRef, test.object)
			}
			if e.ResponseStatus == nil {
				t.Fatal("there is no status")
			}
			if !reflect.DeepEqual(*e.ResponseStatus, test.status) {
				t.Errorf("the status is %+v, want %+v", *e.ResponseStatus, test.status)
			}
			if e.Annotations["authorization.k8s.io/decision"] != test.decision {
				t.Errorf("the annotations are %v", e.Annotations)
			}
			if as := e.ImpersonatedUser; (as != nil) != (test.as != "") || as != nil && as.Username != test.as {
				t.Errorf("impersonated is %+v", as)
			}
			if test.stage == "" && (e.User.Username != "jane" || e.User.UID != "7" || e.User.Extra["team"][0] != "blue") {
				t.Errorf("the user is %+v", e.User)
			}
			if strings.Contains(out.String(), "hunter2") {
				t.Errorf("a secret is in the log:\n%s", out)
			}
		})
	}
}

// TestWatch: a watch is logged when it begins and when it ends, under the
// identity that the client has given it.
func TestWatch(t *testing.T) {
	handler, out := logged(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it ends once it has begun
	request := httptest.NewRequest("GET", secrets+"?watch=true", nil).WithContext(ctx)
	request.Header.Set("Test-User", "jane")
	request.Header.Set("Audit-ID", "mine")
	handler.ServeHTTP(httptest.NewRecorder(), request)
	var stages []auditv1.Stage
	for _, event := range events(t, out) {
		if event.Verb != "watch" || event.AuditID != "mine" || event.ResponseStatus.Code != 200 {
			t.Errorf("%+v", event)
		}
		stages = append(stages, event.Stage)
	}
	if want := []auditv1.Stage{auditv1.StageResponseStarted, auditv1.StageResponseComplete}; !reflect.DeepEqual(stages, want) {
		t.Errorf("the stages are %v, want %v", stages, want)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFullDisk: requests are served where events can't be written, and whoever
// runs the server is told.
func TestFullDisk(t *testing.T) {
	var failed error
	log := audit.New(broken{}, time.Now, func(err error) { failed = err })
	answer := httptest.NewRecorder()
	log.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })).
		ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	if answer.Code != http.StatusTeapot || failed == nil {
		t.Errorf("answered %d, told %v", answer.Code, failed)
	}
}
