package kubelettest

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// startCases are about what comes before a container runs.
var startCases = []testCase{
	{"init containers run one after the other before the others", func(c *Cluster) {
		spec := always(app("nginx:1.14.2"))
		spec.InitContainers = []corev1.Container{
			named("one", script("sleep 3")),
			named("two", script("sleep 3")),
		}
		c.Run("web", spec)
		pod := c.When("web", "runs its first", running("one"))
		c.Same("phase", pod.Status.Phase, corev1.PodPending)
		c.Same("main", summary(statusOf(pod, "main")), "waiting PodInitializing")
		condition := conditionOf(pod, corev1.PodInitialized)
		c.Same("initialized", condition.Reason+": "+condition.Message, "ContainersNotInitialized: containers with incomplete status: [one two]")
		pod = c.When("web", "runs its second", running("two"))
		c.Same("one", summary(statusOf(pod, "one")), "terminated Completed 0, ready")
		condition = conditionOf(pod, corev1.PodInitialized)
		c.Same("initialized", condition.Message, "containers with incomplete status: [two]")
		pod = c.When("web", "is ready", ready)
		c.Same("initialized", conditionOf(pod, corev1.PodInitialized).Status, corev1.ConditionTrue)
	}},
	{"an init container that fails is tried again, or fails a pod that runs once", func(c *Cluster) {
		spec := always(app("nginx:1.14.2"))
		spec.InitContainers = []corev1.Container{named("setup", script("exit 1"))}
		c.Run("again", spec)
		pod := c.When("again", "backs off", waiting("setup", "CrashLoopBackOff"))
		c.Same("phase", pod.Status.Phase, corev1.PodPending)
		spec = once(app("nginx:1.14.2"))
		spec.InitContainers = []corev1.Container{named("setup", script("exit 1"))}
		c.Run("once", spec)
		pod = c.When("once", "has failed", phase(corev1.PodFailed))
		c.Same("setup", summary(statusOf(pod, "setup")), "terminated Error 1")
		c.Same("main", summary(statusOf(pod, "main")), "waiting PodInitializing")
	}},
	{"a sidecar starts before and ends after the others", func(c *Cluster) {
		sidecar := named("proxy", script("trap 'exit 0' TERM; while true; do sleep 1; done"))
		sidecar.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		spec := once(script("sleep 3"))
		spec.InitContainers = []corev1.Container{sidecar}
		c.Run("job", spec)
		pod := c.When("job", "runs", running("main"))
		c.Same("proxy", summary(statusOf(pod, "proxy")), "running, ready")
		pod = c.When("job", "has succeeded", phase(corev1.PodSucceeded))
		c.Same("proxy", summary(statusOf(pod, "proxy")), "terminated Completed 0")
		c.HasEvents("job", "Killing: Stopping container proxy")
	}},
	{"the environment comes from where it is said to", func(c *Cluster) {
		c.Create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "settings"}, Data: map[string]string{"color": "blue", "size": "big"}})
		c.Create("secrets", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "hidden"}, Data: map[string][]byte{"word": []byte("swordfish")}})
		container := script("echo $COLOR $WORD $NAME $CPU $X_size")
		container.Args = []string{"unused"}
		container.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("64Mi")}
		container.EnvFrom = []corev1.EnvFromSource{{Prefix: "X_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
		container.Env = []corev1.EnvVar{
			{Name: "COLOR", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Key: "color"}}},
			{Name: "WORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "hidden"}, Key: "word"}}},
			{Name: "NAME", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			{Name: "CPU", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
		}
		other := app("busybox:1.36", "echo", "$(GREETING) $$(GREETING) $(NOBODY)")
		other.Env = []corev1.EnvVar{{Name: "WHO", Value: "world"}, {Name: "GREETING", Value: "hello $(WHO)"}}
		c.Run("job", once(container, named("other", other)))
		c.When("job", "has succeeded", phase(corev1.PodSucceeded))
		c.Log("job", "main", false, "blue swordfish job 1 big")
		c.Log("job", "other", false, "hello world $(GREETING) $(NOBODY)")
	}},
	{"a missing configuration keeps a container waiting until it is there", func(c *Cluster) {
		container := app("nginx:1.14.2")
		container.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
		c.Run("web", always(container))
		pod := c.When("web", "waits", waiting("main", "CreateContainerConfigError"))
		c.Same("message", statusOf(pod, "main").State.Waiting.Message, `configmap "settings" not found`)
		c.HasEvents("web", `Failed: Error: configmap "settings" not found`)
		c.Create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "settings"}})
		c.When("web", "is ready", ready)
	}},
	{"volumes hold what they are made of, and an empty one is shared", func(c *Cluster) {
		c.Create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "settings"}, Data: map[string]string{"color": "blue", "size": "big"}})
		c.Create("secrets", &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "hidden"}, Data: map[string][]byte{"word": []byte("swordfish")}})
		mounts := []corev1.VolumeMount{{Name: "config", MountPath: "/etc/config"}, {Name: "keys", MountPath: "/etc/keys"}, {Name: "info", MountPath: "/etc/info"}, {Name: "data", MountPath: "/data"}}
		write := named("write", script("echo hello > /data/greeting; echo x > /etc/config/color; echo $?"))
		write.VolumeMounts = mounts
		read := script("ls /etc/config; cat /etc/config/color; echo; cat /etc/keys/my/word; echo; cat /etc/info/name; echo; cat /data/greeting; cat /sub")
		read.VolumeMounts = append(mounts, corev1.VolumeMount{Name: "data", MountPath: "/sub", SubPath: "greeting"})
		spec := once(read)
		spec.InitContainers = []corev1.Container{write}
		spec.Volumes = []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}},
			{Name: "keys", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "hidden", Items: []corev1.KeyToPath{{Key: "word", Path: "my/word"}}}}},
			{Name: "info", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{Path: "name", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}}},
			{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		}
		c.Run("job", spec)
		c.When("job", "has succeeded", phase(corev1.PodSucceeded))
		c.Log("job", "write", false, "sh: can't create /etc/config/color: Read-only file system", "1")
		c.Log("job", "main", false, "color", "size", "blue", "swordfish", "job", "hello", "hello")
	}},
	{"a pod whose volume is missing waits for it", func(c *Cluster) {
		spec := always(app("nginx:1.14.2"))
		spec.Volumes = []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}}
		c.Run("web", spec)
		pod := c.When("web", "waits", waiting("main", "ContainerCreating"))
		c.Same("phase", pod.Status.Phase, corev1.PodPending)
		c.HasEvents("web", `FailedMount: MountVolume.SetUp failed for volume "config" : configmap "settings" not found`)
		c.Run("other", spec)
		c.HasEvents("other", "FailedMount")
		c.Delete("other", -1)
		c.Gone("other")
		c.Create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "settings"}})
		c.When("web", "is ready", ready)
	}},
	{"a command that is not there can't be run", func(c *Cluster) {
		c.Run("typo", always(app("busybox:1.36", "slepp", "1")))
		pod := c.When("typo", "fails to run", func(pod *corev1.Pod) bool {
			return waiting("main", "RunContainerError")(pod) || waiting("main", "CrashLoopBackOff")(pod)
		})
		last := statusOf(pod, "main").LastTerminationState.Terminated
		if last == nil || last.ExitCode != 128 && last.ExitCode != 127 || last.Reason != "StartError" {
			c.Errorf("last state: %+v", last)
		}
		c.When("typo", "backs off", waiting("main", "CrashLoopBackOff"))
	}},
	{"a postStart hook that fails ends the container", func(c *Cluster) {
		container := app("nginx:1.14.2")
		container.Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"false"}}}}
		c.Run("web", always(container))
		c.HasEvents("web", "Started: Container started", "FailedPostStartHook: PostStartHook failed", "Killing: FailedPostStartHook")
		c.When("web", "is restarted", func(pod *corev1.Pod) bool { return statusOf(pod, "main").RestartCount > 0 })
	}},
}
