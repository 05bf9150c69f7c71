package kubelettest

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// restartCases are about containers that end and are started again.
var restartCases = []testCase{
	{"a container that crashes is restarted with a growing back-off", func(c *Cluster) {
		c.Run("crash", always(script("echo oops; exit 1")))
		pod := c.When("crash", "has crashed", terminated("main"))
		c.Same("first", summary(statusOf(pod, "main")), "terminated Error 1")
		c.Same("phase", pod.Status.Phase, corev1.PodRunning)
		pod = c.When("crash", "backs off", waiting("main", "CrashLoopBackOff"))
		c.Same("second", summary(statusOf(pod, "main")), "waiting CrashLoopBackOff, last terminated Error 1, restarts 1")
		full := fmt.Sprintf("crash_default(%s)", pod.UID)
		c.Same("message", statusOf(pod, "main").State.Waiting.Message, "back-off 10s restarting failed container=main pod="+full)
		c.HasEvents("crash", "BackOff: Back-off restarting failed container main in pod "+full)
		c.Log("crash", "main", false, "oops")
		pod = c.When("crash", "backs off again", func(pod *corev1.Pod) bool {
			return statusOf(pod, "main").RestartCount == 2 && waiting("main", "CrashLoopBackOff")(pod)
		})
		c.Same("message", statusOf(pod, "main").State.Waiting.Message, "back-off 20s restarting failed container=main pod="+full)
		between := statusOf(pod, "main").LastTerminationState.Terminated.FinishedAt
		pod = c.When("crash", "has been restarted three times", func(pod *corev1.Pod) bool {
			last := statusOf(pod, "main").LastTerminationState.Terminated
			return statusOf(pod, "main").RestartCount == 3 && last != nil && last.FinishedAt.After(between.Time)
		})
		if waited := statusOf(pod, "main").LastTerminationState.Terminated.StartedAt.Sub(between.Time); waited < 20*time.Second {
			c.Errorf("it was restarted after %v", waited)
		}
		c.Log("crash", "main", true, "oops")
		c.Delete("crash", -1)
		c.Gone("crash")
	}},
	{"a container is only restarted as the policy says", func(c *Cluster) {
		spec := once(named("good", script("exit 0")), named("bad", script("sleep 1; exit 1")))
		spec.RestartPolicy = corev1.RestartPolicyOnFailure
		c.Run("job", spec)
		pod := c.When("job", "backs off", waiting("bad", "CrashLoopBackOff"))
		c.Same("phase", pod.Status.Phase, corev1.PodRunning)
		c.Same("good", summary(statusOf(pod, "good")), "terminated Completed 0")
	}},
	{"a container that always ends well is restarted too", func(c *Cluster) {
		c.Run("shell", always(app("busybox:1.36")))
		pod := c.When("shell", "backs off", waiting("main", "CrashLoopBackOff"))
		c.Same("container", summary(statusOf(pod, "main")), "waiting CrashLoopBackOff, last terminated Completed 0, restarts 1")
	}},
}
