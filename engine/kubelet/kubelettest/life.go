package kubelettest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// lifeCases are about whole lives of pods.
var lifeCases = []testCase{
	{"a pod runs, is ready, and ends when it is deleted", func(c *Cluster) {
		c.Run("web", always(named("nginx", app("nginx:1.14.2"))))
		pod := c.When("web", "is ready", ready)
		c.Same("states, of its creation and two writes", c.states["web"], 3)
		status := statusOf(pod, "nginx")
		c.Same("phase", pod.Status.Phase, corev1.PodRunning)
		c.Same("container", summary(status), "running, ready")
		c.Same("started", *status.Started, true)
		c.Same("image", status.Image, "docker.io/library/nginx:1.14.2")
		if pod.Status.PodIP == "" || pod.Status.PodIPs[0].IP != pod.Status.PodIP || pod.Status.HostIP != "172.18.0.2" {
			c.Errorf("addresses: %+v", pod.Status)
		}
		var conditions []string
		for _, condition := range pod.Status.Conditions {
			conditions = append(conditions, fmt.Sprintf("%s=%s/%d", condition.Type, condition.Status, condition.ObservedGeneration))
		}
		c.Same("conditions", conditions, "[PodReadyToStartContainers=True/1 Initialized=True/1 Ready=True/1 ContainersReady=True/1 PodScheduled=True/1]")
		c.HasEvents("web",
			`Pulling: Pulling image "nginx:1.14.2"`,
			`Pulled: Successfully pulled image "nginx:1.14.2" in `,
			"Created: Container created",
			"Started: Container started")
		c.Delete("web", -1)
		c.Gone("web")
		c.HasEvents("web", "Killing: Stopping container nginx")
	}},
	{"what has not started yet says what it waits for", func(c *Cluster) {
		c.Run("web", always(named("nginx", app("nginx:1.14.2"))))
		pod := c.When("web", "waits", waiting("nginx", "ContainerCreating"))
		c.Same("phase", pod.Status.Phase, corev1.PodPending)
		c.Same("ready", conditionOf(pod, corev1.PodReady).Reason+": "+conditionOf(pod, corev1.PodReady).Message,
			"ContainersNotReady: containers with unready status: [nginx]")
		condition := conditionOf(pod, corev1.PodReadyToStartContainers)
		c.Same("sandbox", condition.Reason+": "+condition.Message, "PodSandboxNotReady: no pod sandbox exists")
	}},
	{"a pod that runs once succeeds", func(c *Cluster) {
		c.Run("job", once(script("echo working; sleep 1")))
		pod := c.When("job", "has succeeded", phase(corev1.PodSucceeded))
		c.Same("container", summary(statusOf(pod, "main")), "terminated Completed 0")
		for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady} {
			c.Same(string(kind), conditionOf(pod, kind).Reason, "PodCompleted")
		}
		c.Log("job", "main", false, "working")
		c.When("job", "gives its sandbox back", func(pod *corev1.Pod) bool {
			return conditionOf(pod, corev1.PodReadyToStartContainers).Status == corev1.ConditionFalse
		})
		c.Log("job", "main", false, "working")
		c.Delete("job", -1)
		c.Gone("job")
	}},
	{"a pod that runs once fails", func(c *Cluster) {
		c.Run("job", once(named("good", script("true")), named("bad", script("exit 3"))))
		pod := c.When("job", "has failed", phase(corev1.PodFailed))
		c.Same("containers are sorted", pod.Status.ContainerStatuses[0].Name, "bad")
		c.Same("bad", summary(statusOf(pod, "bad")), "terminated Error 3")
		c.Same("good", summary(statusOf(pod, "good")), "terminated Completed 0")
		c.Same("ready", conditionOf(pod, corev1.PodReady).Reason, "PodFailed")
	}},
	{"a pod of the same name comes after one that is removed by force", func(c *Cluster) {
		first := c.Run("web", always(app("busybox:1.36", "sleep", "3600")))
		c.When("web", "runs", ready)
		c.Delete("web", 0)
		c.Gone("web")
		c.Run("web", always(app("nginx:1.14.2")))
		second := c.When("web", "runs again", ready)
		if first.UID == second.UID {
			c.Error("it is the same pod")
		}
	}},
	{"a container whose image is changed is restarted with it", func(c *Cluster) {
		c.Run("web", always(app("nginx:1.14.2")))
		pod := c.When("web", "is ready", ready).DeepCopy()
		pod.Spec.Containers[0].Image = "nginx:1.16.1"
		if _, err := c.Client.Update(c.Context(), "pods", pod); err != nil {
			c.Fatal(err)
		}
		pod = c.When("web", "has been restarted", restarted("main", 1))
		c.Same("image", statusOf(pod, "main").Image, "docker.io/library/nginx:1.16.1")
		c.Same("generation", pod.Status.ObservedGeneration, 2)
		c.HasEvents("web", "Killing: Container main definition changed, will be restarted", `Pulling: Pulling image "nginx:1.16.1"`)
	}},
	{"many pods come and go at once", func(c *Cluster) {
		const count = 40
		name := func(i int) string { return fmt.Sprintf("web-%d", i) }
		ips := map[string]bool{}
		for i := range count {
			c.Run(name(i), always(app("nginx:1.14.2")))
		}
		for i := range count {
			pod := c.When(name(i), "is ready", ready)
			ips[pod.Status.PodIP] = true
		}
		c.Same("addresses", len(ips), count)
		for i := range count {
			c.Delete(name(i), -1)
		}
		for i := range count {
			c.Gone(name(i))
		}
	}},
	{"a pod is ended after its deadline", func(c *Cluster) {
		spec := hasty(always(script("sleep 3600")))
		spec.ActiveDeadlineSeconds = new(int64(5))
		c.Run("late", spec)
		pod := c.When("late", "has failed", phase(corev1.PodFailed))
		c.Same("reason", pod.Status.Reason+": "+pod.Status.Message, "DeadlineExceeded: Pod was active on the node longer than the specified deadline")
		c.When("late", "has ended", terminated("main"))
		c.HasEvents("late", "DeadlineExceeded: Pod was active on the node longer than the specified deadline")
	}},
	{"readiness gates are waited for", func(c *Cluster) {
		spec := always(app("nginx:1.14.2"))
		spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/open"}}
		c.Run("web", spec)
		pod := c.When("web", "has its containers ready", func(pod *corev1.Pod) bool {
			return conditionOf(pod, corev1.ContainersReady).Status == corev1.ConditionTrue
		})
		c.Same("ready", conditionOf(pod, corev1.PodReady).Reason+": "+conditionOf(pod, corev1.PodReady).Message,
			`ReadinessGatesNotReady: corresponding condition of pod readiness gate "example.com/open" does not exist.`)
		next := pod.DeepCopy()
		next.Status.Conditions = append(next.Status.Conditions, corev1.PodCondition{Type: "example.com/open", Status: corev1.ConditionTrue})
		if _, err := c.Client.UpdateStatus(c.Context(), "pods", next); err != nil {
			c.Fatal(err)
		}
		c.When("web", "is ready", ready)
	}},
}
