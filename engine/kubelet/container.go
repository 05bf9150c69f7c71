package kubelet

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

type containerKind uint8

const (
	initContainer containerKind = iota
	sidecar                     // an init container that is always restarted
	appContainer
	ephemeralContainer // for debugging: it runs once, and nothing waits for it
)

// container is what the kubelet knows of one container of a pod, through all
// its restarts.
type container struct {
	kind containerKind
	spec *corev1.Container
	// target is the container whose processes this one is to see.
	target string

	// created: there is a container in the runtime, with the status; previous
	// is how the one before it ended.
	created  bool
	attempt  int
	from     string // the image as the spec named it then
	image    Image
	status   ContainerStatus
	previous *corev1.ContainerStateTerminated
	// dead is the ID of the one before, kept for its log.
	dead string

	// shown: the API has been told how it ended, or that will not happen.
	shown bool
	// waiting is why it is not running although it should be.
	waiting *corev1.ContainerStateWaiting
	// retryAt is when a failed start may be tried again.
	retryAt time.Time
	backoff crashBackoff

	// killing: it is being ended, with this grace period, until killBy.
	killing   bool
	killGrace time.Duration
	killBy    time.Time

	probes [probeKinds]probe
	mounts []corev1.VolumeMountStatus
}

func newContainer(spec *corev1.Container, kind containerKind) container {
	c := container{kind: kind, spec: spec}
	c.probes[startup].spec = spec.StartupProbe
	c.probes[liveness].spec = spec.LivenessProbe
	c.probes[readiness].spec = spec.ReadinessProbe
	if kind == initContainer {
		c.probes = [probeKinds]probe{}
	}
	for i := range spec.VolumeMounts {
		c.mounts = append(c.mounts, mountStatus(&spec.VolumeMounts[i]))
	}
	return c
}

func mountStatus(mount *corev1.VolumeMount) corev1.VolumeMountStatus {
	status := corev1.VolumeMountStatus{Name: mount.Name, MountPath: mount.MountPath, ReadOnly: mount.ReadOnly}
	if mount.ReadOnly {
		status.RecursiveReadOnly = &recursiveReadOnlyDisabled
	}
	return status
}

var recursiveReadOnlyDisabled = corev1.RecursiveReadOnlyDisabled

// see takes note of the container's newest spec.
func (c *container) see(spec *corev1.Container) { c.spec = spec }

func (c *container) running() bool { return c.created && c.status.State == ContainerRunning }
func (c *container) exited() bool  { return c.created && c.status.State == ContainerExited }

// started reports whether the container runs and has passed its startup probe.
func (c *container) started() bool {
	return c.running() && (c.probes[startup].spec == nil || c.probes[startup].passed)
}

func (c *container) ready() bool {
	switch {
	case c.kind == initContainer:
		return c.exited() && c.status.ExitCode == 0
	case !c.started():
		return false
	}
	return c.probes[readiness].spec == nil || c.probes[readiness].passed
}

// restarts reports whether the container is to be started again after it ended.
func (w *worker) restarts(c *container) bool {
	code := c.status.ExitCode
	if c.kind == sidecar {
		return true
	}
	for i := range c.spec.RestartPolicyRules {
		rule := &c.spec.RestartPolicyRules[i]
		if rule.Action == corev1.ContainerRestartRuleActionRestart && rule.ExitCodes != nil && matches(rule.ExitCodes, code) {
			return true
		}
	}
	policy := w.pod.Spec.RestartPolicy
	if c.spec.RestartPolicy != nil {
		policy = corev1.RestartPolicy(*c.spec.RestartPolicy)
	}
	if c.kind == initContainer && policy == corev1.RestartPolicyAlways {
		policy = corev1.RestartPolicyOnFailure
	}
	switch policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return code != 0
	}
	return true
}

func matches(rule *corev1.ContainerRestartRuleOnExitCodes, code int32) bool {
	in := slices.Contains(rule.Values, code)
	return in == (rule.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn)
}

// initialized reports whether the init containers have done their work once.
func (w *worker) initialized() bool {
	for _, c := range w.appContainers() {
		if c.created {
			return true
		}
	}
	for _, c := range w.initContainers() {
		if c.kind == sidecar && !c.started() || c.kind == initContainer && !c.ready() {
			return false
		}
	}
	return true
}

// nextToStart returns the container that is to be started now, if any.
func (w *worker) nextToStart(ctx context.Context) *container {
	for _, c := range w.ephemeral() {
		if !c.created && w.startable(ctx, c) {
			return c
		}
	}
	initialized := w.initialized()
	for _, c := range w.containers[:w.inits+w.app] {
		switch c.kind {
		case initContainer:
			if initialized || c.ready() {
				continue
			}
			if !c.running() && w.startable(ctx, c) {
				return c
			}
			return nil // the others wait for it
		case sidecar:
			if !c.running() && w.startable(ctx, c) {
				return c
			}
			if !initialized && !c.started() {
				return nil
			}
		default:
			if !c.running() && w.startable(ctx, c) {
				return c
			}
		}
	}
	return nil
}

