package serve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidepool.dev/tidepool/test/harness"
)

// TestKustomize builds a variant of some manifests with kubectl -k, as two
// versions of kubectl do it, and takes it through its life.
func TestKustomize(t *testing.T) {
	versions := map[string]string{
		"1.32": filepath.Join(harness.Kubectl132(t), "kubectl"),
		"1.37": harness.Binary(t, "kubectl"),
	}
	for version, kubectl := range versions {
		t.Run(version, func(t *testing.T) {
			s, dir := harness.Serve(t), t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("testdata/kustomize")); err != nil {
				t.Fatal(err)
			}
			run := func(args ...string) string {
				t.Helper()
				stdout, stderr, code := s.Run(t, dir, kubectl, args...)
				if code != 0 {
					t.Fatalf("kubectl %v: exit %d\n%s%s", args, code, stdout, stderr)
				}
				return stdout
			}
			is := func(got, want string) {
				t.Helper()
				if got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
			}
			is(run("apply", "-k", "production"), `namespace/shop created
configmap/prod-web-texts-66g2g6m649 created
service/prod-web created
deployment.apps/prod-web created
`)
			run("rollout", "status", "deployment/prod-web", "-n", "shop", "--timeout=60s")
			is(run("get", "deployment", "prod-web", "-n", "shop", "-o", "jsonpath={.status.readyReplicas} {.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].envFrom[0].configMapRef.name} {.metadata.labels.tier}"),
				"3 nginx:1.16.1 prod-web-texts-66g2g6m649 production")
			if _, stderr, code := s.Run(t, dir, kubectl, "diff", "-k", "production"); code != 0 {
				t.Errorf("there is a difference right after applying: exit %d\n%s", code, stderr)
			}

			texts := filepath.Join(dir, "production", "texts.properties")
			if err := os.WriteFile(texts, []byte("greeting=bye\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if changed := run("apply", "-k", "production"); strings.Count(changed, "configmap/prod-web-texts-") != 1 ||
				!strings.Contains(changed, "deployment.apps/prod-web configured") || !strings.Contains(changed, "service/prod-web unchanged") {
				t.Errorf("with another text:\n%s", changed)
			}
			run("rollout", "status", "deployment/prod-web", "-n", "shop", "--timeout=60s")
			run("delete", "-k", "production", "--timeout=60s")
			is(run("get", "all,configmaps", "-n", "shop", "-o", "name"), "")
		})
	}
}
