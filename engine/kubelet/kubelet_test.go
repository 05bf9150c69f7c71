package kubelet

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestCrashBackoff(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var b crashBackoff
	if _, wait := b.until(now, now); wait {
		t.Error("the first restart waits")
	}
	for _, want := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		b.next(now, now)
		now = now.Add(time.Second)
		ended := now // it crashed again
		until, wait := b.until(ended, now)
		if got := until.Sub(now); !wait || got != want*time.Second {
			t.Errorf("the restart waits for %v, want %v", got, want*time.Second)
		}
		now = until
		if _, wait := b.until(ended, now); wait {
			t.Error("it waits for longer than it said")
		}
	}
	now = now.Add(11 * time.Minute) // it ran well for long
	if _, wait := b.until(now, now); wait {
		t.Error("a container that ran well waits")
	}
	b.next(now, now)
	if b.delay != 10*time.Second {
		t.Errorf("the back-off goes on with %v", b.delay)
	}
}

func TestExpand(t *testing.T) {
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"A": "1", "B": "$(A)", "EMPTY": ""}[name]
		return value, ok
	}
	for text, want := range map[string]string{
		"":               "",
		"plain":          "plain",
		"$(A)":           "1",
		"x$(A)y$(A)":     "x1y1",
		"$(B)":           "$(A)", // once only
		"[$(EMPTY)]":     "[]",
		"$(NONE)":        "$(NONE)",
		"$$(A)":          "$(A)",
		"$$$(A)":         "$1",
		"$A ${A}":        "$A ${A}",
		"$(A":            "$(A",
		"50$":            "50$",
		"$":              "$",
		"$()":            "$()",
		"price: $$5 $$$": "price: $5 $$",
	} {
		if got := expand(text, lookup); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestResolvePort(t *testing.T) {
	c := &corev1.Container{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}
	for _, test := range []struct {
		port intstr.IntOrString
		want int
		err  string
	}{
		{intstr.FromInt32(80), 80, ""},
		{intstr.FromString("http"), 8080, ""},
		{intstr.FromString("81"), 81, ""},
		{intstr.FromString("web"), 0, `invalid port "web": strconv.Atoi: parsing "web": invalid syntax`},
		{intstr.FromInt32(0), 0, "invalid port number: 0"},
	} {
		got, err := resolvePort(c, test.port)
		if got != test.want || err == nil && test.err != "" || err != nil && err.Error() != test.err {
			t.Errorf("%v: got %d, %v", test.port, got, err)
		}
	}
}

// TestPhase sums containers up: i and I are init containers, s are sidecars, a
// are others; each is waiting, running, exited with 0 or exited with 1.
func TestPhase(t *testing.T) {
	for _, test := range []struct {
		policy  corev1.RestartPolicy
		inits   string // "i", "s": kind, then "w", "r", "0" or "1"
		apps    string
		stopped bool
		want    corev1.PodPhase
	}{
		{"Always", "", "w", false, "Pending"},
		{"Always", "", "r", false, "Running"},
		{"Always", "", "rw", false, "Pending"},
		{"Always", "", "1", false, "Running"},
		{"Always", "", "0", false, "Running"},
		{"Always", "", "r1", false, "Running"},
		{"Never", "", "0", false, "Succeeded"},
		{"Never", "", "1", false, "Failed"},
		{"Never", "", "01", false, "Failed"},
		{"Never", "", "0r", false, "Running"},
		{"OnFailure", "", "0", false, "Succeeded"},
		{"OnFailure", "", "1", false, "Running"},
		{"Always", "ir", "w", false, "Pending"},
		{"Always", "i1", "w", false, "Pending"},
		{"Never", "i1", "w", false, "Failed"},
		{"OnFailure", "i1", "w", false, "Pending"},
		{"Never", "i0", "r", false, "Running"},
		{"Never", "sr", "0", false, "Running"},
		{"Never", "s0", "0", false, "Succeeded"},
		{"Never", "s1", "0", false, "Succeeded"},
		{"Always", "", "0", true, "Succeeded"},
		{"Always", "", "1", true, "Failed"},
		{"Always", "", "w", true, "Failed"},
		{"Always", "", "0w", true, "Failed"},
	} {
		w := &worker{pod: &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: test.policy}}, stopped: test.stopped}
		add := func(kind containerKind, state byte) {
			c := &container{kind: kind, spec: &corev1.Container{}}
			switch state {
			case 'r':
				c.created, c.status.State = true, ContainerRunning
			case '0', '1':
				c.created, c.status.State, c.status.ExitCode = true, ContainerExited, int32(state-'0')
			}
			w.containers = append(w.containers, c)
		}
		for i := 0; i < len(test.inits); i += 2 {
			kind := initContainer
			if test.inits[i] == 's' {
				kind = sidecar
			}
			add(kind, test.inits[i+1])
		}
		w.inits, w.app = len(w.containers), len(test.apps)
		for i := range len(test.apps) {
			add(appContainer, test.apps[i])
		}
		if got := w.phase(); got != test.want {
			t.Errorf("%s, %q %q, stopped %v: got %s, want %s", test.policy, test.inits, test.apps, test.stopped, got, test.want)
		}
	}
}

func TestRestartRules(t *testing.T) {
	w := &worker{pod: &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever}}}
	c := &container{kind: appContainer, spec: &corev1.Container{RestartPolicyRules: []corev1.ContainerRestartRule{{
		Action:    corev1.ContainerRestartRuleActionRestart,
		ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42}},
	}}}}
	for code, want := range map[int32]bool{0: false, 1: false, 42: true} {
		c.status.ExitCode = code
		if got := w.restarts(c); got != want {
			t.Errorf("exit code %d: restarted %v", code, got)
		}
	}
	c.spec = &corev1.Container{RestartPolicy: new(corev1.ContainerRestartPolicyOnFailure)}
	for code, want := range map[int32]bool{0: false, 1: true} {
		c.status.ExitCode = code
		if got := w.restarts(c); got != want {
			t.Errorf("policy OnFailure, exit code %d: restarted %v", code, got)
		}
	}
}

func TestHostPortConflicts(t *testing.T) {
	port := func(ip string, protocol corev1.Protocol, number int32) hostPort {
		return hostPort{ip, protocol, number}
	}
	for _, test := range []struct {
		a, b hostPort
		want bool
	}{
		{port(anyIP, "TCP", 80), port(anyIP, "TCP", 80), true},
		{port(anyIP, "TCP", 80), port(anyIP, "TCP", 81), false},
		{port(anyIP, "TCP", 80), port(anyIP, "UDP", 80), false},
		{port("10.0.0.1", "TCP", 80), port(anyIP, "TCP", 80), true},
		{port("10.0.0.1", "TCP", 80), port("10.0.0.2", "TCP", 80), false},
	} {
		if got := test.a.conflicts(test.b); got != test.want {
			t.Errorf("%v and %v: got %v", test.a, test.b, got)
		}
	}
}
