package endpoints_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/remote"
)

// node is a node agent whose pods listen at port 80 and tell what they are
// asked.
type node struct{ started []remote.Options }

func (n *node) StartProcess(_ *corev1.Pod, _ string, options remote.Options, _ func()) (remote.Process, error) {
	n.started = append(n.started, options)
	return nil, errors.New("no process")
}

func (n *node) Dial(pod *corev1.Pod, port int, _ func()) (remote.Connection, error) {
	if port != 80 {
		return nil, errors.New("refused")
	}
	return &echo{pod: pod.Name}, nil
}

type echo struct{ pod, request string }

func (e *echo) Write(data []byte) { e.request += string(data) }
func (e *echo) Read() ([]byte, bool, error) {
	text := e.pod + ": " + e.request
	return fmt.Appendf(nil, "HTTP/1.1 201 Created\r\nServer: echo\r\nContent-Length: %d\r\n\r\n%s", len(text), text), true, nil
}
func (e *echo) CloseWrite() {}
func (e *echo) Close()      {}

// wire is a Carrier that carries nothing: it says what it was to do.
type wire struct{}

func (wire) CarryProcess(w http.ResponseWriter, _ *http.Request, _ remote.Options, start func(func()) (remote.Process, error)) {
	_, err := start(func() {})
	http.Error(w, err.Error(), http.StatusTeapot)
}

func (wire) CarryPorts(w http.ResponseWriter, _ *http.Request, pod string, dial func(int, func()) (remote.Connection, error)) {
	_, err := dial(81, func() {})
	http.Error(w, pod+" "+err.Error(), http.StatusTeapot)
}

func newRemote(t *testing.T) (*fixture, *node) {
	n := &node{}
	f := newFixture(t, func(c *endpoints.Config) { c.Remote, c.Carrier = n, wire{} })
	const pods = "/api/v1/namespaces/default/pods"
	f.mustCreate("/api/v1/nodes", `{"metadata":{"name":"n1"}}`)
	f.mustCreate(pods, `{"metadata":{"name":"web"},"spec":{"containers":[{"name":"c","image":"nginx","ports":[{"containerPort":80}]}]}}`)
	f.mustCreate(pods, `{"metadata":{"name":"two"},"spec":{"containers":[{"name":"a","image":"nginx"},{"name":"b","image":"nginx"}]}}`)
	f.mustCreate(pods+"/web/binding", `{"target":{"name":"n1"}}`)
	f.mustCreate(pods+"/two/binding", `{"target":{"name":"n1"}}`)
	f.mustCreate(pods, `{"metadata":{"name":"waits"},"spec":{"containers":[{"name":"c","image":"nginx"}]}}`)
	patch := f.call("PATCH", pods+"/web/status", "application/merge-patch+json", "", `{"status":{"podIP":"10.244.1.2","podIPs":[{"ip":"10.244.1.2"}]}}`)
	if patch.Code != http.StatusOK {
		t.Fatal(patch.Body)
	}
	return f, n
}

func TestRemoteErrors(t *testing.T) {
	f, n := newRemote(t)
	for _, test := range []struct {
		method, path string
		code         int
		message      string
	}{
		{"POST", "none/exec?command=ls&stdout=1", 404, `pods "none" not found`},
		{"POST", "web/exec?command=ls&stdout=1&container=x", 400, "container x is not valid for pod web"},
		{"GET", "two/exec?command=ls&stdout=1", 400, "a container name must be specified for pod two, choose one of: [a b]"},
		{"POST", "waits/exec?command=ls&stdout=1", 400, "pod waits does not have a host assigned"},
		{"POST", "waits/attach?stdout=1", 400, "pod waits does not have a host assigned"},
		{"POST", "waits/portforward", 400, "pod waits does not have a host assigned"},
		{"POST", "web/exec?command=ls", 400, "you must specify at least 1 of stdin, stdout, stderr"},
		{"POST", "web/exec?stdout=1", 400, "you must specify at least one command for the container"},
		{"DELETE", "web/exec", 405, "the server does not allow this method on the requested resource"},
		{"POST", "web/exec/more", 404, "the server could not find the requested resource"},
		{"POST", "web/exec?command=ls&command=-l&stdout=true&stderr=1&tty=1", 418, "no process"},
		{"GET", "web/attach?stdin=1", 418, "no process"},
		{"POST", "web/portforward", 418, "web refused"},
	} {
		request := httptest.NewRequest(test.method, "/api/v1/namespaces/default/pods/"+test.path, nil)
		request.Header.Set("Connection", "Upgrade")
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, request)
		if answer.Code != test.code || !strings.Contains(answer.Body.String(), strings.ReplaceAll(test.message, `"`, `\"`)) {
			t.Errorf("%s %s: %d %s", test.method, test.path, answer.Code, answer.Body)
		}
	}
	for _, path := range []string{"web/exec?command=ls&stdout=1", "web/portforward"} {
		answer := f.call("POST", "/api/v1/namespaces/default/pods/"+path, "", "", "")
		if answer.Code != 400 || !strings.Contains(answer.Body.String(), "Upgrade request required") {
			t.Errorf("%s without an upgrade: %d %s", path, answer.Code, answer.Body)
		}
	}
	if len(n.started) != 2 || strings.Join(n.started[0].Command, " ") != "ls -l" || n.started[0].Stderr || !n.started[0].TTY || len(n.started[1].Command) > 0 {
		t.Errorf("started: %+v", n.started)
	}
}

