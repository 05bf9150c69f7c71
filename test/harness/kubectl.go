package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// kubectl132 is the version that test/kubectl/v1.32 is built from, as Kubernetes
// counts: k8s.io/kubectl v0.32.4 is kubectl v1.32.4.
const kubectl132 = "v1.32.4"

// Kubectl132 builds kubectl 1.32, with which the parity fixtures were recorded,
// and returns the directory that it is in. The go command keeps the binary from
// one run to the next.
func Kubectl132(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(), "bin", "kubectl-1.32")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	const version = "k8s.io/component-base/version."
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "kubectl"),
		"-ldflags", "-X "+version+"gitVersion="+kubectl132+" -X "+version+"gitMajor=1 -X "+version+"gitMinor=32", ".")
	build.Dir = filepath.Join(Root(), "test", "kubectl", "v1.32")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building kubectl %s: %v\n%s", kubectl132, err, out)
	}
	return dir
}
