//go:build !js

// Package main_test drives the compiled kubectl in Chromium.
package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"

	engine "tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/openapi/embedded"
	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/server/carry"
)

const nginx = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: nginx-deployment
spec:
  selector:
    matchLabels:
      app: nginx
  replicas: 2
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.14.2
        ports:
        - containerPort: 80
`

// TestBrowser runs command lines in the page, against a simulated cluster that
// this process serves.
func TestBrowser(t *testing.T) {
	page := open(t, serve(t, builtModules(t), newCluster(t)))

	t.Logf("loaded in %.0f ms", call[float64](page, "load"))
	for _, step := range []struct {
		name   string
		args   string
		stdin  string
		stop   string // interrupt when the output or a request's URL contains it
		code   int
		stdout string // part of it
		stderr string // part of it
	}{
		{name: "client version", args: "version --client", stdout: "Client Version: v1."},
		{name: "nodes", args: "get nodes", stdout: "node-1"},
		{name: "nothing there", args: "get pods", stderr: "No resources found in default namespace."},
		{name: "file", args: "apply -f nginx-deployment.yaml", stdout: "deployment.apps/nginx-deployment created"},
		{name: "standard input", args: "apply -f -", stdin: nginx, stdout: "deployment.apps/nginx-deployment unchanged"},
		{name: "rollout", args: "rollout status deployment/nginx-deployment", stdout: "successfully rolled out"},
		{name: "wide", args: "get pods -o wide", stdout: "READINESS GATES"},
		{name: "jsonpath", args: "get deployment nginx-deployment -o jsonpath={.spec.replicas}", stdout: "2"},
		{name: "template", args: "get deployment nginx-deployment -o go-template={{.metadata.name}}", stdout: "nginx-deployment"},
		{name: "yaml", args: "get deployment nginx-deployment -o yaml", stdout: "image: nginx:1.14.2"},
		{name: "describe", args: "describe deployment nginx-deployment", stdout: "ScalingReplicaSet"},
		{name: "describe node", args: "describe node node-1", stdout: "Allocated resources"},
		{name: "scale", args: "scale deployment nginx-deployment --replicas=3", stdout: "scaled"},
		{name: "wait", args: "wait --for=condition=Available deployment/nginx-deployment", stdout: "condition met"},
		{name: "edit", args: "edit deployment nginx-deployment", stdout: "edited"},
		{name: "set image", args: "set image deployment/nginx-deployment nginx=nginx:1.16.1", stdout: "image updated"},
		{name: "history", args: "rollout history deployment/nginx-deployment", stdout: "REVISION"},
		{name: "undo", args: "rollout undo deployment/nginx-deployment", stdout: "rolled back"},
		{name: "label", args: "label deployment nginx-deployment tier=web", stdout: "labeled"},
		{name: "annotate", args: "annotate deployment nginx-deployment note=hello", stdout: "annotated"},
		{name: "expose", args: "expose deployment nginx-deployment --port=80", stdout: "service/nginx-deployment exposed"},
		{name: "patch", args: `patch deployment nginx-deployment -p {"spec":{"minReadySeconds":1}}`, stdout: "patched"},
		{name: "run", args: "run web --image=nginx:1.14.2", stdout: "pod/web created"},
		{name: "create", args: "create deployment other --image=nginx:1.14.2", stdout: "deployment.apps/other created"},
		{name: "watch", args: "get pods -w", stop: "web", code: 130, stdout: "web"},
		{name: "watch with YAML", args: "get pods -w -o yaml", stop: "kind: Pod", code: 130, stdout: "kind: Pod"},
		{name: "wait for ever", args: "wait --for=delete node/node-1 --timeout=1h", stop: "watch=true", code: 130},
		{name: "follow", args: "logs -f web", stop: "follow=true", code: 130},
		{name: "rollout for ever", args: "set image deployment/other nginx=no/such:image", stdout: "updated"},
		{name: "its status", args: "rollout status deployment/other", stop: "watch=true", code: 130, stdout: "Waiting for"},
		{name: "after interruptions", args: "get pod web", stdout: "web"},
		{name: "exec", args: "exec web -- ls /usr/share/nginx/html", stdout: "index.html\n"},
		{name: "exec fails", args: "exec web -- cat /none", code: 1, stderr: "command terminated with exit code 1\n"},
		{name: "exec reads", args: "exec -i web -- sh", stdin: "cd /etc\nhead -n 1 hosts\nexit 4\n", code: 4, stdout: "# Kubernetes-managed hosts file.\n"},
		{name: "exec without a terminal", args: "exec -it web -- echo hello", stdout: "hello\n", stderr: "Unable to use a TTY - input is not a terminal or the right kind of file"},
		{name: "exec of nothing", args: "exec web", code: 1, stderr: "you must specify at least one command for the container"},
		{name: "exec elsewhere", args: "exec none -- ls", code: 1, stderr: `pods "none" not found`},
		{name: "exec for ever", args: "exec web -- sleep 3600", stop: "/exec", code: 130},
		{name: "copy there", args: "cp nginx-deployment.yaml web:/tmp/x.yaml"},
		{name: "copy back", args: "cp web:/tmp/x.yaml x.yaml"},
		{name: "attach", args: "attach web", stop: "/attach", code: 130},
		{name: "run and attach", args: "run once --image=busybox --restart=Never --rm -i --quiet -- echo once", stdout: "once\n"},
		{name: "events", args: "events", stdout: "REASON"},
		{name: "explain", args: "explain deployment.spec.replicas", stdout: "FIELD: replicas"},
		{name: "api-resources", args: "api-resources", stdout: "deploy"},
		{name: "version", args: "version", stdout: "Server Version: v1."},
		{name: "cluster-info", args: "cluster-info", stdout: "is running at"},
		{name: "create secret", args: "create secret generic s --from-literal=a=b", stdout: "secret/s created"},
		{name: "top", args: "top nodes", stdout: "CPU(cores)"},
		{name: "logs", args: "logs deployment/nginx-deployment", stdout: ""},
		{name: "cordon", args: "cordon node-1", stdout: "cordoned"},
		{name: "drain", args: "drain node-1 --ignore-daemonsets --force", stdout: "drained"},
		{name: "uncordon", args: "uncordon node-1", stdout: "uncordoned"},
		{name: "taint", args: "taint node node-2 a=b:NoSchedule", stdout: "tainted"},
		{name: "namespace", args: "create namespace shop", stdout: "created"},
		{name: "change namespace", args: "config set-context --current --namespace=shop", stdout: "modified"},
		{name: "in that namespace", args: "get pods", stderr: "No resources found in shop namespace."},
		{name: "view config", args: "config view --minify", stdout: "namespace: shop"},
		{name: "delete", args: "delete deployment,service --all -n default", stdout: "deleted"},
		{name: "unknown kind", args: "get unicorns", code: 1, stderr: `the server doesn't have a resource type "unicorns"`},
		{name: "unknown command", args: "gte pods", code: 1, stderr: `unknown command "gte" for "kubectl"`},
		{name: "unknown flag", args: "get pods --wat", code: 1, stderr: "unknown flag: --wat"},
		{name: "no file", args: "apply -f missing.yaml", code: 1, stderr: `the path "missing.yaml" does not exist`},
		{name: "help", args: "help", stdout: "Basic Commands (Beginner)"},
		{name: "not port-forward", args: "port-forward web 80", code: 1, stderr: "a browser tab has no ports to listen on"},
		{name: "verbose", args: "get nodes -v=6", stdout: "node-1", stderr: "round_trippers"},
		{name: "whoami", args: "auth whoami", stdout: "kubernetes-admin"},
		{name: "ends the program", args: "auth can-i create pods", code: 1, stdout: "no"},
		{name: "after that", args: "get nodes", stdout: "node-3"},
	} {
		if step.name == "file" {
			call[any](page, "write", "nginx-deployment.yaml", nginx)
		}
		got := page.run(step.args, step.stdin, step.stop)
		t.Logf("%6.0f ms  kubectl %s", got.Milliseconds, step.args)
		if got.Code != step.code || !strings.Contains(got.Stdout, step.stdout) || !strings.Contains(got.Stderr, step.stderr) {
			t.Errorf("%s: kubectl %s: exit code %d, want %d\nstdout, which should contain %q:\n%s\nstderr, which should contain %q:\n%s",
				step.name, step.args, got.Code, step.code, step.stdout, got.Stdout, step.stderr, got.Stderr)
		}
	}

	if got := call[string](page, "read", "x.yaml"); got != nginx {
		t.Errorf("what was copied there and back is\n%s", got)
	}

	t.Run("completion", func(t *testing.T) {
		for _, words := range []struct{ line, want string }{
			{"get dep", "deployments.apps"},
			{"get nodes node", "node-2"},
			{"rol", "rollout"},
			{"get pods -n sh", "shop"},
		} {
			values := call[[]string](page, "complete", strings.Split(words.line, " "))
			if !strings.Contains(strings.Join(values, " "), words.want) {
				t.Errorf("kubectl %s: completions %q, want %q among them", words.line, values, words.want)
			}
		}
	})
}

