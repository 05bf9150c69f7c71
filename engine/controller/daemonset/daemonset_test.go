package daemonset_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/daemonset"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		daemonset.New(c.Cache, c.ClientOf(daemonset.Name), c.Recorder(daemonset.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

// agent is the DaemonSet of the recorded scenario ds-basic.
func agent() *appsv1.DaemonSet {
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "agent"},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "agent"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "agent"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "agent", Image: "busybox:1.36"}}},
			},
		},
	}
}

func start(c *controllertest.Cluster, nodes int, ds *appsv1.DaemonSet) {
	c.Helper()
	c.AddNodes(nodes)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	controllertest.Create(c, ds)
}

func get(c *controllertest.Cluster) *appsv1.DaemonSet {
	c.Helper()
	ds, ok := controllertest.Get[*appsv1.DaemonSet](c, "default", "agent")
	if !ok {
		c.Fatal("the DaemonSet is gone")
	}
	return ds
}

func change(c *controllertest.Cluster, edit func(ds *appsv1.DaemonSet)) {
	c.Helper()
	controllertest.Change(c, "default", "agent", edit)
}

func setImage(image string) func(*appsv1.DaemonSet) {
	return func(ds *appsv1.DaemonSet) { ds.Spec.Template.Spec.Containers[0].Image = image }
}

// rolledOut waits until as many nodes as should have a pod of the present
// template that is available.
func rolledOut(c *controllertest.Cluster, nodes int32) {
	c.Helper()
	c.Until(fmt.Sprintf("rolled out to %d", nodes), func() bool {
		ds := get(c)
		s := &ds.Status
		return s.ObservedGeneration == ds.Generation && s.DesiredNumberScheduled == nodes && s.CurrentNumberScheduled == nodes &&
			s.UpdatedNumberScheduled == nodes && s.NumberReady == nodes && s.NumberAvailable == nodes &&
			s.NumberUnavailable == 0 && s.NumberMisscheduled == 0 && len(places(c)) == int(nodes)
	})
}

// places are the pods as "node image", sorted.
func places(c *controllertest.Cluster) []string {
	var lines []string
	for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
		if pod.DeletionTimestamp == nil {
			lines = append(lines, pod.Spec.NodeName+" "+pod.Spec.Containers[0].Image)
		}
	}
	slices.Sort(lines)
	return lines
}

func expectPlaces(c *controllertest.Cluster, want ...string) {
	c.Helper()
	if got := places(c); !slices.Equal(got, want) {
		c.Errorf("pods %q, want %q", got, want)
	}
}

func revisions(c *controllertest.Cluster) []string {
	var lines []string
	for _, r := range controllertest.List[*appsv1.ControllerRevision](c, "default") {
		lines = append(lines, fmt.Sprintf("%d %s", r.Revision, r.Name))
	}
	slices.Sort(lines)
	return lines
}

func TestOnePodPerNode(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 3, agent())
		rolledOut(c, 3)
		expectPlaces(c, "node-1 busybox:1.36", "node-2 busybox:1.36", "node-3 busybox:1.36")
		for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
			if hash := pod.Labels["controller-revision-hash"]; hash != "54f44d698d" { // as recorded
				c.Errorf("hash %q", hash)
			}
			if got := pod.Labels["pod-template-generation"]; got != "1" {
				c.Errorf("generation %q", got)
			}
		}
		if got := revisions(c); !slices.Equal(got, []string{"1 agent-54f44d698d"}) {
			c.Errorf("revisions %q", got)
		}
		events := c.Events("DaemonSet", "agent")
		if len(events) != 3 || !strings.HasPrefix(events[0], "Normal SuccessfulCreate: Created pod: agent-") {
			c.Errorf("events %q", events)
		}
		c.AddNode("late")
		rolledOut(c, 4)
	})
}

