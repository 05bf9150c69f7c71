package serve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tidepool.dev/tidepool/test/harness"
)

// TestRemote runs commands in containers, copies files and forwards ports, over
// the protocols that kubectl knows.
func TestRemote(t *testing.T) {
	s := harness.Serve(t)
	dir := t.TempDir()
	s.Must(t, dir, "run", "web", "--image=nginx:1.27", "--port=80")
	s.Must(t, dir, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
	for _, protocol := range []string{"true", "false"} { // WebSocket, SPDY
		t.Run("websocket="+protocol, func(t *testing.T) {
			t.Setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", protocol)
			t.Setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", protocol)
			commands(t, s, dir)
			copies(t, s, dir)
			ports(t, s, dir)
		})
	}
	if got := s.Must(t, dir, "get", "--raw", "/api/v1/namespaces/default/pods/web:80/proxy/"); !strings.Contains(got, "Welcome to nginx!") {
		t.Errorf("through the proxy: %s", got)
	}
	s.Must(t, dir, "expose", "pod", "web", "--name=site")
	harness.Eventually(t, "the service has an endpoint", func() bool {
		stdout, _, _ := s.Kubectl(t, dir, "get", "--raw", "/api/v1/namespaces/default/services/site/proxy/")
		return strings.Contains(stdout, "Welcome to nginx!")
	})
}

func commands(t *testing.T, s *harness.Server, dir string) {
	if got := s.Must(t, dir, "exec", "web", "--", "sh", "-c", "hostname; cat /etc/hostname"); got != "web\nweb\n" {
		t.Errorf("got %q", got)
	}
	for _, test := range []struct {
		args, stderr string
		code         int
	}{
		{"exec web -- sh -c exit\t3", "command terminated with exit code 3\n", 3},
		{"exec web -- none", `exec: "none": executable file not found in $PATH`, 1},
		{"exec web -c other -- ls", "error: container other is not valid for pod web out of: web\n", 1},
		{"exec other -- ls", "Error from server (NotFound): pods \"other\" not found\n", 1},
	} {
		args := strings.Fields(strings.ReplaceAll(test.args, "\t", "\x00"))
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "\x00", " ")
		}
		_, stderr, code := s.Kubectl(t, dir, args...)
		if !strings.Contains(stderr, test.stderr) || code != test.code {
			t.Errorf("%s: exit %d, %s", test.args, code, stderr)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte("cd /etc\ncat hostname\nexit 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, code := s.Run(t, dir, "bash", "-c", "kubectl exec -i web -- sh < script"); stdout != "web\n" || code != 4 {
		t.Errorf("a script on the standard input: exit %d, %q, %s", code, stdout, stderr)
	}
}

func copies(t *testing.T, s *harness.Server, dir string) {
	content := strings.Repeat("0123456789abcdef\n", 20_000)
	if err := os.WriteFile(filepath.Join(dir, "page"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Must(t, dir, "cp", "page", "web:/usr/share/nginx/html/page")
	s.Must(t, dir, "cp", "web:/usr/share/nginx/html/page", "back")
	if back, err := os.ReadFile(filepath.Join(dir, "back")); string(back) != content {
		t.Errorf("%d bytes went, %d came back: %v", len(content), len(back), err)
	}
}

var forwarding = regexp.MustCompile(`Forwarding from (127\.0\.0\.1:\d+)`)

func ports(t *testing.T, s *harness.Server, dir string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, harness.Binary(t, "kubectl"), "port-forward", "pod/web", ":80")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "KUBECONFIG="+s.Kubeconfig)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // it has been killed
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	address := forwarding.FindStringSubmatch(line)
	if err != nil || address == nil {
		t.Fatalf("kubectl port-forward said %q: %v", line, err)
	}
	for i := range 3 {
		response, err := http.Get(fmt.Sprintf("http://%s/page?%d", address[1], i))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK || len(body) != 340_000 || err != nil {
			t.Errorf("%s, %d bytes, %v", response.Status, len(body), err)
		}
	}
}
