package runtime

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/kubelet"
)

// TestSharedProcesses: what a container for debugging sees of its target, and
// containers of one another in a pod that shares its processes.
func TestSharedProcesses(t *testing.T) {
	for name, test := range map[string]struct {
		pod    corev1.PodSpec
		target bool
		want   string
	}{
		"its own":        {corev1.PodSpec{}, false, "1 sh -c sleep 1000|2 sleep 1000|3 ps"},
		"of its target":  {corev1.PodSpec{}, true, "1 sleep infinity|2 sh -c sleep 1000|3 sleep 1000|4 ps"},
		"of the pod":     {corev1.PodSpec{ShareProcessNamespace: new(true)}, false, "1 /pause|2 sleep infinity|3 sh -c sleep 1000|4 sleep 1000|5 ps"},
		"of the machine": {corev1.PodSpec{HostPID: true}, false, "1 /sbin/init|2 sleep infinity|3 sh -c sleep 1000|4 sleep 1000|5 ps"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "10.244.1.0/24")
			sandbox := m.sandbox(&corev1.Pod{Spec: test.pod}).ID
			first := m.start(sandbox, corev1.Container{Image: "busybox", Command: []string{"sleep", "infinity"}})
			target := ""
			if test.target {
				target = first
			}
			debugger := m.startBeside(target, sandbox, corev1.Container{Image: "busybox", Command: []string{"sh", "-c", "sleep 1000"}})
			got := must(m, func(done func(kubelet.ExecResult, error)) { m.Exec(debugger, []string{"ps"}, time.Second, done) })
			var lines []string
			for _, line := range strings.Split(strings.TrimSpace(got.Output), "\n")[1:] {
				words := strings.Fields(line)
				lines = append(lines, words[0]+" "+strings.Join(words[3:], " "))
			}
			if list := strings.Join(lines, "|"); list != test.want {
				t.Errorf("got %s, want %s", list, test.want)
			}
		})
	}
}

// TestProcessesEndWithTheFirst: as in Linux, where the first process of a
// namespace takes the others with it.
func TestProcessesEndWithTheFirst(t *testing.T) {
	m := newMachine(t, "10.244.1.0/24")
	sandbox := m.sandbox(&corev1.Pod{}).ID
	first := m.start(sandbox, corev1.Container{Image: "busybox", Command: []string{"sleep", "infinity"}})
	debugger := m.startBeside(first, sandbox, corev1.Container{Image: "busybox", Command: []string{"sleep", "infinity"}})
	must(m, func(done func(any, error)) { m.StopContainer(first, time.Second, func(err error) { done(nil, err) }) })
	if c := m.containers[debugger]; c.status.State != kubelet.ContainerExited || c.status.ExitCode != 137 {
		t.Errorf("got %+v", c.status)
	}
}
