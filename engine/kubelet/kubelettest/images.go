package kubelettest

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// missing is an image that no registry has.
const missing = "tidepool-test.invalid/none:latest"

// imageCases are about pulling images.
var imageCases = []testCase{
	{"an image that does not exist is tried again with a growing back-off", func(c *Cluster) {
		c.Run("none", always(app(missing)))
		pod := c.When("none", "has failed to pull", waiting("main", "ErrImagePull"))
		failure := statusOf(pod, "main").State.Waiting.Message
		if !strings.Contains(failure, `failed to resolve reference "`+missing+`"`) {
			c.Errorf("message: %s", failure)
		}
		pod = c.When("none", "backs off", waiting("main", "ImagePullBackOff"))
		c.Same("message", statusOf(pod, "main").State.Waiting.Message, `Back-off pulling image "`+missing+`": ErrImagePull: `+failure)
		c.Same("phase", pod.Status.Phase, corev1.PodPending)
		c.HasEvents("none",
			`Pulling: Pulling image "`+missing+`"`,
			`Failed: Failed to pull image "`+missing+`": `+failure,
			"Failed: Error: ErrImagePull",
			`BackOff: Back-off pulling image "`+missing+`"`,
			"Failed: Error: ImagePullBackOff")
		c.Pass(15 * time.Second)
		c.When("none", "backs off again", waiting("main", "ImagePullBackOff"))
		c.Delete("none", -1)
		c.Gone("none")
	}},
	{"an image is pulled when the policy says so", func(c *Cluster) {
		never := app("busybox:1.36", "true")
		never.ImagePullPolicy = corev1.PullNever
		c.Run("never", once(never))
		const message = `Container image "busybox:1.36" is not present with pull policy of Never`
		pod := c.When("never", "waits", waiting("main", "ErrImageNeverPull"))
		c.Same("message", statusOf(pod, "main").State.Waiting.Message, message)
		c.HasEvents("never", "ErrImageNeverPull: "+message, "Failed: Error: ErrImageNeverPull")
		c.Run("first", once(app("busybox:1.36", "true")))
		c.When("first", "has succeeded", phase(corev1.PodSucceeded))
		c.HasEvents("first", `Pulling: Pulling image "busybox:1.36"`)
		c.Run("second", once(app("busybox:1.36", "true")))
		c.When("second", "has succeeded", phase(corev1.PodSucceeded))
		c.HasEvents("second", `Pulled: Container image "busybox:1.36" already present on machine and can be accessed by the pod`)
		c.HasNoEvent("second", "Pulling")
		again := app("busybox:1.36", "true")
		again.ImagePullPolicy = corev1.PullAlways
		c.Run("always", once(again))
		c.HasEvents("always", "Pulling", `Pulled: Successfully pulled image "busybox:1.36" in `)
		c.When("never", "has succeeded, too", phase(corev1.PodSucceeded))
	}},
	{"a pod can be deleted while its image is being pulled", func(c *Cluster) {
		c.Run("web", always(app("nginx:1.14.2")))
		c.HasEvents("web", "Pulling")
		c.Delete("web", -1)
		c.Gone("web")
	}},
}
