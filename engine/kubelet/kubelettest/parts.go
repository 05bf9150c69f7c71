package kubelettest

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// debug adds a container for debugging to a pod.
func (c *Cluster) debug(pod, target string, container corev1.Container) {
	c.Helper()
	c.ChangePart(pod, "ephemeralcontainers", func(pod *corev1.Pod) {
		pod.Spec.EphemeralContainers = append(pod.Spec.EphemeralContainers, corev1.EphemeralContainer{
			EphemeralContainerCommon: corev1.EphemeralContainerCommon(container), TargetContainerName: target,
		})
	})
}

func debuggers(pod *corev1.Pod) []corev1.ContainerStatus {
	return pod.Status.EphemeralContainerStatuses
}

// partCases are about what changes in a pod that runs.
var partCases = []testCase{
	{"a container for debugging runs once beside the others, and only it", func(c *Cluster) {
		c.Run("web", always(named("nginx", app("nginx:1.14.2"))))
		before := c.When("web", "is ready", ready)
		c.debug("web", "nginx", named("debugger", script("echo looking; exit 3")))
		pod := c.When("web", "has been debugged", func(pod *corev1.Pod) bool {
			return len(debuggers(pod)) == 1 && debuggers(pod)[0].State.Terminated != nil
		})
		status := debuggers(pod)[0]
		c.Same("container", summary(status), "terminated Error 3")
		c.Same("ready and started", []any{status.Ready, status.Started == nil}, "[false true]")
		c.Same("generations", []int64{pod.Generation, pod.Status.ObservedGeneration}, "[2 2]")
		c.Log("web", "debugger", false, "looking")
		c.Pass(10 * time.Second)
		pod, _ = c.Pod("web")
		c.Same("pod", []any{ready(pod), pod.Status.Phase, pod.Status.ContainerStatuses[0].ContainerID == before.Status.ContainerStatuses[0].ContainerID}, "[true Running true]")
		c.Same("runs once", []any{debuggers(pod)[0].RestartCount, debuggers(pod)[0].ContainerID == status.ContainerID}, "[0 true]")
		c.Delete("web", -1)
		c.Gone("web")
	}},
	{"a container for debugging ends with its pod", func(c *Cluster) {
		c.Run("job", once(script("sleep 5")))
		c.When("job", "runs", running("main"))
		c.debug("job", "", named("debugger", script("sleep 1000")))
		c.When("job", "is debugged", func(pod *corev1.Pod) bool {
			return len(debuggers(pod)) == 1 && debuggers(pod)[0].State.Running != nil
		})
		pod := c.When("job", "has succeeded", func(pod *corev1.Pod) bool {
			return pod.Status.Phase == corev1.PodSucceeded && debuggers(pod)[0].State.Terminated != nil
		})
		c.Same("exit code", debuggers(pod)[0].State.Terminated.ExitCode, "137")
		c.HasEvents("job", "Killing: Stopping container debugger")
	}},
	{"an image that is not there keeps only the container for debugging waiting", func(c *Cluster) {
		c.Run("web", always(named("nginx", app("nginx:1.14.2"))))
		c.When("web", "is ready", ready)
		c.debug("web", "", named("debugger", app("tidepool.dev/no/such:image")))
		pod := c.When("web", "waits for an image", func(pod *corev1.Pod) bool {
			return len(debuggers(pod)) == 1 && debuggers(pod)[0].State.Waiting != nil && debuggers(pod)[0].State.Waiting.Reason == "ImagePullBackOff"
		})
		c.Same("pod", []any{ready(pod), pod.Status.Phase}, "[true Running]")
	}},
}