func TestTolerationsAndAffinity(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		ds := agent()
		ds.Spec.Template.Spec.HostNetwork = true
		start(c, 1, ds)
		rolledOut(c, 1)
		pod := controllertest.List[*corev1.Pod](c, "default")[0]
		var got []string
		for _, t := range pod.Spec.Tolerations {
			got = append(got, fmt.Sprintf("%s %s %s", t.Key, t.Operator, t.Effect))
		}
		want := []string{
			"node.kubernetes.io/not-ready Exists NoExecute", "node.kubernetes.io/unreachable Exists NoExecute",
			"node.kubernetes.io/disk-pressure Exists NoSchedule", "node.kubernetes.io/memory-pressure Exists NoSchedule",
			"node.kubernetes.io/pid-pressure Exists NoSchedule", "node.kubernetes.io/unschedulable Exists NoSchedule",
			"node.kubernetes.io/network-unavailable Exists NoSchedule",
		}
		if !slices.Equal(got, want) {
			c.Errorf("tolerations %q, want %q", got, want)
		}
		field := pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields[0]
		if field.Key != "metadata.name" || field.Values[0] != "node-1" {
			c.Errorf("affinity %v", field)
		}
	})
}

func TestNodesThatChange(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		ds := agent()
		ds.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		start(c, 3, ds)
		c.Until("observed", func() bool { return get(c).Status.ObservedGeneration == 1 })
		expectPlaces(c)
		label := func(node, value string) {
			controllertest.Change(c, "", node, func(n *corev1.Node) { n.Labels["disk"] = value })
		}
		taint := func(node string, taints ...corev1.Taint) {
			controllertest.Change(c, "", node, func(n *corev1.Node) { n.Spec.Taints = taints })
		}
		label("node-1", "ssd")
		label("node-2", "ssd")
		rolledOut(c, 2)
		label("node-1", "hdd")
		rolledOut(c, 1)
		expectPlaces(c, "node-2 busybox:1.36")
		// A pod may stay where no new one may go, but not where none may run.
		taint("node-2", corev1.Taint{Key: "db", Effect: corev1.TaintEffectNoSchedule})
		c.Until("misscheduled", func() bool {
			s := get(c).Status
			return s.NumberMisscheduled == 1 && s.DesiredNumberScheduled == 0
		})
		expectPlaces(c, "node-2 busybox:1.36")
		taint("node-2", corev1.Taint{Key: "db", Effect: corev1.TaintEffectNoExecute})
		c.Until("evicted", func() bool { return len(places(c)) == 0 && get(c).Status.NumberMisscheduled == 0 })
		taint("node-2", corev1.Taint{Key: "node.kubernetes.io/unschedulable", Effect: corev1.TaintEffectNoSchedule})
		rolledOut(c, 1)
	})
}

func number(n int) *intstr.IntOrString { return new(intstr.FromInt(n)) }

func TestRollingUpdate(t *testing.T) {
	for _, test := range []struct {
		name               string
		unavailable, surge *intstr.IntOrString
		fewest, most       int
	}{
		{"one at a time", nil, nil, 4, 5},
		{"two at a time", number(2), nil, 3, 5},
		{"all at once", new(intstr.FromString("100%")), nil, 0, 5},
		{"surge of one", number(0), number(1), 5, 6},
		{"surge of half", number(0), new(intstr.FromString("50%")), 5, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				ds := agent()
				ds.Spec.UpdateStrategy = appsv1.DaemonSetUpdateStrategy{
					Type:          appsv1.RollingUpdateDaemonSetStrategyType,
					RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: test.unavailable, MaxSurge: test.surge},
				}
				start(c, 5, ds)
				rolledOut(c, 5)
				change(c, setImage("busybox:1.37"))
				c.Until("rolled out within the limits", func() bool {
					ready, all := 0, 0
					for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
						if pod.DeletionTimestamp != nil {
							continue
						}
						all++
						if pod.Status.Phase == corev1.PodRunning {
							ready++
						}
					}
					if ready < test.fewest || all > test.most {
						c.Fatalf("%d ready of %d, want at least %d and at most %d", ready, all, test.fewest, test.most)
					}
					return get(c).Status.UpdatedNumberScheduled == 5 && get(c).Status.NumberAvailable == 5
				})
				rolledOut(c, 5)
				if got := len(revisions(c)); got != 2 {
					c.Errorf("%d revisions, want 2", got)
				}
			})
		})
	}
}

