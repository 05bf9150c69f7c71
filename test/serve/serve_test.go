// Package serve drives tidepool serve with the real kubectl.
package serve

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tidepool.dev/tidepool/test/harness"
)

// TestIntroduction is the Kubernetes introduction's story: apply, look, delete,
// scale, roll out, roll back.
func TestIntroduction(t *testing.T) {
	s := harness.Serve(t)
	dir := t.TempDir()
	kubectl := func(args ...string) string { t.Helper(); return s.Must(t, dir, args...) }
	contains := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%q is missing in:\n%s", part, text)
			}
		}
	}

	contains(kubectl("get", "nodes"), "node-1", "node-2", "node-3", "Ready", "v1.37.2")
	contains(kubectl("apply", "-f", harness.Manifest(t, dir, 2)), "deployment.apps/nginx-deployment created")
	kubectl("rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
	contains(kubectl("get", "rs"), "nginx-deployment-54fd4d6d4c")
	contains(kubectl("describe", "deployment", "nginx-deployment"),
		"Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable",
		"Scaled up replica set nginx-deployment-54fd4d6d4c from 0 to 2")

	before := strings.Fields(kubectl("get", "pods", "-o", "name"))
	kubectl("delete", before[0], "--wait=false")
	harness.Eventually(t, "the deleted pod is replaced", func() bool {
		after := kubectl("get", "pods", "-o", "name", "--field-selector=status.phase=Running")
		return !strings.Contains(after, before[0]) && len(strings.Fields(after)) == 2
	})

	contains(kubectl("apply", "-f", harness.Manifest(t, dir, 3)), "configured")
	kubectl("wait", "--for=jsonpath={.status.readyReplicas}=3", "deployment/nginx-deployment", "--timeout=60s")
	kubectl("set", "image", "deployment/nginx-deployment", "nginx=nginx:1.16.1")
	kubectl("rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
	contains(kubectl("get", "deployment", "nginx-deployment", "-o", "wide"), "3/3", "nginx:1.16.1")
	contains(kubectl("rollout", "undo", "deployment/nginx-deployment"), "rolled back")
	kubectl("rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
	contains(kubectl("get", "deployment", "nginx-deployment", "-o", "wide"), "nginx:1.14.2")
	kubectl("logs", "deployment/nginx-deployment")
	contains(kubectl("explain", "deployment.spec.replicas"), "Number of desired pods")
	contains(kubectl("api-resources"), "deployments", "replicasets", "endpointslices")
	kubectl("expose", "deployment", "nginx-deployment", "--port=80")
	harness.Eventually(t, "the service has three endpoints", func() bool {
		ips := kubectl("get", "endpointslices", "-l", "kubernetes.io/service-name=nginx-deployment", "-o", "jsonpath={.items[*].endpoints[*].addresses[0]}")
		return len(strings.Fields(ips)) == 3
	})
	kubectl("delete", "deployment", "nginx-deployment")
	harness.Eventually(t, "the pods are gone", func() bool { return kubectl("get", "pods", "-o", "name") == "" })
}

func TestDrainAndTaint(t *testing.T) {
	s := harness.Serve(t)
	dir := t.TempDir()
	s.Must(t, dir, "apply", "-f", harness.Manifest(t, dir, 3))
	s.Must(t, dir, "rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
	s.Must(t, dir, "drain", "node-1", "--ignore-daemonsets", "--timeout=60s")
	if out := s.Must(t, dir, "get", "node", "node-1"); !strings.Contains(out, "Ready,SchedulingDisabled") {
		t.Errorf("the drained node:\n%s", out)
	}
	s.Must(t, dir, "rollout", "status", "deployment/nginx-deployment", "--timeout=60s")
	if out := s.Must(t, dir, "get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"); strings.Contains(out, "node-1") {
		t.Errorf("a drained node has pods: %s", out)
	}
	s.Must(t, dir, "uncordon", "node-1")
	s.Must(t, dir, "taint", "nodes", "node-2", "broken=true:NoExecute")
	harness.Eventually(t, "the tainted node is empty", func() bool {
		return !strings.Contains(s.Must(t, dir, "get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"), "node-2")
	})
}

// TestBadInput: each mistake gets a clear error, and the cluster is unharmed.
func TestBadInput(t *testing.T) {
	s := harness.Serve(t)
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	deployment := func(field string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n" + field +
			"  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n      - name: web\n        image: nginx:1.14.2\n"
	}
	write("syntax.yaml", "kind: [Deployment\n")
	write("kind.yaml", "apiVersion: apps/v1\nkind: Deploymint\nmetadata:\n  name: web\n")
	write("field.yaml", deployment("  replica: 2\n"))
	write("invalid.yaml", deployment("  replicas: -1\n"))
	write("large.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: large\ndata:\n  text: "+strings.Repeat("x", 4<<20)+"\n")
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"a manifest that does not parse", []string{"apply", "-f", "syntax.yaml"}, "error converting YAML to JSON"},
		{"an unknown kind", []string{"apply", "-f", "kind.yaml"}, `no matches for kind "Deploymint" in version "apps/v1"`},
		{"an unknown field", []string{"apply", "-f", "field.yaml"}, `unknown field "spec.replica"`},
		{"an invalid object", []string{"apply", "-f", "invalid.yaml"}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"},
		{"an unknown resource", []string{"get", "deploymints"}, `the server doesn't have a resource type "deploymints"`},
		{"an absent object", []string{"get", "pod", "nobody"}, `pods "nobody" not found`},
		{"a wrong path", []string{"get", "--raw", "/api/v9/pods"}, "the server could not find the requested resource"},
		{"a too large body", []string{"create", "-f", "large.yaml"}, "equest"},
		{"an unknown command", []string{"aply"}, `unknown command "aply"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, code := s.Kubectl(t, dir, test.args...)
			if code == 0 || !strings.Contains(stderr, test.want) {
				t.Errorf("exit %d, want %q in:\n%s%s", code, test.want, stdout, stderr)
			}
		})
	}
	if out := s.Must(t, dir, "get", "nodes", "--no-headers"); strings.Count(out, " Ready ") != 3 {
		t.Errorf("afterwards the nodes are:\n%s", out)
	}
}

// TestStrangersStayOut: nothing is to be had without a credential.
func TestStrangersStayOut(t *testing.T) {
	s := harness.Serve(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	site, _, _ := strings.Cut(s.URL, "/#")
	for _, test := range []struct {
		url    string
		status int
	}{
		{s.APIURL + "/api/v1/pods", http.StatusForbidden}, // as system:anonymous
		{s.APIURL + "/apis/apps/v1/deployments", http.StatusForbidden},
		{site + "/cluster/api/v1/pods", http.StatusUnauthorized},
		{site + "/stream", http.StatusUnauthorized},
		{site + "/", http.StatusOK},
	} {
		response, err := client.Get(test.url)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s: %s, want %d", test.url, response.Status, test.status)
		}
	}
}

func TestMistakesAtTheStart(t *testing.T) {
	s := harness.Serve(t)
	taken := strings.TrimPrefix(s.APIURL, "https://")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"a taken port", []string{"--listen", "127.0.0.1:0", "--api-listen", taken, "--data-dir", t.TempDir()}, "is in use by another program"},
		{"a remote address", []string{"--listen", "0.0.0.0:0", "--data-dir", t.TempDir()}, "add --allow-remote"},
		{"a bad address", []string{"--listen", "8080", "--data-dir", t.TempDir()}, "is not an address such as 127.0.0.1:8080"},
		{"too many nodes", []string{"--nodes", "100000", "--data-dir", t.TempDir()}, "--nodes must be from 0 to 5000"},
		{"a data directory that is a file", []string{"--data-dir", file}, "choose another one with --data-dir"},
		{"an audit log in no directory", []string{"--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--audit-log", file + "/log"}, "choose another file with --audit-log"},
		{"an unknown flag", []string{"--lissten", "x"}, "lissten"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := exec.Command(harness.Binary(t, "tidepool"), append([]string{"serve"}, test.args...)...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) {
				t.Errorf("%v, want %q in:\n%s", err, test.want, out)
			}
		})
	}
}

func TestKubeconfigCommand(t *testing.T) {
	s := harness.Serve(t)
	out, err := exec.Command(harness.Binary(t, "tidepool"), "kubeconfig", "--path", "--data-dir", filepath.Dir(s.Kubeconfig)).Output()
	if err != nil || strings.TrimSpace(string(out)) != s.Kubeconfig {
		t.Errorf("got %q, %v; want %s", out, err, s.Kubeconfig)
	}
	out, err = exec.Command(harness.Binary(t, "tidepool"), "version").Output()
	if err != nil || !strings.Contains(string(out), "Kubernetes v1.37.2") {
		t.Errorf("got %q, %v", out, err)
	}
}
