package kubelet

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

type probeKind uint8

const (
	startup probeKind = iota
	liveness
	readiness
	probeKinds
)

func (k probeKind) String() string { return [...]string{"Startup", "Liveness", "Readiness"}[k] }

// probe is the state of one probe of one container.
type probe struct {
	spec *corev1.Probe // nil: the container has no such probe
	// active: it belongs to a running container and has not come to its end.
	active bool
	due    time.Time
	asking bool // it waits for an answer
	// round tells the answers to one container from those to its predecessor.
	round int
	// run counts equal answers in a row.
	run     int
	last    bool
	passed  bool // the startup or readiness probe has succeeded
	tripped bool // the startup or liveness probe has failed for good
}

// firstLook is how long after its start a container is first asked whether it is
// ready: about as long as a real kubelet needs to notice that it runs.
const firstLook = 300 * time.Millisecond

// beginProbes begins the probes of a container that has been started. A
// kubelet's probes tick from when it first saw the pod, only the readiness
// probe begins with the container.
func (w *worker) beginProbes(c *container) {
	for kind := range c.probes {
		p := &c.probes[kind]
		if p.spec == nil {
			continue
		}
		*p = probe{spec: p.spec, active: true, round: p.round + 1}
		if probeKind(kind) == readiness {
			p.due = w.now().Add(firstLook)
		} else {
			p.due = w.nextTick(p)
		}
	}
}

// nextTick is when a probe's next period begins.
func (w *worker) nextTick(p *probe) time.Time {
	period := time.Duration(max(p.spec.PeriodSeconds, 1)) * time.Second
	return w.now().Add(period - w.now().Sub(w.began)%period)
}

func (w *worker) endProbes(c *container) {
	for kind := range c.probes {
		p := &c.probes[kind]
		p.active, p.passed, p.tripped = false, false, false
	}
}

// runProbes asks what is due to be asked.
func (w *worker) runProbes() {
	for _, c := range w.containers {
		if !c.running() {
			continue
		}
		for kind := range c.probes {
			p := &c.probes[kind]
			if !p.active || p.asking {
				continue
			}
			if probeKind(kind) != startup && !c.started() {
				continue // it begins when the startup probe has succeeded
			}
			if w.terminal && probeKind(kind) != readiness {
				continue
			}
			if !w.due(p.due) {
				continue
			}
			period := time.Duration(max(p.spec.PeriodSeconds, 1)) * time.Second
			p.due = p.due.Add(period)
			if !p.due.After(w.now()) {
				p.due = w.nextTick(p)
			}
			w.wakeAt(p.due)
			if int32(w.now().Sub(c.status.StartedAt.Time)/time.Second) < p.spec.InitialDelaySeconds {
				continue
			}
			w.ask(c, probeKind(kind))
		}
	}
}

// ask makes one probe.
func (w *worker) ask(c *container, kind probeKind) {
	p := &c.probes[kind]
	p.asking = true
	round := p.round
	w.check(c, p.spec, func(ok bool, output string, warning bool) {
		w.post(func(ctx context.Context) {
			if p.round != round {
				return
			}
			p.asking = false
			if p.active {
				w.answered(ctx, c, kind, ok, output, warning)
			}
		})
	})
}

