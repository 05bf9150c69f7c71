package controlplane_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controlplane"
	"tidepool.dev/tidepool/engine/store"
)

// access is a whole control plane whose clients say in a header who they are.
type access struct {
	*testing.T
	plane *controlplane.ControlPlane
	clock *clock.Virtual
}

func newAccess(t *testing.T) *access {
	virtual := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	plane, err := controlplane.New(t.Context(), controlplane.Config{
		Store: store.NewMemory(0), Clock: virtual, Random: controlplane.NewRandom(1),
		API: api.Config{Authenticate: func(r *http.Request) (identity.User, bool, error) {
			switch name := r.Header.Get("X-User"); name {
			case "":
				return identity.User{}, false, nil
			case "stranger":
				return identity.User{}, false, errors.New("unknown authority")
			case "admin":
				return identity.User{Name: name, Groups: []string{identity.Masters}}, true, nil
			default:
				return identity.User{Name: name}, true, nil
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &access{t, plane, virtual}
}

// as makes a request with further headers ("Name: value").
func (a *access) as(user, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if user != "" {
		request.Header.Set("X-User", user)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	recorder := httptest.NewRecorder()
	a.plane.API.ServeHTTP(recorder, request)
	return recorder
}

func (a *access) must(user, path, body string) {
	a.Helper()
	if answer := a.as(user, "POST", path, body); answer.Code != http.StatusCreated {
		a.Fatalf("create at %s: %d %s", path, answer.Code, answer.Body)
	}
}

func message(t *testing.T, answer *httptest.ResponseRecorder) string {
	t.Helper()
	var status metav1.Status
	if err := json.Unmarshal(answer.Body.Bytes(), &status); err != nil {
		t.Fatalf("%s: %v", answer.Body, err)
	}
	return status.Message
}

const rbacPath = "/apis/rbac.authorization.k8s.io/v1"

func TestForbidden(t *testing.T) {
	a := newAccess(t)
	for _, test := range []struct {
		user, method, path string
		code               int
		want               string
	}{
		{"jane", "GET", "/api/v1/namespaces/default/pods", 403, `pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`},
		{"jane", "GET", "/api/v1/pods?watch=1", 403, `pods is forbidden: User "jane" cannot watch resource "pods" in API group "" at the cluster scope`},
		{"jane", "GET", "/api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Dweb", 403, `pods "web" is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`},
		{"jane", "GET", "/api/v1/namespaces/default/pods/web/log", 403, `pods "web" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "default"`},
		{"jane", "DELETE", "/apis/apps/v1/namespaces/default/deployments", 403, `deployments.apps is forbidden: User "jane" cannot deletecollection resource "deployments" in API group "apps" in the namespace "default"`},
		{"jane", "GET", "/api/v1/namespaces/default", 403, `namespaces "default" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "default"`},
		{"jane", "GET", "/apis/none.example/v1/things", 403, `things.none.example is forbidden: User "jane" cannot list resource "things" in API group "none.example" at the cluster scope`},
		{"admin", "GET", "/apis/none.example/v1/things", 404, "the server could not find the requested resource"},
		{"jane", "GET", "/metrics", 403, `forbidden: User "jane" cannot get path "/metrics"`},
		{"jane", "GET", "/api", 200, ""},
		{"", "GET", "/api", 403, `forbidden: User "system:anonymous" cannot get path "/api"`},
		{"", "GET", "/healthz", 200, ""},
		{"", "GET", "/api/v1/nodes", 403, `nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope`},
		{"stranger", "GET", "/healthz", 401, "Unauthorized"},
	} {
		answer := a.as(test.user, test.method, test.path, "")
		if answer.Code != test.code || test.want != "" && message(t, answer) != test.want {
			t.Errorf("%s %s %s: %d %s; want %s", test.user, test.method, test.path, answer.Code, answer.Body, test.want)
		}
	}
}

func TestImpersonation(t *testing.T) {
	a := newAccess(t)
	a.must("admin", rbacPath+"/clusterroles", `{"metadata":{"name":"act"},"rules":[
		{"verbs":["impersonate"],"apiGroups":[""],"resources":["users"],"resourceNames":["jane"]},
		{"verbs":["impersonate"],"apiGroups":["authentication.k8s.io"],"resources":["userextras/scopes"],"resourceNames":["view"]}]}`)
	a.must("admin", rbacPath+"/clusterrolebindings", `{"metadata":{"name":"act"},"roleRef":{"kind":"ClusterRole","name":"act"},"subjects":[{"kind":"User","name":"bob"}]}`)
	a.must("admin", rbacPath+"/clusterroles", `{"metadata":{"name":"act-here"},"rules":[
		{"verbs":["impersonate:user-info"],"apiGroups":["authentication.k8s.io"],"resources":["users"],"resourceNames":["jane"]},
		{"verbs":["impersonate-on:user-info:create"],"apiGroups":["*"],"resources":["selfsubjectreviews"]}]}`)
	a.must("admin", rbacPath+"/clusterrolebindings", `{"metadata":{"name":"act-here"},"roleRef":{"kind":"ClusterRole","name":"act-here"},"subjects":[{"kind":"User","name":"kim"}]}`)
	whoami := func(user string, headers ...string) string {
		answer := a.as(user, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", headers...)
		if answer.Code != http.StatusCreated {
			return message(t, answer)
		}
		var review struct{ Status json.RawMessage }
		if err := json.Unmarshal(answer.Body.Bytes(), &review); err != nil {
			t.Fatal(err)
		}
		return string(review.Status)
	}
	for _, test := range []struct {
		name, user string
		headers    []string
		want       string
	}{
		{"nobody else", "bob", nil, `{"userInfo":{"username":"bob","groups":["system:authenticated"]}}`},
		{"by an administrator", "admin", []string{"Impersonate-User: ann", "Impersonate-Group: team", "Impersonate-Uid: 7", "Impersonate-Extra-Acme.com%2fproject: a"},
			`{"userInfo":{"username":"ann","uid":"7","groups":["team","system:authenticated"],"extra":{"acme.com/project":["a"]}}}`},
		{"a service account", "admin", []string{"Impersonate-User: system:serviceaccount:default:bot"},
			`{"userInfo":{"username":"system:serviceaccount:default:bot","groups":["system:serviceaccounts","system:serviceaccounts:default","system:authenticated"]}}`},
		{"a node", "admin", []string{"Impersonate-User: system:node:node-1"},
			`{"userInfo":{"username":"system:node:node-1","groups":["system:nodes","system:authenticated"]}}`},
		{"nobody", "admin", []string{"Impersonate-User: system:anonymous"},
			`selfsubjectreviews.authentication.k8s.io is forbidden: User "system:anonymous" cannot create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope`},
		{"by who may", "bob", []string{"Impersonate-User: jane", "Impersonate-Extra-Scopes: view"},
			`{"userInfo":{"username":"jane","groups":["system:authenticated"],"extra":{"scopes":["view"]}}}`},
		{"by who may on this", "kim", []string{"Impersonate-User: jane"}, `{"userInfo":{"username":"jane","groups":["system:authenticated"]}}`},
		{"by who may not", "eve", []string{"Impersonate-User: jane"},
			`selfsubjectreviews.authentication.k8s.io is forbidden: User "eve" cannot impersonate-on:user-info:create resource "selfsubjectreviews" in API group "authentication.k8s.io" at the cluster scope`},
		{"another than one may", "kim", []string{"Impersonate-User: joe"},
			`users.authentication.k8s.io "joe" is forbidden: User "kim" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope`},
		{"without a name", "admin", []string{"Impersonate-Group: team"},
			`requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"team"}, Extra:map[string][]string(nil)} without impersonating a user name`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := whoami(test.user, test.headers...); got != test.want {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestReviews(t *testing.T) {
	a := newAccess(t)
	a.must("admin", rbacPath+"/namespaces/default/roles", `{"metadata":{"name":"reader"},"rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}]}`)
	a.must("admin", rbacPath+"/namespaces/default/rolebindings", `{"metadata":{"name":"r"},"roleRef":{"kind":"Role","name":"reader"},"subjects":[{"kind":"User","name":"jane"}]}`)
	const authz = "/apis/authorization.k8s.io/v1"
	for _, test := range []struct {
		name, user, path, body string
		code                   int
		want                   string // in the answer
	}{
		{"I may", "jane", authz + "/selfsubjectaccessreviews", `{"spec":{"resourceAttributes":{"verb":"get","resource":"pods","namespace":"default"}}}`, 201,
			`"status":{"allowed":true,"reason":"RBAC: allowed by RoleBinding \"r/default\" of Role \"reader\" to User \"jane\""}`},
		{"I may not", "jane", authz + "/selfsubjectaccessreviews", `{"spec":{"resourceAttributes":{"verb":"delete","resource":"pods","namespace":"default"}}}`, 201, `"status":{"allowed":false}`},
		{"I may get a path", "jane", authz + "/selfsubjectaccessreviews", `{"spec":{"nonResourceAttributes":{"verb":"get","path":"/api"}}}`, 201, `"allowed":true`},
		{"I ask nothing", "jane", authz + "/selfsubjectaccessreviews", `{}`, 422,
			`SelfSubjectAccessReview.authorization.k8s.io \"\" is invalid: spec: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified`},
		{"I must not ask about others", "jane", authz + "/subjectaccessreviews", `{"spec":{"user":"bob","resourceAttributes":{"verb":"get"}}}`, 403, `cannot create resource \"subjectaccessreviews\"`},
		{"she may", "admin", authz + "/subjectaccessreviews", `{"spec":{"user":"jane","resourceAttributes":{"verb":"list","resource":"pods","namespace":"default"}}}`, 201, `"allowed":true`},
		{"a group may", "admin", authz + "/subjectaccessreviews", `{"spec":{"groups":["system:masters"],"resourceAttributes":{"verb":"*","resource":"*"}}}`, 201, `"status":{"allowed":true}`},
		{"she may here", "admin", authz + "/namespaces/default/localsubjectaccessreviews", `{"spec":{"user":"jane","resourceAttributes":{"verb":"list","resource":"pods","namespace":"default"}}}`, 201, `"allowed":true`},
		{"she may elsewhere", "admin", authz + "/namespaces/default/localsubjectaccessreviews", `{"spec":{"user":"jane","resourceAttributes":{"verb":"list","resource":"pods","namespace":"other"}}}`, 422, `must match metadata.namespace`},
		{"my rules", "jane", authz + "/selfsubjectrulesreviews", `{"spec":{"namespace":"default"}}`, 201,
			`{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}],"nonResourceRules":[{"verbs":["get"],"nonResourceURLs":["/api","/api/*",`},
		{"my rules nowhere", "jane", authz + "/selfsubjectrulesreviews", `{}`, 400, `no namespace on request`},
		{"a token that nobody has", "admin", "/apis/authentication.k8s.io/v1/tokenreviews", `{"spec":{"token":"x"}}`, 201, `"status":{"user":{},"error":"invalid bearer token"}`},
		{"no token", "admin", "/apis/authentication.k8s.io/v1/tokenreviews", `{}`, 400, `token is required for TokenReview in authentication`},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := a.as(test.user, "POST", test.path, test.body)
			if answer.Code != test.code || !strings.Contains(answer.Body.String(), test.want) {
				t.Errorf("%d %s\nwant %s", answer.Code, answer.Body, test.want)
			}
		})
	}
	if answer := a.as("admin", "GET", authz+"/selfsubjectaccessreviews", ""); answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("questions can be listed: %d %s", answer.Code, answer.Body)
	}
}

func TestCertificateRequestsAreGuarded(t *testing.T) {
	a := newAccess(t)
	const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
	const pem = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KQUFBQQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K"
	body := func(name, condition string) string {
		return `{"metadata":{"name":"` + name + `"},"spec":{"request":"` + pem + `","signerName":"example.com/signer","usages":["client auth"],"username":"root"},"status":{"conditions":[` + condition + `]}}`
	}
	const approved = `{"type":"Approved","status":"True","reason":"x"}`
	a.must("admin", rbacPath+"/clusterroles", `{"metadata":{"name":"csr"},"rules":[
		{"verbs":["*"],"apiGroups":["certificates.k8s.io"],"resources":["certificatesigningrequests","certificatesigningrequests/approval","certificatesigningrequests/status"]}]}`)
	a.must("admin", rbacPath+"/clusterroles", `{"metadata":{"name":"approver"},"rules":[{"verbs":["approve"],"apiGroups":["certificates.k8s.io"],"resources":["signers"],"resourceNames":["example.com/*"]}]}`)
	a.must("admin", rbacPath+"/clusterrolebindings", `{"metadata":{"name":"csr"},"roleRef":{"kind":"ClusterRole","name":"csr"},"subjects":[{"kind":"User","name":"ann"},{"kind":"User","name":"bob"}]}`)
	a.must("admin", rbacPath+"/clusterrolebindings", `{"metadata":{"name":"approver"},"roleRef":{"kind":"ClusterRole","name":"approver"},"subjects":[{"kind":"User","name":"ann"}]}`)
	a.must("bob", requests, body("one", approved))
	if made := a.as("bob", "GET", requests+"/one", "").Body.String(); !strings.Contains(made, `"username":"bob"`) || strings.Contains(made, "Approved") {
		t.Errorf("who asks decides: %s", made)
	}
	for _, test := range []struct {
		user, part, condition string
		code                  int
		want                  string
	}{
		{"bob", "/approval", approved, 403, `user not permitted to approve requests with signerName \"example.com/signer\"`},
		{"bob", "/status", approved, 403, `user not permitted to sign requests with signerName \"example.com/signer\"`},
		{"admin", "/status", approved, 422, `updates may not add a condition of type \"Approved\"`},
		{"ann", "/approval", `{"type":"Approved","status":"False"}`, 422, `status.conditions[0].status: Unsupported value: \"False\": supported values: \"True\"`},
		{"ann", "/approval", approved, 200, `"lastUpdateTime":"2026-01-01T00:00:00Z"`},
		{"ann", "/approval", "", 422, `updates may not remove a condition of type \"Approved\"`},
		{"ann", "", "", 200, `"type":"Approved"`},
	} {
		answer := a.as(test.user, "PUT", requests+"/one"+test.part, body("one", test.condition))
		if answer.Code != test.code || !strings.Contains(answer.Body.String(), test.want) {
			t.Errorf("%s%s by %s: %d %s\nwant %s", test.condition, test.part, test.user, answer.Code, answer.Body, test.want)
		}
	}
}
