//go:build !js

package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tidepool.dev/tidepool/test/parity"
)

// story is one list of commands that change a cluster and look at it. Each waits
// for what the next one relies on.
var story = []string{
	"get nodes",
	"get pods",
	"apply -f nginx-deployment.yaml",
	"wait --for=jsonpath={.status.readyReplicas}=2 deployment/nginx-deployment",
	`wait --for=jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=NewReplicaSetAvailable deployment/nginx-deployment`,
	"get deployment,replicasets,pods",
	"get deployment nginx-deployment -o wide",
	"get deployment nginx-deployment -o yaml",
	"get replicasets -o json --show-managed-fields",
	"apply -f nginx-deployment.yaml",
	"describe deployment nginx-deployment",
	"scale deployment nginx-deployment --replicas=3",
	"wait --for=jsonpath={.status.readyReplicas}=3 deployment/nginx-deployment",
	"set image deployment/nginx-deployment nginx=nginx:1.16.1",
	"wait --for=jsonpath={.status.updatedReplicas}=3 deployment/nginx-deployment",
	"wait --for=condition=Available deployment/nginx-deployment",
	"rollout history deployment/nginx-deployment",
	"rollout undo deployment/nginx-deployment",
	"rollout undo deployment/nginx-deployment --to-revision=9",
	"annotate deployment nginx-deployment note=hello",
	"label deployment nginx-deployment tier=web",
	"label deployment nginx-deployment tier=db",
	`patch deployment nginx-deployment -p {"spec":{"minReadySeconds":1}}`,
	`patch deployment nginx-deployment --type=json -p [{"op":"remove","path":"/spec/nothing"}]`,
	`patch deployment nginx-deployment -p {"spec":{"replicas":-1}}`,
	"autoscale deployment nginx-deployment --min=1 --max=3",
	"expose deployment nginx-deployment --port=80",
	"expose deployment nginx-deployment --port=80",
	"get service nginx-deployment",
	"create configmap texts --from-literal=a=b",
	"get configmap texts -o yaml --show-managed-fields",
	"create secret generic door --from-literal=code=1234",
	"describe secret door",
	"get secret door -o yaml",
	"create namespace shop",
	"create quota limited --hard=pods=1 -n shop",
	"run first --image=nginx:1.14.2 -n shop",
	"run second --image=nginx:1.14.2 -n shop",
	"wait --for=condition=Ready pod/first -n shop",
	"get pods -n shop",
	"describe quota -n shop",
	"create job once --image=busybox -- sh -c true",
	"wait --for=condition=Complete job/once",
	"get jobs",
	"apply --server-side -f nginx-deployment.yaml",
	"cordon node-1",
	"get node node-1",
	"taint node node-2 a=b:NoSchedule",
	"uncordon node-1",
	"auth whoami",
	"api-resources",
	"explain deployment.spec.strategy",
	"delete deployment nginx-deployment",
	"delete deployment nginx-deployment",
	"delete namespace shop",
	"get pods -n shop",
	"get namespaces",
}

// TestSameStory has the page's kubectl and the same version compiled for this
// machine each take a cluster of its own, equal at the start, through the story.
// They print the same, but for times and random names.
func TestSameStory(t *testing.T) {
	native, err := filepath.Abs(filepath.Join("..", "..", "bin", "kubectl"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(native); err != nil {
		t.Skip("bin/kubectl is not built: go build -o bin/kubectl ./test/kubectl")
	}
	built := builtModules(t)
	pageURL, nativeURL := serve(t, built, newCluster(t)), serve(t, built, newCluster(t))
	page, dir, home := open(t, pageURL), t.TempDir(), t.TempDir()
	call[any](page, "write", "nginx-deployment.yaml", nginx)
	if err := os.WriteFile(filepath.Join(dir, "nginx-deployment.yaml"), []byte(nginx), 0o600); err != nil {
		t.Fatal(err)
	}
	normal := func(text string) string {
		return strings.Join(parity.Normalise(text, []parity.Replacement{{Old: pageURL, New: "SERVER"}, {Old: nativeURL, New: "SERVER"}}), "\n")
	}
	for _, args := range story {
		got := page.run(args, "", "")
		command := exec.CommandContext(t.Context(), native, append([]string{"--server=" + nativeURL}, strings.Fields(args)...)...)
		command.Dir, command.Env = dir, []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
		var stdout, stderr strings.Builder
		command.Stdout, command.Stderr = &stdout, &stderr
		if err := command.Run(); err != nil && command.ProcessState == nil {
			t.Fatal(err)
		}
		same := func(what, got, want string) {
			if got, want := normal(got), normal(want); got != want {
				t.Errorf("kubectl %s: %s in the page:\n%s\nnatively:\n%s", args, what, got, want)
			}
		}
		if want := command.ProcessState.ExitCode(); got.Code != want {
			t.Errorf("kubectl %s: exit code %d in the page, %d natively", args, got.Code, want)
		}
		same("output", got.Stdout, stdout.String())
		same("errors", got.Stderr, stderr.String())
	}
}