// TestGetConnectsToo: who may get pods/exec may not run commands by a GET.
func TestGetConnectsToo(t *testing.T) {
	f := newFixture(t, func(c *endpoints.Config) {
		c.Remote, c.Carrier = &node{}, wire{}
		c.Authorize = func(_ context.Context, _ identity.User, a authorization.Attributes) (bool, string) {
			return a.Subresource == "" || a.Verb == "get", ""
		}
	})
	answer := f.call("GET", "/api/v1/namespaces/default/pods/web/exec?command=ls&stdout=1", "", "", "")
	if answer.Code != http.StatusForbidden || !strings.Contains(answer.Body.String(), `cannot create resource \"pods/exec\"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestProxy(t *testing.T) {
	f, _ := newRemote(t)
	f.mustCreate("/api/v1/namespaces/default/services", `{"metadata":{"name":"site"},"spec":{"ports":[{"name":"http","port":8080}]}}`)
	f.mustCreate("/api/v1/namespaces/default/services", `{"metadata":{"name":"idle"},"spec":{"ports":[{"port":80}]}}`)
	f.mustCreate("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", `{"metadata":{"name":"site-1","labels":{"kubernetes.io/service-name":"site"}},
		"addressType":"IPv4","ports":[{"name":"http","port":80}],"endpoints":[
		{"addresses":["10.244.1.9"],"conditions":{"ready":false},"targetRef":{"kind":"Pod","name":"two"}},
		{"addresses":["10.244.1.2"],"conditions":{"ready":true},"targetRef":{"kind":"Pod","name":"web"}}]}`)
	for _, test := range []struct {
		path string
		code int
		want string
	}{
		{"namespaces/default/pods/web/proxy/a/b?c=d", 201, "web: POST /a/b?c=d HTTP/1.1\r\nHost: 10.244.1.2:80\r\nContent-Length: 4\r\n"},
		{"namespaces/default/pods/http:web:80/proxy/", 201, "web: POST / HTTP/1.1\r\n"},
		{"namespaces/default/services/site/proxy/x/", 201, "web: POST /x/ HTTP/1.1\r\n"},
		{"namespaces/default/services/site:http/proxy", 201, "web: POST / HTTP/1.1\r\n"},
		{"namespaces/default/services/site:8080/proxy", 201, "web: POST / HTTP/1.1\r\n"},
		{"namespaces/default/services/site:9/proxy", 503, `no service port \"9\" found for service \"site\"`},
		{"namespaces/default/services/idle/proxy", 503, `no endpoints available for service \"idle\"`},
		{"namespaces/default/services/none/proxy", 404, `services \"none\" not found`},
		{"namespaces/default/pods/web:81/proxy", 503, "error trying to reach service: dial tcp 10.244.1.2:81: connect: connection refused"},
		{"namespaces/default/pods/waits/proxy", 400, "address not allowed"},
		{"namespaces/default/pods/a:b:c:d/proxy", 400, `invalid pod request \"a:b:c:d\"`},
		{"nodes/n1/proxy/healthz", 200, "ok"},
		{"nodes/n1/proxy/other", 404, "404 page not found"},
		{"nodes/none/proxy/healthz", 404, `nodes \"none\" not found`},
	} {
		answer := f.call("POST", "/api/v1/"+test.path, "text/plain", "", "body")
		if answer.Code != test.code || !strings.Contains(answer.Body.String(), test.want) {
			t.Errorf("%s: %d %s", test.path, answer.Code, answer.Body)
		}
		if answer.Code == 201 && (answer.Header().Get("Server") != "echo" || !strings.HasSuffix(answer.Body.String(), "\r\nbody")) {
			t.Errorf("%s: %v %s", test.path, answer.Header(), answer.Body)
		}
	}
}
