package nodelifecycle_test

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/nodelifecycle"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
	"tidepool.dev/tidepool/engine/controller/tainteviction"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		nodelifecycle.New(c.Cache, c.ClientOf(nodelifecycle.Name), c.Recorder(nodelifecycle.Name), c.Clock),
		tainteviction.New(c.Cache, c.ClientOf(tainteviction.Name), c.Recorder(tainteviction.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

func start(c *controllertest.Cluster, nodes int) {
	c.Helper()
	c.AddNodes(nodes)
	c.Until("ready", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		for _, node := range controllertest.List[*corev1.Node](c, "") {
			ok = ok && len(node.Status.Conditions) > 0 && node.Status.Conditions[0].Status == corev1.ConditionTrue && len(node.Spec.Taints) == 0
		}
		return ok
	})
}

func taints(c *controllertest.Cluster, node string) []string {
	n, ok := controllertest.Get[*corev1.Node](c, "", node)
	if !ok {
		c.Fatalf("%s is gone", node)
	}
	var lines []string
	for _, taint := range n.Spec.Taints {
		lines = append(lines, taint.Key+":"+string(taint.Effect))
	}
	slices.Sort(lines)
	return lines
}

func tainted(c *controllertest.Cluster, node string, want ...string) func() bool {
	return func() bool { return slices.Equal(taints(c, node), want) }
}

var unreachable = []string{"node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"}

func TestSilentNode(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 2)
		patience := int64(20)
		controllertest.Create(c, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
			Spec: corev1.PodSpec{
				NodeName:   "node-1",
				Containers: []corev1.Container{{Name: "web", Image: "nginx"}},
				Tolerations: []corev1.Toleration{{
					Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists,
					Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &patience,
				}},
			},
		})
		c.Until("running", func() bool {
			pod, _ := controllertest.Get[*corev1.Pod](c, "default", "web")
			return pod.Status.Phase == corev1.PodRunning
		})
		c.Silence("node-1")
		silent := c.Clock.Now()
		c.Until("tainted", tainted(c, "node-1", unreachable...))
		if waited := c.Clock.Now().Sub(silent); waited < 39*time.Second {
			c.Errorf("noticed after %s, want 50s less at most one heartbeat", waited)
		}
		node, _ := controllertest.Get[*corev1.Node](c, "", "node-1")
		ready := node.Status.Conditions[0]
		if ready.Status != corev1.ConditionUnknown || ready.Reason != "NodeStatusUnknown" || ready.Message != "Kubelet stopped posting node status." {
			c.Errorf("Ready: %v", ready)
		}
		if got := len(node.Status.Conditions); got != 4 {
			c.Errorf("%d conditions, want 4", got)
		}
		c.Until("its pod marked", func() bool {
			return slices.Contains(c.Events("Pod", "web"), "Warning NodeNotReady: Node is not ready")
		})
		if pod, _ := controllertest.Get[*corev1.Pod](c, "default", "web"); pod.Status.Conditions[len(pod.Status.Conditions)-1].Status != corev1.ConditionFalse {
			c.Errorf("the pod's conditions are %v", pod.Status.Conditions)
		}
		if events := c.Events("Node", "node-1"); !slices.Contains(events, "Normal NodeNotReady: Node node-1 status is now: NodeNotReady") ||
			!slices.Contains(events, "Normal RegisteredNode: Node node-1 event: Registered Node node-1 in Controller") {
			c.Errorf("events %q", events)
		}
		c.Until("its pod evicted when its time was up", func() bool {
			pod, ok := controllertest.Get[*corev1.Pod](c, "default", "web")
			return !ok || pod.DeletionTimestamp != nil
		})
		if waited := c.Clock.Now().Sub(silent); waited < 59*time.Second {
			c.Errorf("evicted after %s, want 20s after it was noticed", waited)
		}
		c.Resume("node-1")
		c.Until("taken back", tainted(c, "node-1"))
		if got := taints(c, "node-2"); len(got) > 0 {
			c.Errorf("node-2 has taints %q", got)
		}
	})
}

// TestDarkCluster: when every node falls silent, more likely this side is cut
// off, and nothing is evicted.
func TestDarkCluster(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 2)
		c.Silence("node-1")
		c.Silence("node-2")
		for _, node := range []string{"node-1", "node-2"} {
			c.Until("only NoSchedule on "+node, tainted(c, node, "node.kubernetes.io/unreachable:NoSchedule"))
		}
		c.Pass(20 * time.Second)
		for _, node := range []string{"node-1", "node-2"} {
			if got := taints(c, node); !slices.Equal(got, unreachable[1:]) {
				c.Errorf("%s has taints %q", node, got)
			}
		}
		c.Resume("node-1")
		c.Until("node-1 taken back", tainted(c, "node-1"))
		c.Until("node-2 given up", tainted(c, "node-2", unreachable...))
	})
}

// TestPace: nodes of a zone are given up one in ten seconds.
func TestPace(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 5)
		c.Silence("node-1")
		c.Silence("node-2")
		given := func(node string) time.Time {
			n, _ := controllertest.Get[*corev1.Node](c, "", node)
			for _, taint := range n.Spec.Taints {
				if taint.Effect == corev1.TaintEffectNoExecute {
					return taint.TimeAdded.Time
				}
			}
			return time.Time{}
		}
		c.Until("both given up", func() bool { return !given("node-1").IsZero() && !given("node-2").IsZero() })
		if apart := given("node-2").Sub(given("node-1")).Abs(); apart < 9*time.Second {
			c.Errorf("given up %s apart, want 10s", apart)
		}
	})
}

func TestTaintsOfConditions(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(c *controllertest.Cluster)
		want   []string
	}{
		{"cordoned", func(c *controllertest.Cluster) {
			controllertest.Change(c, "", "node-1", func(node *corev1.Node) { node.Spec.Unschedulable = true })
		}, []string{"node.kubernetes.io/unschedulable:NoSchedule"}},
		{"out of memory", func(c *controllertest.Cluster) {
			controllertest.ChangeStatus(c, "", "node-1", func(node *corev1.Node) {
				node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionTrue})
			})
		}, []string{"node.kubernetes.io/memory-pressure:NoSchedule"}},
		{"not ready by its own account", func(c *controllertest.Cluster) {
			c.Silence("node-1")
			controllertest.ChangeStatus(c, "", "node-1", func(node *corev1.Node) { node.Status.Conditions[0].Status = corev1.ConditionFalse })
		}, []string{"node.kubernetes.io/not-ready:NoExecute", "node.kubernetes.io/not-ready:NoSchedule"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				start(c, 2)
				test.change(c)
				c.Until("tainted", tainted(c, "node-1", test.want...))
			})
		})
	}
}

func TestLabelsAndRemoval(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 1)
		c.Until("labelled as in the old days", func() bool {
			node, _ := controllertest.Get[*corev1.Node](c, "", "node-1")
			return node.Labels["beta.kubernetes.io/os"] == "linux" && node.Labels["beta.kubernetes.io/arch"] == "amd64"
		})
		c.Silence("node-1")
		controllertest.Delete[*corev1.Node](c, "", "node-1", metav1.DeleteOptions{})
		c.Until("recorded", func() bool {
			return slices.Contains(c.Events("Node", "node-1"), "Normal RemovingNode: Node node-1 event: Removing Node node-1 from Controller")
		})
	})
}
