package kubelettest

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/logs"
)

// What the cases ask of pods.

func conditionOf(pod *corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

func ready(pod *corev1.Pod) bool {
	return conditionOf(pod, corev1.PodReady).Status == corev1.ConditionTrue
}

func unready(pod *corev1.Pod) bool { return !ready(pod) }

func phase(phase corev1.PodPhase) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return pod.Status.Phase == phase }
}

// statusOf returns the status of a container, or an empty one.
func statusOf(pod *corev1.Pod, container string) corev1.ContainerStatus {
	for _, list := range [...][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for _, status := range list {
			if status.Name == container {
				return status
			}
		}
	}
	return corev1.ContainerStatus{}
}

// waiting says that a container waits for a reason.
func waiting(container, reason string) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool {
		state := statusOf(pod, container).State.Waiting
		return state != nil && state.Reason == reason
	}
}

func running(container string) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return statusOf(pod, container).State.Running != nil }
}

func terminated(container string) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return statusOf(pod, container).State.Terminated != nil }
}

func restarted(container string, times int32) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool {
		status := statusOf(pod, container)
		return status.RestartCount >= times && status.State.Running != nil
	}
}

// summary is a container's state in a few words.
func summary(status corev1.ContainerStatus) string {
	state := func(s corev1.ContainerState) string {
		switch {
		case s.Waiting != nil:
			return "waiting " + s.Waiting.Reason
		case s.Running != nil:
			return "running"
		case s.Terminated != nil:
			return fmt.Sprintf("terminated %s %d", s.Terminated.Reason, s.Terminated.ExitCode)
		}
		return "nothing"
	}
	text := state(status.State)
	if status.LastTerminationState.Terminated != nil {
		text += ", last " + state(status.LastTerminationState)
	}
	if status.RestartCount > 0 {
		text += fmt.Sprintf(", restarts %d", status.RestartCount)
	}
	if status.Ready {
		text += ", ready"
	}
	return text
}

// Same compares what is with what should be.
func (c *Cluster) Same(what string, got, want any) {
	c.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.Errorf("%s: got\n\t%v\nwant\n\t%v", what, got, want)
	}
}

// Gone waits until a pod is gone.
func (c *Cluster) Gone(name string) {
	c.Helper()
	c.Until(name+" is gone", func() bool { _, found := c.Pod(name); return !found })
}

// HasEvents waits for events about an object, given by their beginnings, in
// this order.
func (c *Cluster) HasEvents(name string, want ...string) {
	c.Helper()
	c.Until(fmt.Sprintf("had %s the events %q", name, want), func() bool {
		rest := want
		for _, line := range c.Events(name) {
			if len(rest) > 0 && strings.HasPrefix(line, rest[0]) {
				rest = rest[1:]
			}
		}
		return len(rest) == 0
	})
}

// HasNoEvent checks that an event has not happened.
func (c *Cluster) HasNoEvent(name, beginning string) {
	c.Helper()
	if slices.ContainsFunc(c.Events(name), func(line string) bool { return strings.HasPrefix(line, beginning) }) {
		c.Errorf("%s had the event %q", name, beginning)
	}
}

// Log waits until a container has written certain lines and nothing else.
func (c *Cluster) Log(pod, container string, previous bool, want ...string) {
	c.Helper()
	var got []string
	c.Until(fmt.Sprintf("did %s of %s write %q", container, pod, want), func() bool {
		object, found := c.Pod(pod)
		if !found {
			return false
		}
		reader, err := c.Fleet.OpenLog(object, container, previous, nil)
		if err != nil {
			got = []string{err.Error()}
			return false
		}
		defer reader.Stop()
		lines, _ := reader.Next([]logs.Line{}, 1000)
		got = got[:0]
		for _, line := range lines {
			got = append(got, line.Text)
		}
		return slices.Equal(got, want)
	})
}

// Specs of pods.

func app(image string, command ...string) corev1.Container {
	return corev1.Container{Name: "main", Image: image, Command: command}
}

func script(text string) corev1.Container {
	return app("busybox:1.36", "sh", "-c", text)
}

func named(name string, container corev1.Container) corev1.Container {
	container.Name = name
	return container
}

func once(containers ...corev1.Container) corev1.PodSpec {
	return corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: containers}
}

func always(containers ...corev1.Container) corev1.PodSpec {
	return corev1.PodSpec{Containers: containers}
}

// hasty gives a pod's containers little time to end.
func hasty(spec corev1.PodSpec) corev1.PodSpec {
	spec.TerminationGracePeriodSeconds = new(int64(2))
	return spec
}

func execProbe(command ...string) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: command}}}
}
