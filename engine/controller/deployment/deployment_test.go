package deployment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/deployment"
	"tidepool.dev/tidepool/engine/controller/replicaset"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		deployment.New(c.Cache, c.ClientOf(deployment.Name), c.Recorder(deployment.Name), c.Clock),
		replicaset.New(c.Cache, c.ClientOf(replicaset.Name), c.Recorder(replicaset.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

// web is the Deployment of the Kubernetes introduction, under another name.
func web(replicas int32) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "nginx"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "nginx"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "nginx", Image: "nginx:1.14.2", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
				}}},
			},
		},
	}
}

// start creates a Deployment on three nodes and waits until it is complete.
func start(c *controllertest.Cluster, d *appsv1.Deployment) *appsv1.Deployment {
	c.Helper()
	c.AddNodes(3)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	controllertest.Create(c, d)
	return rolledOut(c)
}

func get(c *controllertest.Cluster) *appsv1.Deployment {
	c.Helper()
	d, ok := controllertest.Get[*appsv1.Deployment](c, "default", "web")
	if !ok {
		c.Fatal("the Deployment is gone")
	}
	return d
}

func change(c *controllertest.Cluster, edit func(d *appsv1.Deployment)) {
	c.Helper()
	controllertest.Change(c, "default", "web", edit)
}

func setImage(image string) func(d *appsv1.Deployment) {
	return func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = image }
}

func rolledOut(c *controllertest.Cluster) *appsv1.Deployment {
	c.Helper()
	c.Until("rolled out", func() bool {
		d := get(c)
		progress := condition(d, appsv1.DeploymentProgressing)
		return d.Status.ObservedGeneration == d.Generation && progress != nil && progress.Reason == "NewReplicaSetAvailable" &&
			d.Status.UpdatedReplicas == *d.Spec.Replicas && d.Status.Replicas == *d.Spec.Replicas && d.Status.AvailableReplicas == *d.Spec.Replicas
	})
	return get(c)
}

func condition(d *appsv1.Deployment, conditionType appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == conditionType {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

func reason(d *appsv1.Deployment, conditionType appsv1.DeploymentConditionType) string {
	if c := condition(d, conditionType); c != nil {
		return string(c.Status) + " " + c.Reason
	}
	return ""
}

// sets are the ReplicaSets as "image revision:N replicas:N history:..", oldest
// first.
func sets(c *controllertest.Cluster) []string {
	var lines []string
	for _, rs := range controllertest.List[*appsv1.ReplicaSet](c, "default") {
		line := fmt.Sprintf("revision:%s %s replicas:%d", rs.Annotations["deployment.kubernetes.io/revision"],
			rs.Spec.Template.Spec.Containers[0].Image, *rs.Spec.Replicas)
		if history, ok := rs.Annotations["deployment.kubernetes.io/revision-history"]; ok {
			line += " history:" + history
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func expect(c *controllertest.Cluster, what string, got, want []string) {
	c.Helper()
	if !slices.Equal(got, want) {
		c.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestCreate(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		d := start(c, web(2))
		if got := d.Annotations["deployment.kubernetes.io/revision"]; got != "1" {
			c.Errorf("revision %q, want 1", got)
		}
		if got := reason(d, appsv1.DeploymentAvailable); got != "True MinimumReplicasAvailable" {
			c.Errorf("Available: %s", got)
		}
		if got, want := condition(d, appsv1.DeploymentProgressing).Message, `ReplicaSet "web-54fd4d6d4c" has successfully progressed.`; got != want {
			c.Errorf("Progressing: %q, want %q", got, want)
		}
		if d.Status.TerminatingReplicas == nil || *d.Status.TerminatingReplicas != 0 {
			c.Errorf("terminatingReplicas %v, want 0", d.Status.TerminatingReplicas)
		}
		rs, ok := controllertest.Get[*appsv1.ReplicaSet](c, "default", "web-54fd4d6d4c")
		if !ok {
			c.Fatal("no ReplicaSet web-54fd4d6d4c")
		}
		for key, want := range map[string]string{
			"deployment.kubernetes.io/revision":         "1",
			"deployment.kubernetes.io/desired-replicas": "2",
			"deployment.kubernetes.io/max-replicas":     "3",
		} {
			if got := rs.Annotations[key]; got != want {
				c.Errorf("%s: %q, want %q", key, got, want)
			}
		}
		if rs.Labels["pod-template-hash"] != "54fd4d6d4c" || rs.Spec.Selector.MatchLabels["pod-template-hash"] != "54fd4d6d4c" {
			c.Errorf("labels %v, selector %v", rs.Labels, rs.Spec.Selector.MatchLabels)
		}
		expect(c, "events", c.Events("Deployment", "web"), []string{"Normal ScalingReplicaSet: Scaled up replica set web-54fd4d6d4c from 0 to 2"})
	})
}

func TestScale(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, web(2))
		change(c, func(d *appsv1.Deployment) { *d.Spec.Replicas = 3 })
		rolledOut(c)
		change(c, func(d *appsv1.Deployment) { *d.Spec.Replicas = 1 })
		rolledOut(c)
		expect(c, "events", c.Events("Deployment", "web"), []string{
			"Normal ScalingReplicaSet: Scaled up replica set web-54fd4d6d4c from 0 to 2",
			"Normal ScalingReplicaSet: Scaled up replica set web-54fd4d6d4c from 2 to 3",
			"Normal ScalingReplicaSet: Scaled down replica set web-54fd4d6d4c from 3 to 1",
		})
		if pods := controllertest.List[*corev1.Pod](c, "default"); len(pods) != 1 {
			c.Errorf("%d pods, want 1", len(pods))
		}
	})
}

func TestRollingUpdateAndBack(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, web(4))
		change(c, setImage("nginx:1.16.1"))
		d := rolledOut(c)
		if got := d.Annotations["deployment.kubernetes.io/revision"]; got != "2" {
			c.Errorf("revision %q, want 2", got)
		}
		expect(c, "sets", sets(c), []string{"revision:1 nginx:1.14.2 replicas:0", "revision:2 nginx:1.16.1 replicas:4"})
		change(c, setImage("nginx:1.14.2"))
		d = rolledOut(c)
		if got := d.Annotations["deployment.kubernetes.io/revision"]; got != "3" {
			c.Errorf("revision %q, want 3", got)
		}
		expect(c, "sets", sets(c), []string{"revision:2 nginx:1.16.1 replicas:0", "revision:3 nginx:1.14.2 replicas:4 history:1"})
	})
}

