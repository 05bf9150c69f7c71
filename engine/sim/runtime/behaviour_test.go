package runtime

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"tidepool.dev/tidepool/engine/api/logs"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/kubelet"
)

// machine is a runtime under virtual time, of which the test waits for the
// answers.
type machine struct {
	*testing.T
	*Runtime
	clock *clock.Virtual
	ended []kubelet.ContainerStatus
}

func newMachine(t *testing.T, cidr string) *machine {
	virtual := clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	m := &machine{T: t, clock: virtual, Runtime: New(Config{
		Clock: virtual, Random: rand.New(rand.NewPCG(1, 1)), PodCIDR: netip.MustParsePrefix(cidr), HostIP: "172.18.0.2",
	})}
	m.Watch(func(status kubelet.ContainerStatus) { m.ended = append(m.ended, status) })
	return m
}

// pass lets a time pass.
func (m *machine) pass(d time.Duration) {
	end := m.clock.Now().Add(d)
	for {
		for m.clock.Fire() {
		}
		next, ok := m.clock.Next()
		if !ok || next.After(end) {
			m.clock.Set(end)
			return
		}
		m.clock.Set(next)
	}
}

// answer waits a minute for the answer to an operation.
func answer[T any](m *machine, ask func(done func(T, error))) (T, error) {
	m.Helper()
	var value T
	var failed error
	answers := 0
	ask(func(v T, err error) { value, failed, answers = v, err, answers+1 })
	m.pass(time.Minute)
	if answers != 1 {
		m.Fatalf("%d answers", answers)
	}
	return value, failed
}

func must[T any](m *machine, ask func(done func(T, error))) T {
	m.Helper()
	value, err := answer(m, ask)
	if err != nil {
		m.Fatal(err)
	}
	return value
}

func (m *machine) sandbox(pod *corev1.Pod) kubelet.Sandbox {
	m.Helper()
	return must(m, func(done func(kubelet.Sandbox, error)) { m.RunSandbox(pod, 0, done) })
}

func (m *machine) start(sandbox string, spec corev1.Container) string {
	m.Helper()
	return m.startBeside("", sandbox, spec)
}

// startBeside starts a container that sees the processes of a target.
func (m *machine) startBeside(target, sandbox string, spec corev1.Container) string {
	m.Helper()
	pulled := must(m, func(done func(kubelet.Image, error)) { m.PullImage(spec.Image, done) })
	config := kubelet.ContainerConfig{Target: target, Container: &spec, Image: pulled, Command: spec.Command}
	id := must(m, func(done func(string, error)) { m.CreateContainer(sandbox, config, done) })
	must(m, func(done func(kubelet.ContainerStatus, error)) { m.StartContainer(id, done) })
	return id
}

func TestPullsTakeTheirTime(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	pull := func(name string) (took time.Duration) {
		began := m.clock.Now()
		m.PullImage(name, func(_ kubelet.Image, err error) {
			if err != nil {
				t.Error(err)
			}
			took = m.clock.Now().Sub(began)
		})
		m.pass(time.Minute)
		return took
	}
	small, large, again := pull("busybox"), pull("nginx:1.14.2"), pull("nginx:1.14.2")
	if small <= 0 || large <= small || again >= large || large > 500*time.Millisecond {
		t.Errorf("busybox took %v, nginx %v and the second time %v", small, large, again)
	}
	list := must(m, func(done func([]kubelet.Image, error)) { m.Images(done) })
	if len(list) != 2 || list[0].Name != "docker.io/library/nginx:1.14.2" || !strings.HasPrefix(list[0].Ref, "docker.io/library/nginx@sha256:") {
		t.Errorf("images: %+v", list)
	}
}

func TestTooLittleMemory(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	spec := corev1.Container{Name: "nginx", Image: "nginx:1.14.2"}
	spec.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Mi")}
	m.start(m.sandbox(&corev1.Pod{}).ID, spec)
	if len(m.ended) != 1 || m.ended[0].Reason != "OOMKilled" || m.ended[0].ExitCode != 137 {
		t.Errorf("ended: %+v", m.ended)
	}
}

