package serve

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"tidepool.dev/tidepool/test/harness"
)

// terminal is a kubectl that runs at a terminal of its own.
type terminal struct {
	*testing.T
	cmd  *exec.Cmd
	file *os.File

	mu   sync.Mutex
	seen bytes.Buffer
	done chan struct{} // closed once all has been seen
}

func atTerminal(t *testing.T, s *harness.Server, dir string, args ...string) *terminal {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), harness.Binary(t, "kubectl"), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "KUBECONFIG="+s.Kubeconfig)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{T: t, cmd: cmd, file: file, done: make(chan struct{})}
	go func() {
		defer close(term.done)
		buffer := make([]byte, 4096)
		for {
			n, err := file.Read(buffer)
			term.mu.Lock()
			term.seen.Write(buffer[:n])
			term.mu.Unlock()
			if err != nil { // on Linux, EIO when the last program has gone
				return
			}
		}
	}()
	return term
}

func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen.String()
}

// sees waits for a text, and forgets what came up to its end.
func (t *terminal) sees(text string) {
	t.Helper()
	harness.Eventually(t.T, "the terminal shows "+text, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		at := strings.Index(t.seen.String(), text)
		if at >= 0 {
			t.seen.Next(at + len(text))
		}
		return at >= 0
	})
}

func (t *terminal) types(keys string) {
	t.Helper()
	if _, err := t.file.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end and returns the exit code.
func (t *terminal) ends() int {
	t.Helper()
	select {
	case <-t.done:
	case <-time.After(time.Minute):
		t.Fatalf("it does not end; the terminal shows %q", t.text())
	}
	defer t.file.Close()
	var exit *exec.ExitError
	if err := t.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return t.cmd.ProcessState.ExitCode()
}

// TestTerminal works in containers at a terminal, over both protocols.
func TestTerminal(t *testing.T) {
	s := harness.Serve(t)
	dir := t.TempDir()
	s.Must(t, dir, "run", "box", "--image=busybox:1.36", "-i", "-t", "--restart=Always", "--attach=false", "--leave-stdin-open", "--", "sh")
	s.Must(t, dir, "wait", "--for=condition=Ready", "pod/box", "--timeout=60s")
	for _, protocol := range []string{"true", "false"} { // WebSocket, SPDY
		t.Run("websocket="+protocol, func(t *testing.T) {
			t.Setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", protocol)
			term := atTerminal(t, s, dir, "exec", "-it", "box", "--", "sh")
			term.sees("/ # ")
			term.types("cd /etc\recho wrong\x15cat hostx\x7fname\r")
			term.sees("\r\nbox\r\n/etc # ")
			term.types("sleep 1000\r")
			term.sees("sleep 1000\r\n")
			time.Sleep(100 * time.Millisecond) // it sleeps by now, or Ctrl-C ends the line: both give 130
			term.types("\x03")
			term.sees("^C\r\n/etc # ")
			term.types("echo $?; exit 9\r")
			term.sees("130\r\n")
			if code := term.ends(); code != 9 {
				t.Errorf("exit code %d", code)
			}

			// Whoever attaches to a shell sees its prompt, and leaves it running.
			term = atTerminal(t, s, dir, "attach", "-it", "box")
			term.sees("If you don't see a command prompt, try pressing enter.")
			term.sees("/ # ")
			term.types("echo at$((40+2))tached\r")
			term.sees("at42tached\r\n/ # ")
			if err := term.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			term.ends()
			if got := s.Must(t, dir, "get", "pod", "box", "-o", "jsonpath={.status.containerStatuses[0].restartCount}"); got != "0" {
				t.Errorf("the shell ended with its visitor: %s restarts", got)
			}
		})
	}
}
