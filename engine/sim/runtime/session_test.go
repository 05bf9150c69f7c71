package runtime

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/kubelet"
)

// client is who runs a command: it keeps what it has seen.
type client struct {
	*machine
	remote.Process
	out, err strings.Builder
	end      *remote.End
}

func (m *machine) run(id string, options remote.Options) *client {
	m.Helper()
	process, err := m.StartProcess(id, options, func() {})
	if err != nil {
		m.Fatal(err)
	}
	return &client{machine: m, Process: process}
}

// type types and waits a moment.
func (c *client) types(text string) {
	c.Write([]byte(text))
	c.look(time.Second)
}

func (c *client) look(wait time.Duration) {
	c.pass(wait)
	chunks, end := c.Read()
	for _, chunk := range chunks {
		if chunk.Stderr {
			c.err.Write(chunk.Data)
		} else {
			c.out.Write(chunk.Data)
		}
	}
	c.end = end
}

func (c *client) expect(out, errs string, code int) {
	c.Helper()
	c.look(time.Second)
	if c.out.String() != out || c.err.String() != errs {
		c.Errorf("it wrote %q and %q, not %q and %q", c.out.String(), c.err.String(), out, errs)
	}
	if c.end == nil || c.end.Err != nil || c.end.Code != code {
		c.Errorf("it ended with %+v, not %d", c.end, code)
	}
}

func box(m *machine, spec corev1.Container) (pod *corev1.Pod, id string) {
	m.Helper()
	pod = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "box", UID: "1"}}
	if spec.Image == "" {
		spec.Image, spec.Command = "busybox", []string{"sleep", "infinity"}
	}
	return pod, m.start(m.sandbox(pod).ID, spec)
}

func TestCommands(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	_, id := box(m, corev1.Container{})
	all := remote.Options{Stdin: true, Stdout: true, Stderr: true}
	exec := func(command ...string) *client {
		options := all
		options.Command = command
		return m.run(id, options)
	}
	exec("sh", "-c", "echo out; echo err >&2; exit 3").expect("out\n", "err\n", 3)
	exec("hostname").expect("box\n", "", 0)
	exec("cat", "/etc/hostname", "/etc/resolv.conf").expect("box\nnameserver 10.244.1.1\n", "", 0)

	c := exec("cat")
	c.types("one")
	c.types("two\n")
	if c.out.String() != "onetwo\n" || c.end != nil {
		t.Errorf("cat has written %q and ended %v", c.out.String(), c.end)
	}
	c.CloseInput()
	c.expect("onetwo\n", "", 0)

	c = exec("sh")
	c.types("cd /tmp\nX=5\nexit $X\n")
	c.expect("", "", 5)

	c = exec("none")
	c.look(time.Second)
	if c.end == nil || c.end.Err == nil || !strings.HasSuffix(c.end.Err.Error(), `exec: "none": executable file not found in $PATH: unknown`) {
		t.Errorf("got %+v", c.end)
	}

	// What runs ends with its client, and with its container.
	c = exec("sleep", "100")
	c.look(time.Second)
	exec("ps").expect("PID   USER     TIME  COMMAND\n    1 root      0:00 sleep infinity\n    9 root      0:00 sleep 100\n   10 root      0:00 ps\n", "", 0)
	c.Close()
	exec("ps").expect("PID   USER     TIME  COMMAND\n    1 root      0:00 sleep infinity\n   11 root      0:00 ps\n", "", 0)
	c = exec("sleep", "100")
	c.look(time.Second)
	m.StopContainer(id, 0, func(error) {})
	c.expect("", "", 137)
	if _, err := m.StartProcess(id, all, func() {}); err == nil || !strings.Contains(err.Error(), "container not running") {
		t.Errorf("a command in a container that has ended: %v", err)
	}
}

func TestTerminal(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	_, id := box(m, corev1.Container{})
	c := m.run(id, remote.Options{Command: []string{"sh"}, Stdin: true, Stdout: true, TTY: true})
	c.types("")
	for _, keys := range []string{
		"ecHo", "\x7f\x08", "ho  wrong", "\x17", "a\xc3", "\xa4\x1b[A\x1bOB\r", // corrected, with arrow keys in it
		"gone\x15", "sleep 100\r", "\x03", "cat\r", "line\r", "\x04", "ls -d \x03", "\x04",
	} {
		c.types(keys)
	}
	c.expect("/ # ecHo\b \b\b \bho  wrong\b \b\b \b\b \b\b \b\b \baä\r\naä\r\n"+
		"/ # gone\b \b\b \b\b \b\b \bsleep 100\r\n^C\r\n/ # cat\r\nline\r\nline\r\n/ # ls -d ^C\r\n/ # ", "", 130)
}