func TestStuckRollingUpdateAndRollback(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 3, agent())
		rolledOut(c, 3)
		change(c, setImage(controllertest.NeverReady))
		c.Until("stuck after one", func() bool {
			s := get(c).Status
			return s.UpdatedNumberScheduled == 1 && s.NumberUnavailable == 1 && s.ObservedGeneration == 2
		})
		c.Pass(time.Minute)
		if s := get(c).Status; s.UpdatedNumberScheduled != 1 || s.NumberAvailable != 2 {
			c.Errorf("status %+v", s)
		}
		change(c, setImage("busybox:1.36"))
		rolledOut(c, 3)
		if got := revisions(c); len(got) != 2 || got[1] != "3 agent-54f44d698d" {
			c.Errorf("revisions %q: the first should have become the third", got)
		}
	})
}

func TestOnDelete(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		ds := agent()
		ds.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType
		start(c, 2, ds)
		rolledOut(c, 2)
		change(c, setImage("busybox:1.37"))
		c.Until("observed", func() bool { return get(c).Status.ObservedGeneration == 2 && get(c).Status.UpdatedNumberScheduled == 0 })
		expectPlaces(c, "node-1 busybox:1.36", "node-2 busybox:1.36")
		for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
			if pod.Spec.NodeName == "node-1" {
				controllertest.Delete[*corev1.Pod](c, "default", pod.Name, metav1.DeleteOptions{})
			}
		}
		c.Until("replaced one", func() bool { return slices.Equal(places(c), []string{"node-1 busybox:1.37", "node-2 busybox:1.36"}) })
	})
}

func TestHistoryLimit(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		ds := agent()
		ds.Spec.RevisionHistoryLimit = new(int32(1))
		start(c, 2, ds)
		rolledOut(c, 2)
		for _, image := range []string{"a:1", "b:1", "c:1"} {
			change(c, setImage(image))
			rolledOut(c, 2)
		}
		c.Until("kept one old revision", func() bool {
			got := revisions(c)
			return len(got) == 2 && strings.HasPrefix(got[0], "3 ") && strings.HasPrefix(got[1], "4 ")
		})
	})
}

// TestFailedPods: pods that fail are replaced, at ever longer intervals.
func TestFailedPods(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		ds := agent()
		ds.Spec.Template.Spec.Containers[0].Image = controllertest.Exits(1)
		start(c, 1, ds)
		c.Pass(time.Minute)
		failures := 0
		for _, event := range c.Events("DaemonSet", "agent") {
			if strings.HasPrefix(event, "Warning FailedDaemonPod: Found failed daemon pod default/agent-") {
				failures++
			}
		}
		if failures < 4 || failures > 7 { // after 0, 1, 3, 7, 15, 31 seconds
			c.Errorf("%d replacements in a minute", failures)
		}
	})
}

func TestCollision(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		taken := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "agent-54f44d698d"}}
		taken.Data.Raw = []byte(`{}`)
		controllertest.Create(c, taken)
		start(c, 1, agent())
		rolledOut(c, 1)
		if count := get(c).Status.CollisionCount; count == nil || *count != 1 {
			c.Errorf("collisionCount %v, want 1", count)
		}
	})
}

// TestRest: a DaemonSet at rest is left alone.
func TestRest(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		start(c, 3, agent())
		rolledOut(c, 3)
		before := get(c).ResourceVersion
		c.Pass(time.Hour)
		if after := get(c).ResourceVersion; after != before {
			c.Errorf("written at rest: %s, then %s", before, after)
		}
	})
}
