package replicaset_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/replicaset"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		replicaset.New(c.Cache, c.ClientOf(replicaset.Name), c.Recorder(replicaset.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

func prepare(c *controllertest.Cluster) {
	c.Helper()
	c.AddNodes(3)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
}

func web(replicas int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx:1.27"}}},
			},
		},
	}
}

func pod(name string, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx:1.27"}}},
	}
}

func get(c *controllertest.Cluster) *appsv1.ReplicaSet {
	c.Helper()
	rs, ok := controllertest.Get[*appsv1.ReplicaSet](c, "default", "web")
	if !ok {
		c.Fatal("the ReplicaSet is gone")
	}
	return rs
}

func scale(c *controllertest.Cluster, replicas int32) {
	c.Helper()
	controllertest.Change(c, "default", "web", func(rs *appsv1.ReplicaSet) { *rs.Spec.Replicas = replicas })
}

// settled waits until as many pods as asked for are ready and nothing is left to
// do.
func settled(c *controllertest.Cluster) {
	c.Helper()
	c.Until("settled", func() bool {
		rs := get(c)
		want := *rs.Spec.Replicas
		return rs.Status.ObservedGeneration == rs.Generation && rs.Status.Replicas == want && rs.Status.ReadyReplicas == want &&
			rs.Status.AvailableReplicas == want && rs.Status.FullyLabeledReplicas == want &&
			rs.Status.TerminatingReplicas != nil && *rs.Status.TerminatingReplicas == 0 && len(owned(c)) == int(want)
	})
}

// owned are the names of the ReplicaSet's pods.
func owned(c *controllertest.Cluster) []string {
	var names []string
	for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
		if ref := metav1.GetControllerOf(pod); ref != nil && ref.Name == "web" {
			names = append(names, pod.Name)
		}
	}
	return names
}

func TestCreateAndScale(t *testing.T) {
	for _, sizes := range [][]int32{{2, 5, 1}, {0, 3, 0}, {1300, 600, 601}} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				prepare(c)
				controllertest.Create(c, web(sizes[0]))
				settled(c)
				for _, size := range sizes[1:] {
					scale(c, size)
					settled(c)
				}
			})
		})
	}
}

func TestEvents(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		prepare(c)
		controllertest.Create(c, web(1))
		settled(c)
		name := owned(c)[0]
		if !strings.HasPrefix(name, "web-") || len(name) != len("web-xxxxx") {
			c.Errorf("pod %s, want web-xxxxx", name)
		}
		scale(c, 0)
		settled(c)
		want := []string{"Normal SuccessfulCreate: Created pod: " + name, "Normal SuccessfulDelete: Deleted pod: " + name}
		c.Until("recorded both events", func() bool { return slices.Equal(c.Events("ReplicaSet", "web"), want) })
	})
}

func TestReplacement(t *testing.T) {
	for _, test := range []struct {
		name string
		lose func(c *controllertest.Cluster, name string)
	}{
		{"of a deleted pod", func(c *controllertest.Cluster, name string) {
			controllertest.Delete[*corev1.Pod](c, "default", name, metav1.DeleteOptions{})
			c.Until("deleted", func() bool { return !slices.Contains(owned(c), name) })
		}},
		{"of a failed pod", func(c *controllertest.Cluster, name string) {
			controllertest.ChangeStatus(c, "default", name, func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodFailed })
			c.Until("not counted", func() bool { return len(owned(c)) == 4 })
			controllertest.Delete[*corev1.Pod](c, "default", name, metav1.DeleteOptions{})
			c.Until("deleted", func() bool { return !slices.Contains(owned(c), name) })
		}},
		{"of a pod with other labels", func(c *controllertest.Cluster, name string) {
			controllertest.Change(c, "default", name, func(pod *corev1.Pod) { pod.Labels = map[string]string{"app": "free"} })
			c.Until("released", func() bool {
				pod, ok := controllertest.Get[*corev1.Pod](c, "default", name)
				return ok && len(pod.OwnerReferences) == 0
			})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				prepare(c)
				controllertest.Create(c, web(3))
				settled(c)
				lost := owned(c)[1]
				test.lose(c, lost)
				settled(c)
				if slices.Contains(owned(c), lost) {
					c.Errorf("%s is still one of %q", lost, owned(c))
				}
			})
		})
	}
}