// TestSameAsNative compares what the page's kubectl prints, and how it ends, with
// the same version of kubectl compiled for this machine.
func TestSameAsNative(t *testing.T) {
	native, err := filepath.Abs(filepath.Join("..", "..", "bin", "kubectl"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(native); errors.Is(err, fs.ErrNotExist) {
		t.Skip("bin/kubectl is not built: go build -o bin/kubectl ./test/kubectl")
	}
	url := serve(t, builtModules(t), newCluster(t))
	page := open(t, url)
	call[any](page, "write", "nginx-deployment.yaml", nginx)
	for _, args := range []string{"apply -f nginx-deployment.yaml", "rollout status deployment/nginx-deployment"} {
		if got := page.run(args, "", ""); got.Code != 0 {
			t.Fatalf("kubectl %s: %s", args, got.Stderr)
		}
	}
	// No ages: time passes between the two.
	for _, args := range []string{
		"get deployment nginx-deployment -o yaml",
		"get deployment nginx-deployment -o json --show-managed-fields",
		"get pods -o custom-columns=N:.metadata.name,P:.status.phase,I:.spec.containers[*].image",
		"get pods -o jsonpath={range.items[*]}{.metadata.name}{end}",
		"get pods -o go-template={{range.items}}{{.metadata.name}}{{end}}",
		"get namespaces default -o name",
		"create deployment x --image=nginx --dry-run=client -o yaml",
		"expose deployment nginx-deployment --port=80 --dry-run=client -o yaml",
		"rollout history deployment/nginx-deployment --revision=1",
		"label nodes node-1 x=y --dry-run=server",
		"explain pods",
		"explain pod.spec.containers --recursive",
		"api-resources",
		"api-resources --namespaced=false -o wide",
		"api-versions",
		"get --help",
		"create secret --help",
		"set image --help",
		"rollout",
		"get",
		"get pods nope",
		"get pods -o nope",
		"get unicorns",
		"create foo",
		"get pods --foo",
		"logs nope",
		"describe pods nope",
		"scale deployment nginx-deployment",
		"taint nodes node-1 a",
		"rollout status deployment nope",
		"wait --for=condition=Ready pod --all",
	} {
		got := page.run(args, "", "")
		command := exec.CommandContext(t.Context(), native, append([]string{"--server=" + url}, strings.Fields(args)...)...)
		command.Env = []string{"HOME=" + t.TempDir()}
		var stdout, stderr strings.Builder
		command.Stdout, command.Stderr = &stdout, &stderr
		if err := command.Run(); err != nil && command.ProcessState == nil {
			t.Fatal(err)
		}
		want := outcome{Code: command.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
		got.Milliseconds = 0
		if got != want {
			t.Errorf("kubectl %s:\nin the page: %+v\nnative: %+v", args, got, want)
		}
	}
}

// builtModules is the directory of the compiled modules.
func builtModules(t *testing.T) string {
	t.Helper()
	built := filepath.Join("..", "..", "build", "wasm")
	if _, err := os.Stat(filepath.Join(built, "kubectl.wasm")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("build/wasm/kubectl.wasm is not built: go run ./wasm/build kubectl")
	}
	return built
}

// newCluster returns the API of a simulated cluster whose time runs while a
// request is answered or the test waits.
func newCluster(t *testing.T) http.Handler {
	t.Helper()
	world, err := sim.New(t.Context(), sim.Config{Seed: 1, Start: time.Now(), Nodes: 3, API: engine.Config{OpenAPI: embedded.Source, Carrier: carry.Carrier{}}})
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(5 * time.Millisecond); t.Context().Err() == nil; <-tick.C {
			// Ten times as fast as the clock on the wall.
			if err := world.Run(t.Context(), world.Now().Add(50*time.Millisecond), nil); err != nil && t.Context().Err() == nil {
				t.Error(err)
				return
			}
		}
	}()
	t.Cleanup(func() { <-stopped })
	return world.Handler()
}

// serve serves the test's page, the compiled modules and the API.
func serve(t *testing.T, built string, cluster http.Handler) string {
	t.Helper()
	bundled := api.Build(api.BuildOptions{
		EntryPointsAdvanced: []api.EntryPoint{
			{InputPath: "testdata/page.ts", OutputPath: "page"},
			{InputPath: "../../web/app/kubectl-worker.ts", OutputPath: "kubectl-worker"},
		},
		Outdir: "/", Bundle: true, Format: api.FormatESModule, Target: api.ES2022,
	})
	if len(bundled.Errors) > 0 {
		t.Fatal(api.FormatMessages(bundled.Errors, api.FormatMessagesOptions{}))
	}
	mux := http.NewServeMux()
	for _, file := range bundled.OutputFiles {
		mux.HandleFunc("GET "+file.Path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(file.Contents)
		})
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`))
	})
	mux.Handle("GET /wasm/", http.StripPrefix("/wasm/", http.FileServer(http.Dir(built))))
	// can-i ends the program when the answer is no.
	mux.HandleFunc("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","status":{"allowed":false}}`))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if agent := r.Header.Get("Tidepool-User-Agent"); agent != "" {
			r.Header.Set("User-Agent", agent) // as server/site does
		}
		cluster.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.CloseClientConnections() // watches that the page holds open
		server.Close()
	})
	return server.URL
}

// A page is the test's page in a browser.
type page struct {
	t       *testing.T
	context context.Context
}

type outcome struct {
	Code           int
	Stdout, Stderr string
	Milliseconds   float64
}

func open(t *testing.T, url string) page {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelAllocator)
	browser, cancelBrowser := chromedp.NewContext(allocator)
	t.Cleanup(cancelBrowser)
	if _, err := chromedp.Run(browser, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return page{t, browser}
}

// call calls one of the functions that testdata/page.ts defines.
func call[T any](p page, function string, args ...any) T {
	p.t.Helper()
	encoded, err := json.Marshal(append([]any{}, args...)) // never null
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.context, time.Minute)
	defer cancel()
	result, err := chromedp.Run(ctx, chromedp.Evaluate[T](function+"(..."+string(encoded)+")", chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s(%s): %v", function, encoded, err)
	}
	return result
}

func (p page) run(args, stdin, interruptAt string) outcome {
	p.t.Helper()
	return call[outcome](p, "run", strings.Split(args, " "), stdin, interruptAt)
}
