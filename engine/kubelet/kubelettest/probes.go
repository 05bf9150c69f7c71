package kubelettest

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// probeCases are about startup, liveness and readiness probes.
var probeCases = []testCase{
	{"a readiness probe decides whether a pod is ready", func(c *Cluster) {
		container := script("sleep 5; touch /tmp/ready; sleep 15; rm /tmp/ready; sleep 3600")
		container.ReadinessProbe = execProbe("cat", "/tmp/ready")
		container.ReadinessProbe.PeriodSeconds = 1
		container.ReadinessProbe.FailureThreshold = 2
		c.Run("web", hasty(always(container)))
		pod := c.When("web", "runs", running("main"))
		c.Same("container", summary(statusOf(pod, "main")), "running")
		c.When("web", "is ready", ready)
		c.When("web", "is unready again", unready)
		c.HasEvents("web", "Unhealthy: Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory")
		c.HasNoEvent("web", "Killing")
	}},
	{"a container whose liveness probe fails is restarted", func(c *Cluster) {
		container := script("touch /tmp/healthy; sleep 10; rm -f /tmp/healthy; sleep 600")
		container.LivenessProbe = execProbe("cat", "/tmp/healthy")
		container.LivenessProbe.PeriodSeconds = 2
		container.LivenessProbe.InitialDelaySeconds = 5
		c.Run("liveness", hasty(always(container)))
		pod := c.When("liveness", "has been restarted", restarted("main", 1))
		c.Same("container", summary(statusOf(pod, "main")), "running, last terminated Error 137, restarts 1, ready")
		c.HasEvents("liveness",
			"Unhealthy: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory",
			"Killing: Container main failed liveness probe, will be restarted")
	}},
	{"the other probes wait for the startup probe", func(c *Cluster) {
		container := script("sleep 6; touch /tmp/started; sleep 3600")
		container.StartupProbe = execProbe("cat", "/tmp/started")
		container.StartupProbe.PeriodSeconds = 1
		container.StartupProbe.FailureThreshold = 20
		container.LivenessProbe = execProbe("cat", "/tmp/started")
		container.LivenessProbe.PeriodSeconds = 1
		container.LivenessProbe.FailureThreshold = 1
		c.Run("slow", hasty(always(container)))
		pod := c.When("slow", "runs", running("main"))
		c.Same("started", *statusOf(pod, "main").Started, false)
		pod = c.When("slow", "is ready", ready)
		c.Same("container", summary(statusOf(pod, "main")), "running, ready")
		c.Same("started", *statusOf(pod, "main").Started, true)
		c.HasEvents("slow", "Unhealthy: Startup probe failed")
	}},
	{"a container that does not start in time is restarted", func(c *Cluster) {
		container := script("sleep 3600")
		container.StartupProbe = execProbe("false")
		container.StartupProbe.PeriodSeconds = 1
		c.Run("never", hasty(always(container)))
		c.HasEvents("never", "Killing: Container main failed startup probe, will be restarted")
		c.When("never", "has been restarted", restarted("main", 1))
	}},
	{"web servers are probed by their ports", func(c *Cluster) {
		good := app("nginx:1.14.2")
		good.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 80}}
		good.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("http")}}}
		good.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}, PeriodSeconds: 1}
		c.Run("good", always(good))
		c.When("good", "is ready", ready)
		lost := app("nginx:1.14.2")
		lost.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/none", Port: intstr.FromInt32(80)}}, PeriodSeconds: 1}
		c.Run("lost", always(lost))
		c.HasEvents("lost", "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404")
		deaf := app("nginx:1.14.2")
		deaf.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(81)}}, PeriodSeconds: 1}
		c.Run("deaf", always(deaf))
		pod := c.When("deaf", "runs", running("main"))
		c.HasEvents("deaf", "Unhealthy: Readiness probe failed: dial tcp "+pod.Status.PodIP+":81: connect: connection refused")
		c.Pass(5 * time.Second)
		pod, _ = c.Pod("deaf")
		c.Same("deaf is ready", ready(pod), false)
		c.HasNoEvent("good", "Killing")
	}},
	{"a command that takes too long fails its probe", func(c *Cluster) {
		container := app("nginx:1.14.2")
		container.ReadinessProbe = execProbe("sleep", "10")
		container.ReadinessProbe.TimeoutSeconds = 2
		c.Run("web", always(container))
		c.HasEvents("web", `Unhealthy: Readiness probe failed: command timed out: "sleep 10" timed out after 2s`)
	}},
}