// check performs what a probe's spec says.
func (w *worker) check(c *container, spec *corev1.Probe, answer func(ok bool, output string, warning bool)) {
	timeout := time.Duration(max(spec.TimeoutSeconds, 1)) * time.Second
	fail := func(err error) { answer(false, err.Error(), false) }
	switch {
	case spec.Exec != nil:
		w.Runtime.Exec(c.status.ID, spec.Exec.Command, timeout, func(result ExecResult, err error) {
			switch {
			case err != nil:
				fail(err)
			case result.TimedOut:
				answer(false, fmt.Sprintf("command timed out: %q timed out after %s", commandLine(spec.Exec.Command), timeout), false)
			default:
				answer(result.ExitCode == 0, result.Output, false)
			}
		})
	case spec.HTTPGet != nil:
		request, err := w.httpGet(c, spec.HTTPGet)
		if err != nil {
			fail(err)
			return
		}
		request.Timeout = timeout
		w.Runtime.HTTPGet(request, func(status int, err error) {
			switch {
			case err != nil:
				fail(err)
			case status >= 300 && status < 400:
				answer(true, "Probe terminated redirects, Response body: ", true)
			default:
				answer(status >= 200 && status < 300, fmt.Sprintf("HTTP probe failed with statuscode: %d", status), false)
			}
		})
	case spec.TCPSocket != nil:
		port, err := resolvePort(c.spec, spec.TCPSocket.Port)
		if err != nil {
			fail(err)
			return
		}
		host := spec.TCPSocket.Host
		if host == "" {
			host = w.podIP()
		}
		w.Runtime.DialTCP(host, port, timeout, func(err error) {
			if err != nil {
				fail(err)
				return
			}
			answer(true, "", false)
		})
	case spec.GRPC != nil:
		service := ""
		if spec.GRPC.Service != nil {
			service = *spec.GRPC.Service
		}
		w.Runtime.CheckGRPC(w.podIP(), int(spec.GRPC.Port), service, timeout, func(err error) {
			if err != nil {
				fail(err)
				return
			}
			answer(true, "", false)
		})
	default:
		fail(fmt.Errorf("missing probe handler for %s:%s", w.fullName(), c.spec.Name))
	}
}

// answered counts an answer; at its threshold it becomes the probe's result.
func (w *worker) answered(ctx context.Context, c *container, kind probeKind, ok bool, output string, warning bool) {
	p := &c.probes[kind]
	switch {
	case !ok:
		w.recordContainer(ctx, c, corev1.EventTypeWarning, "Unhealthy", fmt.Sprintf("%s probe failed: %s", kind, output))
	case warning:
		w.recordContainer(ctx, c, corev1.EventTypeWarning, "ProbeWarning", fmt.Sprintf("%s probe warning: %s", kind, output))
	}
	if p.run > 0 && p.last == ok {
		p.run++
	} else {
		p.last, p.run = ok, 1
	}
	threshold := p.spec.SuccessThreshold
	if !ok {
		threshold = p.spec.FailureThreshold
	}
	if p.run < int(threshold) {
		return
	}
	switch kind {
	case startup:
		p.active = false
		p.passed, p.tripped = ok, !ok
		w.dirty = true
		if next := &c.probes[readiness]; ok && next.active {
			next.due = w.now()
		}
	case liveness:
		if !ok {
			p.active, p.tripped = false, true
		}
	case readiness:
		w.dirty = w.dirty || p.passed != ok
		p.passed = ok
	}
}

// killUnhealthy ends the containers that must be restarted: because a probe says
// so, or because their image is to be another one.
func (w *worker) killUnhealthy(ctx context.Context) {
	for _, c := range w.containers {
		if !c.running() || c.killing || c.kind == initContainer {
			continue
		}
		name, grace := "Container "+c.spec.Name, w.terminationGrace()
		if c.kind == sidecar {
			name = "Init container " + c.spec.Name
		}
		switch {
		case c.spec.Image != c.from:
			w.kill(ctx, c, name+" definition changed, will be restarted", grace)
		case c.probes[liveness].tripped:
			w.killFor(ctx, c, name, liveness, grace)
		case c.probes[startup].tripped:
			w.killFor(ctx, c, name, startup, grace)
		}
	}
}

func (w *worker) killFor(ctx context.Context, c *container, name string, kind probeKind, grace time.Duration) {
	message := name + " failed " + strings.ToLower(kind.String()) + " probe"
	if c.kind == appContainer && w.restartable(c) {
		message += ", will be restarted"
	}
	if seconds := c.probes[kind].spec.TerminationGracePeriodSeconds; seconds != nil {
		grace = time.Duration(*seconds) * time.Second
	}
	w.kill(ctx, c, message, grace)
}

// restartable reports whether a container that is killed is started again.
func (w *worker) restartable(c *container) bool {
	if c.spec.RestartPolicy != nil {
		return *c.spec.RestartPolicy != corev1.ContainerRestartPolicyNever
	}
	return w.pod.Spec.RestartPolicy != corev1.RestartPolicyNever
}