// TestLimits: during a rolling update there are never too many nor too few pods.
func TestLimits(t *testing.T) {
	for _, test := range []struct {
		replicas                    int32
		surge, unavailable          string
		mostWanted, fewestAvailable int32
	}{
		{10, "25%", "25%", 13, 8},
		{10, "3", "0", 13, 10},
		{4, "0", "1", 4, 3},
		{1, "25%", "25%", 2, 1},
		{2, "0%", "1%", 2, 1},
	} {
		t.Run(fmt.Sprintf("%d of surge %s unavailable %s", test.replicas, test.surge, test.unavailable), func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				d := web(test.replicas)
				d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: parse(test.surge), MaxUnavailable: parse(test.unavailable)}
				start(c, d)
				change(c, setImage("nginx:1.16.1"))
				c.Until("rolled out within the limits", func() bool {
					wanted := int32(0)
					for _, rs := range controllertest.List[*appsv1.ReplicaSet](c, "default") {
						wanted += *rs.Spec.Replicas
					}
					if wanted > test.mostWanted {
						c.Fatalf("%d replicas, want at most %d", wanted, test.mostWanted)
					}
					d := get(c)
					if d.Status.AvailableReplicas < test.fewestAvailable {
						c.Fatalf("%d available, want at least %d", d.Status.AvailableReplicas, test.fewestAvailable)
					}
					return d.Status.ObservedGeneration == d.Generation && d.Status.UpdatedReplicas == test.replicas &&
						d.Status.Replicas == test.replicas && d.Status.AvailableReplicas == test.replicas
				})
			})
		})
	}
}

func parse(s string) *intstr.IntOrString {
	value := intstr.Parse(s)
	return &value
}

func TestStuckRolloutAndProportionalScaling(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		d := web(10)
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: parse("3"), MaxUnavailable: parse("2")}
		deadline := int32(30)
		d.Spec.ProgressDeadlineSeconds = &deadline
		start(c, d)
		change(c, setImage(controllertest.NeverReady))
		c.Until("stuck at 8 and 5", func() bool {
			return slices.Equal(sets(c), []string{"revision:1 nginx:1.14.2 replicas:8", "revision:2 never-ready replicas:5"})
		})
		// The example of the Kubernetes documentation: 5 more are shared out.
		change(c, func(d *appsv1.Deployment) { *d.Spec.Replicas = 15 })
		c.Until("scaled in proportion", func() bool {
			return slices.Equal(sets(c), []string{"revision:1 nginx:1.14.2 replicas:11", "revision:2 never-ready replicas:7"})
		})
		c.Until("out of time", func() bool {
			return reason(get(c), appsv1.DeploymentProgressing) == "False ProgressDeadlineExceeded"
		})
		change(c, setImage("nginx:1.14.2"))
		rolledOut(c)
	})
}