func TestHostNetwork(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	pod := &corev1.Pod{Spec: corev1.PodSpec{HostNetwork: true}}
	first, second := m.sandbox(pod), m.sandbox(pod)
	if len(first.IPs) != 0 {
		t.Errorf("addresses: %v", first.IPs)
	}
	m.start(first.ID, corev1.Container{Image: "nginx:1.14.2"})
	m.start(second.ID, corev1.Container{Image: "nginx:1.14.2"})
	if len(m.ended) != 1 || m.ended[0].ExitCode != 1 {
		t.Errorf("two servers got the same port: %+v", m.ended)
	}
	status := must(m, func(done func(int, error)) {
		m.HTTPGet(kubelet.HTTPGet{Host: "172.18.0.2", Port: 80, Path: "/", Timeout: time.Second}, done)
	})
	if status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestNetworkErrors(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	ip := m.sandbox(&corev1.Pod{}).IPs[0]
	_, err := answer(m, func(done func(int, error)) {
		m.HTTPGet(kubelet.HTTPGet{Host: ip, Port: 80, Path: "/x", Timeout: time.Second}, done)
	})
	if want := fmt.Sprintf(`Get "http://%s:80/x": dial tcp %s:80: connect: connection refused`, ip, ip); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = answer(m, func(done func(bool, error)) {
		m.DialTCP("10.1.2.3", 80, time.Second, func(err error) { done(false, err) })
	})
	if err == nil || err.Error() != "dial tcp 10.1.2.3:80: i/o timeout" {
		t.Errorf("got %v", err)
	}
	_, err = answer(m, func(done func(bool, error)) {
		m.CheckGRPC(ip, 9000, "", time.Second, func(err error) { done(false, err) })
	})
	if want := fmt.Sprintf("timeout: failed to connect service %q within 1s: context deadline exceeded", ip+":9000"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAddressesAreUsedInTurn(t *testing.T) {
	a := newAddresses(netip.MustParsePrefix("10.244.1.0/29")) // .2 to .6
	take := func() string {
		ip, err := a.take()
		if err != nil {
			return "none"
		}
		return ip.String()
	}
	var got []string
	for range 6 {
		got = append(got, take())
	}
	a.give(netip.MustParseAddr("10.244.1.5"))
	a.give(netip.MustParseAddr("10.244.1.2"))
	got = append(got, take(), take(), take())
	want := "[10.244.1.2 10.244.1.3 10.244.1.4 10.244.1.5 10.244.1.6 none 10.244.1.2 10.244.1.5 none]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestStoppedSandboxes(t *testing.T) {
	m := newMachine(t, "10.244.1.0/29")
	s := m.sandbox(&corev1.Pod{})
	id := m.start(s.ID, corev1.Container{Image: "busybox", Command: []string{"sleep", "infinity"}})
	must(m, func(done func(bool, error)) { m.StopSandbox(s.ID, func(err error) { done(true, err) }) })
	if len(m.ended) != 1 || m.ended[0].ID != id || m.ended[0].ExitCode != 137 {
		t.Errorf("ended: %+v", m.ended)
	}
	if _, err := m.Log(id, nil); err != nil {
		t.Errorf("the log is gone too early: %v", err)
	}
	if _, err := answer(m, func(done func(kubelet.ExecResult, error)) { m.Exec(id, []string{"true"}, time.Second, done) }); err == nil {
		t.Error("a command ran in a container that has ended")
	}
	must(m, func(done func(bool, error)) { m.RemoveSandbox(s.ID, func(err error) { done(true, err) }) })
	if _, err := m.Log(id, nil); err == nil {
		t.Error("the log is still there")
	}
	_, err := answer(m, func(done func(string, error)) {
		m.CreateContainer(s.ID, kubelet.ContainerConfig{Container: &corev1.Container{}}, done)
	})
	if err == nil {
		t.Error("a container was created in a sandbox that is gone")
	}
}

func TestLog(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	id := m.start(m.sandbox(&corev1.Pod{}).ID, corev1.Container{Image: "busybox",
		Command: []string{"sh", "-c", "echo -n par; sleep 100; echo tial; nope; sleep 100; seq 2500; echo -n end"}})
	woken := 0
	reader, err := m.Log(id, func() { woken++ })
	if err != nil {
		t.Fatal(err)
	}
	if lines, ended := reader.Next(nil, 10); len(lines) != 0 || ended {
		t.Errorf("too early: %v", lines)
	}
	m.pass(time.Minute)
	lines, ended := reader.Next(nil, 1)
	if len(lines) != 1 || lines[0].Text != "partial" || lines[0].Stderr || ended || woken == 0 {
		t.Errorf("got %+v, ended %v, woken %d times", lines, ended, woken)
	}
	lines, _ = reader.Next(lines[:0], 10)
	if len(lines) != 1 || lines[0].Text != "sh: nope: not found" || !lines[0].Stderr {
		t.Errorf("got %+v", lines)
	}
	m.pass(2 * time.Minute)
	lines, ended = reader.Next([]logs.Line{}, 10_000)
	if len(lines) > maxLines || lines[len(lines)-1].Text != "end" || lines[len(lines)-2].Text != "2500" || !ended {
		t.Errorf("got %d lines, ended %v", len(lines), ended)
	}
	reader.Stop()
}

func TestExec(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	id := m.start(m.sandbox(&corev1.Pod{}).ID, corev1.Container{Image: "busybox", Command: []string{"sleep", "infinity"}})
	exec := func(command ...string) (kubelet.ExecResult, error) {
		return answer(m, func(done func(kubelet.ExecResult, error)) { m.Exec(id, command, 10*time.Second, done) })
	}
	if got, err := exec("sh", "-c", "echo a; nope; exit 3"); err != nil || got.ExitCode != 3 || got.Output != "a\nsh: nope: not found\n" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := exec("sleep", "60"); err != nil || !got.TimedOut {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := exec("nope"); err == nil || !strings.Contains(err.Error(), `exec: "nope": executable file not found in $PATH`) {
		t.Errorf("got %v", err)
	}
}