func TestAttach(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	_, id := box(m, corev1.Container{Image: "busybox", Command: []string{"sh"}, Stdin: true, StdinOnce: true})
	first := m.run(id, remote.Options{Stdout: true})
	second := m.run(id, remote.Options{Stdin: true, Stdout: true, Stderr: true})
	second.types("echo to all; echo error >&2\n")
	first.look(0)
	if first.out.String() != "to all\n" || first.err.String() != "" {
		t.Errorf("the first sees %q and %q", first.out.String(), first.err.String())
	}
	first.Close()
	second.types("exit 4\n")
	second.expect("to all\n", "error\n", 0)
	if len(m.ended) != 1 || m.ended[0].ExitCode != 4 {
		t.Errorf("ended: %+v", m.ended)
	}
}

// TestAVisitorLeaves has whoever attached go, which ends the input for a program
// that is there for one client alone, as containerd does it.
func TestAVisitorLeaves(t *testing.T) {
	for _, c := range []struct {
		name           string
		once, terminal bool
		ends           bool
	}{
		{"one client", true, false, true},
		{"one client at a terminal", true, true, false},
		{"any number of clients", false, false, false},
		{"any number of clients at a terminal", false, true, false},
	} {
		for _, leave := range []struct {
			how string
			do  func(client *client)
		}{
			{"ends its input", func(client *client) { client.CloseInput() }},
			{"goes", func(client *client) { client.Close() }},
		} {
			t.Run(c.name+" "+leave.how, func(t *testing.T) {
				m := newMachine(t, "10.244.1.0/24")
				_, id := box(m, corev1.Container{Image: "busybox", Command: []string{"sh"}, Stdin: true, StdinOnce: c.once, TTY: c.terminal})
				leave.do(m.run(id, remote.Options{Stdin: true, Stdout: true, TTY: c.terminal}))
				m.pass(time.Second)
				if ended := len(m.ended) == 1; ended != c.ends {
					t.Errorf("the program ended: %v", ended)
				}
			})
		}
	}
}

func TestAClientThatDoesNotRead(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	_, id := box(m, corev1.Container{})
	c := m.run(id, remote.Options{Command: []string{"sh", "-c", "while true; do seq 10000; done"}, Stdout: true})
	m.pass(10 * time.Second)
	c.look(0)
	if c.end == nil || c.end.Err == nil || c.out.Len() > maxOutput {
		t.Errorf("%d bytes are kept, the end is %+v", c.out.Len(), c.end)
	}
}

func TestDial(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	pod, _ := box(m, corev1.Container{Image: "nginx:1.27"})
	ask := func(text string) string {
		c, err := m.Dial(pod.UID, 80, func() {})
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(text) { // in the smallest pieces
			c.Write([]byte{text[i]})
		}
		m.pass(time.Second)
		data, ended, err := c.Read()
		if ended != strings.Contains(text, "close") || err != nil {
			t.Errorf("ended: %v, %v", ended, err)
		}
		return string(data)
	}
	const get = "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
	got := ask(get + "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 404 Not Found\r\nServer: nginx/1.27\r\n") ||
		!strings.HasSuffix(got, "Content-Type: text/html\r\nContent-Length: 615\r\nConnection: close\r\n\r\n") {
		t.Errorf("got %q", got)
	}
	if got := ask(get[:20]); got != "" {
		t.Errorf("half a request was answered: %q", got)
	}
	if got := ask("close: no HTTP\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 Bad Request\r\n") {
		t.Errorf("nonsense was answered with %q", got)
	}
	if _, err := m.Dial(pod.UID, 81, nil); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a port on which nobody listens: %v", err)
	}
	if _, err := m.Dial(types.UID("other"), 80, nil); err == nil {
		t.Error("there is a pod that does not exist")
	}
}

var _ kubelet.Runtime = (*Runtime)(nil)