func TestAdoption(t *testing.T) {
	for _, test := range []struct {
		name  string
		first func(c *controllertest.Cluster)
		then  func(c *controllertest.Cluster)
	}{
		{"of a pod that was there before",
			func(c *controllertest.Cluster) {
				controllertest.Create(c, pod("lone", map[string]string{"app": "web", "x": "y"}))
			},
			func(c *controllertest.Cluster) { controllertest.Create(c, web(3)) }},
		{"of a pod that comes later, one too many",
			func(c *controllertest.Cluster) { controllertest.Create(c, web(3)); settled(c) },
			func(c *controllertest.Cluster) {
				controllertest.Create(c, pod("lone", map[string]string{"app": "web"}))
				c.Until("removed one", func() bool { return len(controllertest.List[*corev1.Pod](c, "default")) == 3 })
			}},
		{"of a pod that comes to match",
			func(c *controllertest.Cluster) {
				controllertest.Create(c, pod("lone", map[string]string{"app": "other"}))
				controllertest.Create(c, web(3))
				settled(c)
			},
			func(c *controllertest.Cluster) {
				controllertest.Change(c, "default", "lone", func(pod *corev1.Pod) { pod.Labels["app"] = "web" })
				c.Until("removed one", func() bool { return len(controllertest.List[*corev1.Pod](c, "default")) == 3 })
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				prepare(c)
				test.first(c)
				test.then(c)
				settled(c)
				if pods := controllertest.List[*corev1.Pod](c, "default"); len(pods) != 3 {
					c.Errorf("%d pods, want 3", len(pods))
				}
			})
		})
	}
}

// TestDeletedOwnerAdoptsNothing: who is going must not take others with it.
func TestDeletedOwnerAdoptsNothing(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		prepare(c)
		controllertest.Create(c, web(1))
		settled(c)
		orphan := metav1.DeletePropagationOrphan
		controllertest.Delete[*appsv1.ReplicaSet](c, "default", "web", metav1.DeleteOptions{PropagationPolicy: &orphan})
		controllertest.Create(c, pod("lone", map[string]string{"app": "web"}))
		c.Until("runs the lone pod", func() bool {
			pod, ok := controllertest.Get[*corev1.Pod](c, "default", "lone")
			return ok && pod.Status.Phase == corev1.PodRunning
		})
		if pod, _ := controllertest.Get[*corev1.Pod](c, "default", "lone"); len(pod.OwnerReferences) > 0 {
			c.Errorf("owners %v, want none", pod.OwnerReferences)
		}
	})
}

func TestFailureToCreate(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.TolerateFailures()
		prepare(c)
		rs := web(5)
		rs.Spec.Template.Spec.ServiceAccountName = "robot"
		controllertest.Create(c, rs)
		c.Until("shows the failure", func() bool {
			conditions := get(c).Status.Conditions
			return len(conditions) == 1 && conditions[0].Type == appsv1.ReplicaSetReplicaFailure && conditions[0].Reason == "FailedCreate"
		})
		const message = `pods "web-" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found`
		if got := get(c).Status.Conditions[0].Message; got != message {
			c.Errorf("message %q, want %q", got, message)
		}
		if events := c.Events("ReplicaSet", "web"); len(events) != 1 || events[0] != "Warning FailedCreate: Error creating: "+message {
			c.Errorf("events %q", events)
		}
		controllertest.Create(c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "robot"}})
		settled(c)
		if conditions := get(c).Status.Conditions; len(conditions) > 0 {
			c.Errorf("conditions %v, want none", conditions)
		}
	})
}