func TestRecreate(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		d := web(3)
		d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
		start(c, d)
		change(c, setImage("nginx:1.16.1"))
		c.Until("recreated, never with both", func() bool {
			old, current := 0, 0
			for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
				if pod.Spec.Containers[0].Image == "nginx:1.16.1" {
					current++
				} else {
					old++
				}
			}
			if old > 0 && current > 0 {
				c.Fatalf("%d old and %d new pods at a time", old, current)
			}
			return current == 3
		})
		rolledOut(c)
		events := c.Events("Deployment", "web")
		if len(events) != 3 || !strings.Contains(events[1], "Scaled down replica set web-54fd4d6d4c from 3 to 0") {
			c.Errorf("events %q", events)
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, web(2))
		change(c, func(d *appsv1.Deployment) { d.Spec.Paused = true })
		c.Until("paused", func() bool { return reason(get(c), appsv1.DeploymentProgressing) == "Unknown DeploymentPaused" })
		change(c, setImage("nginx:1.16.1"))
		change(c, func(d *appsv1.Deployment) { *d.Spec.Replicas = 3 })
		c.Until("scaled, not rolled out", func() bool {
			return slices.Equal(sets(c), []string{"revision:1 nginx:1.14.2 replicas:3"}) && get(c).Status.ReadyReplicas == 3
		})
		change(c, func(d *appsv1.Deployment) { d.Spec.Paused = false })
		rolledOut(c)
		expect(c, "sets", sets(c), []string{"revision:1 nginx:1.14.2 replicas:0", "revision:2 nginx:1.16.1 replicas:3"})
	})
}

func TestHistoryLimit(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		d := web(1)
		limit := int32(1)
		d.Spec.RevisionHistoryLimit = &limit
		start(c, d)
		for _, image := range []string{"nginx:1", "nginx:2", "nginx:3"} {
			change(c, setImage(image))
			rolledOut(c)
		}
		c.Until("kept one old revision", func() bool {
			return slices.Equal(sets(c), []string{"revision:3 nginx:2 replicas:0", "revision:4 nginx:3 replicas:1"})
		})
	})
}

func TestMinReadySeconds(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		d := web(2)
		d.Spec.MinReadySeconds = 30
		c.AddNodes(1)
		c.Until("has a default service account", func() bool {
			_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
			return ok
		})
		controllertest.Create(c, d)
		c.Until("ready", func() bool { return get(c).Status.ReadyReplicas == 2 })
		readyAt := c.Clock.Now()
		if got := get(c).Status.AvailableReplicas; got != 0 {
			c.Errorf("%d available at once, want 0", got)
		}
		rolledOut(c)
		if waited := c.Clock.Now().Sub(readyAt); waited < 25*time.Second {
			c.Errorf("available after %s, want about 30s", waited)
		}
	})
}

func TestAdoption(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, web(2))
		controllertest.Delete[*appsv1.Deployment](c, "default", "web", metav1.DeleteOptions{})
		controllertest.Change(c, "default", "web-54fd4d6d4c", func(rs *appsv1.ReplicaSet) { rs.OwnerReferences = nil })
		created := controllertest.Create(c, web(2))
		rolledOut(c)
		rs, _ := controllertest.Get[*appsv1.ReplicaSet](c, "default", "web-54fd4d6d4c")
		if !metav1.IsControlledBy(rs, created) {
			c.Errorf("owners %v, want the new Deployment", rs.OwnerReferences)
		}
		if got := reason(get(c), appsv1.DeploymentProgressing); got != "True NewReplicaSetAvailable" {
			c.Errorf("Progressing: %s", got)
		}
		// A ReplicaSet that no longer matches is let go, and replaced.
		controllertest.Change(c, "default", "web-54fd4d6d4c", func(rs *appsv1.ReplicaSet) { rs.Labels = map[string]string{"app": "other"} })
		c.Until("released", func() bool {
			rs, ok := controllertest.Get[*appsv1.ReplicaSet](c, "default", "web-54fd4d6d4c")
			return ok && len(rs.OwnerReferences) == 0
		})
	})
}

func TestCollision(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		taken := &appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-54fd4d6d4c"},
			Spec: appsv1.ReplicaSetSpec{
				Replicas: new(int32),
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "other"}},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "other"}},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "busybox"}}},
				},
			},
		}
		controllertest.Create(c, taken)
		d := start(c, web(1))
		if d.Status.CollisionCount == nil || *d.Status.CollisionCount != 1 {
			c.Errorf("collisionCount %v, want 1", d.Status.CollisionCount)
		}
	})
}

func TestDeprecatedRollback(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, web(1))
		change(c, setImage("nginx:1.16.1"))
		rolledOut(c)
		change(c, func(d *appsv1.Deployment) { d.Annotations[appsv1.DeprecatedRollbackTo] = "0" })
		c.Until("rolled back", func() bool {
			return slices.Equal(sets(c), []string{"revision:2 nginx:1.16.1 replicas:0", "revision:3 nginx:1.14.2 replicas:1 history:1"})
		})
		if _, ok := get(c).Annotations[appsv1.DeprecatedRollbackTo]; ok {
			c.Error("the annotation is still there")
		}
	})
}

// TestInvalidTemplate: what keeps pods from being created shows in the status.
func TestInvalidTemplate(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.TolerateFailures()
		c.AddNodes(1)
		d := web(1)
		d.Spec.Template.Spec.ServiceAccountName = "absent"
		d.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}
		controllertest.Create(c, d)
		c.Until("shows the failure", func() bool {
			return reason(get(c), appsv1.DeploymentReplicaFailure) == "True FailedCreate"
		})
	})
}