// startable reports whether a container that does not run is to be started now;
// if it is only to be started later, it sees to that.
func (w *worker) startable(ctx context.Context, c *container) bool {
	if !c.exited() {
		return w.due(c.retryAt)
	}
	if !c.shown || !w.restarts(c) || !w.due(c.retryAt) {
		return false
	}
	until, backingOff := c.backoff.until(c.status.FinishedAt.Time, w.now())
	if !backingOff {
		return true
	}
	if c.waiting == nil || c.waiting.Reason != "CrashLoopBackOff" {
		w.recordContainer(ctx, c, corev1.EventTypeWarning, "BackOff",
			fmt.Sprintf("Back-off restarting failed container %s in pod %s", c.spec.Name, w.fullName()))
		w.wait(c, "CrashLoopBackOff", fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", c.backoff.delay, c.spec.Name, w.fullName()))
	}
	w.wakeAt(until)
	return false
}

// fullName names the pod as kubelets do: name_namespace(uid).
func (w *worker) fullName() string {
	return fmt.Sprintf("%s_%s(%s)", w.pod.Name, w.pod.Namespace, w.pod.UID)
}

// wait notes why a container is not running.
func (w *worker) wait(c *container, reason, message string) {
	c.waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
	w.dirty = true
}

// start begins to start a container: its image first.
func (w *worker) start(ctx context.Context, c *container) {
	if c.exited() {
		c.backoff.next(c.status.FinishedAt.Time, w.now())
	}
	w.ensureImage(ctx, c)
}

// failStart ends a container's start-up; it is tried again after a while.
func (w *worker) failStart(c *container, reason, message string, retry time.Duration) {
	w.op = opNone
	c.retryAt = w.now().Add(retry)
	w.wait(c, reason, message)
}

func (w *worker) create(ctx context.Context, c *container, image Image) {
	config, err := w.containerConfig(c, image)
	if err != nil {
		w.recordContainer(ctx, c, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
		w.failStart(c, "CreateContainerConfigError", err.Error(), retryPeriod)
		return
	}
	w.op = opCreate
	w.Runtime.CreateContainer(w.sandbox.ID, config, func(id string, err error) {
		w.post(func(ctx context.Context) { w.containerCreated(ctx, c, config, id, err) })
	})
}

func (w *worker) containerCreated(ctx context.Context, c *container, config ContainerConfig, id string, err error) {
	if err != nil {
		w.recordContainer(ctx, c, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
		w.failStart(c, "CreateContainerError", err.Error(), retryPeriod)
		return
	}
	if c.created {
		if c.dead != "" {
			w.Runtime.RemoveContainer(c.dead, func(error) {})
		}
		c.dead = c.status.ID
		if c.exited() {
			c.previous = w.terminated(c)
		}
		w.disown(c.status.ID)
	}
	c.created, c.killing, c.shown = true, false, false
	c.attempt = config.Attempt
	c.from, c.image = config.Container.Image, config.Image
	c.status = ContainerStatus{ID: id, State: ContainerCreated}
	w.own(id, w)
	w.recordContainer(ctx, c, corev1.EventTypeNormal, "Created", "Container created")
	if w.terminal {
		w.op = opNone
		return
	}
	w.Runtime.StartContainer(id, func(status ContainerStatus, err error) {
		w.post(func(ctx context.Context) { w.containerStarted(ctx, c, status, err) })
	})
}

func (w *worker) containerStarted(ctx context.Context, c *container, status ContainerStatus, err error) {
	w.op = opNone
	w.dirty = true
	c.retryAt = time.Time{}
	if err != nil {
		w.recordContainer(ctx, c, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
		w.wait(c, "RunContainerError", err.Error())
		if status.State == ContainerExited {
			c.status = status // it counts as a crash
		} else {
			c.retryAt = w.now().Add(retryPeriod)
		}
		return
	}
	c.waiting = nil
	w.recordContainer(ctx, c, corev1.EventTypeNormal, "Started", "Container started")
	if c.exited() {
		return // it has ended already, and its end was reported first
	}
	c.status = status
	w.beginProbes(c)
	w.postStart(c)
}

// containerEnded takes note of the end of a container.
func (w *worker) containerEnded(status ContainerStatus) {
	for _, c := range w.containers {
		if c.created && c.status.ID == status.ID && !c.exited() {
			c.status = status
			c.killing = false
			w.endProbes(c)
			w.dirty = true
		}
	}
}

// terminated is the end of the container that was created last.
func (w *worker) terminated(c *container) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{
		ExitCode:    c.status.ExitCode,
		Reason:      c.status.Reason,
		Message:     c.status.Message,
		StartedAt:   stamp(c.status.StartedAt.Time),
		FinishedAt:  stamp(c.status.FinishedAt.Time),
		ContainerID: w.containerID(c),
	}
}

// recordContainer records an event about a container.
func (w *worker) recordContainer(ctx context.Context, c *container, eventType, reason, message string) {
	list := "initContainers"
	switch c.kind {
	case appContainer:
		list = "containers"
	case ephemeralContainer:
		list = "ephemeralContainers"
	}
	w.Recorder.EventAt(ctx, w.pod, "spec."+list+"{"+c.spec.Name+"}", eventType, reason, message)
}
