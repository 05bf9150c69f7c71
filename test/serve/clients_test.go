package serve

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidepool.dev/tidepool/test/harness"
)

// TestClients has programs that are written for Kubernetes meet Tidepool. They
// are tests themselves, in a module of their own (test/clients), so that their
// dependencies stay out of this one. Helm's, which take minutes to build where
// that has not been done before, run with TIDEPOOL_LONG only.
func TestClients(t *testing.T) {
	packages := []string{"./clientgo", "./operator"}
	if os.Getenv("TIDEPOOL_LONG") != "" {
		packages = append(packages, "./helm")
	}
	s := harness.Serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	tests := exec.CommandContext(ctx, "go", append([]string{"test"}, packages...)...)
	tests.Dir = filepath.Join(harness.Root(), "test", "clients")
	tests.Env = append(os.Environ(), "TIDEPOOL_KUBECONFIG="+s.Kubeconfig)
	if out, err := tests.CombinedOutput(); err != nil {
		t.Errorf("go test %s: %v\n%s", strings.Join(packages, " "), err, out)
	}
}
