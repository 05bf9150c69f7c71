package kubelettest

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// endCases are about the end of containers.
var endCases = []testCase{
	{"a container that ignores its signal is killed after the grace period", func(c *Cluster) {
		spec := always(app("busybox:1.36", "sleep", "3600"))
		spec.TerminationGracePeriodSeconds = new(int64(8))
		c.Run("stubborn", spec)
		c.When("stubborn", "runs", ready)
		asked := c.Clock.Now()
		c.Delete("stubborn", -1)
		c.Gone("stubborn")
		c.Took("its end", asked, 8*time.Second, 9*time.Second)
	}},
	{"a container that heeds its signal ends at once", func(c *Cluster) {
		c.Run("polite", always(script("trap 'echo bye; exit 0' TERM; while true; do sleep 1; done")))
		c.When("polite", "runs", ready)
		c.Pass(time.Second)
		asked := c.Clock.Now()
		c.Delete("polite", -1)
		c.Gone("polite")
		c.Took("its end", asked, 0, 2*time.Second)
	}},
	{"a shorter grace period counts", func(c *Cluster) {
		c.Run("stubborn", always(app("busybox:1.36", "sleep", "3600")))
		c.When("stubborn", "runs", ready)
		asked := c.Clock.Now()
		c.Delete("stubborn", -1)
		c.When("stubborn", "is being deleted", func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
		c.Pass(time.Second)
		c.Delete("stubborn", 3)
		c.Gone("stubborn")
		c.Took("its end", asked, 3*time.Second, 6*time.Second)
	}},
	{"the preStop hook runs first", func(c *Cluster) {
		container := script("trap 'exit 0' TERM; while true; do sleep 1; done")
		container.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"sleep", "5"}}}}
		c.Run("web", always(container))
		c.When("web", "runs", ready)
		asked := c.Clock.Now()
		c.Delete("web", -1)
		c.Gone("web")
		c.Took("its end", asked, 5*time.Second, 8*time.Second)
	}},
	{"a finished pod with a finalizer shows how it ended", func(c *Cluster) {
		pod := c.Run("kept", always(app("nginx:1.14.2")))
		c.When("kept", "runs", ready)
		current, _ := c.Pod("kept")
		next := current.DeepCopy()
		next.Finalizers = []string{"example.com/keep"}
		if _, err := c.Client.Update(c.Context(), "pods", next); err != nil {
			c.Fatal(err)
		}
		c.Delete("kept", -1)
		last := c.When("kept", "has ended", terminated("main"))
		c.Same("container", summary(statusOf(last, "main")), "terminated Completed 0")
		last = c.When("kept", "is finished", phase(corev1.PodSucceeded))
		c.Same("uid", last.UID, pod.UID)
	}},
}
