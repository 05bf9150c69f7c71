// Package harness starts the built binaries for tests that need the whole.
package harness

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Root is the repository's root.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Binary returns the path of a built binary; the test fails where make build
// has not been run.
func Binary(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Root(), "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("bin/%s is missing: run make build first", name)
	}
	return path
}

// Server is a running tidepool serve.
type Server struct {
	// URL is the website's, with the token in its fragment.
	URL, APIURL, Kubeconfig string
	cmd                     *exec.Cmd
	stderr                  bytes.Buffer
}

var (
	siteLine = regexp.MustCompile(`Playground\s+(\S+)`)
	apiLine  = regexp.MustCompile(`Kubernetes API\s+(\S+)`)
)

// Serve starts tidepool serve on ports of its own and waits until it says that
// it is ready. It ends with the test.
func Serve(t testing.TB, flags ...string) *Server {
	t.Helper()
	Binary(t, "tidepool")
	s, err := Start(t.TempDir(), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// Start is Serve for more than one test: it keeps its data in a directory, and
// End ends it.
func Start(dir string, flags ...string) (*Server, error) {
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0", "--data-dir", dir}, flags...)
	s := &Server{cmd: exec.Command(filepath.Join(Root(), "bin", "tidepool"), args...), Kubeconfig: filepath.Join(dir, "kubeconfig")}
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if m := siteLine.FindStringSubmatch(line); m != nil {
			s.URL = m[1]
		}
		if m := apiLine.FindStringSubmatch(line); m != nil {
			s.APIURL = m[1]
		}
		if strings.Contains(line, "Ctrl-C") {
			return s, nil
		}
	}
	return nil, fmt.Errorf("tidepool serve ended: %v\n%s", s.cmd.Wait(), s.stderr.String())
}

// Stop interrupts the server as Ctrl-C does, and checks that it ends cleanly.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

// End is Stop outside of a test.
func (s *Server) End() error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("interrupting the server: %w", err)
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server did not end cleanly: %w\n%s", err, s.stderr.String())
	}
	return nil
}

// Kubectl runs real kubectl against the server in a directory and returns its
// output and exit code.
func (s *Server) Kubectl(t testing.TB, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return s.Run(t, dir, Binary(t, "kubectl"), args...)
}

// Run runs a program with KUBECONFIG and kubectl in its PATH.
func (s *Server) Run(t testing.TB, dir, program string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig, "HOME="+filepath.Dir(s.Kubeconfig),
		"PATH="+filepath.Join(Root(), "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s %v did not end\n%s%s", filepath.Base(program), args, out.String(), errs.String())
	}
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Must is Kubectl for commands that have to succeed.
func (s *Server) Must(t testing.TB, dir string, args ...string) string {
	t.Helper()
	stdout, stderr, code := s.Kubectl(t, dir, args...)
	if code != 0 {
		t.Fatalf("kubectl %s: exit %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// Eventually polls until ready says yes; what says for what it waits.
func Eventually(t testing.TB, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ready(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not after a minute: " + what)
		}
	}
}

// Manifest writes the introduction's Deployment into a directory.
func Manifest(t testing.TB, dir string, replicas int) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Root(), "lessons/courses/first-steps/first-deployment/files/nginx-deployment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), "replicas: 2", fmt.Sprintf("replicas: %d", replicas), 1)
	if err := os.WriteFile(filepath.Join(dir, "nginx-deployment.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return "nginx-deployment.yaml"
}
