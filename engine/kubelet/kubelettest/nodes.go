package kubelettest

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/kubelet"
)

func (c *Cluster) node() (*corev1.Node, bool) {
	node, err := c.Client.Get(c.Context(), "nodes", "", NodeName)
	if err != nil {
		return nil, false
	}
	return node.(*corev1.Node), true
}

// renewed is when the node last renewed its lease.
func (c *Cluster) renewed() time.Time {
	lease, err := c.Client.Get(c.Context(), "leases.coordination.k8s.io", "kube-node-lease", NodeName)
	if err != nil {
		return time.Time{}
	}
	return lease.(*coordinationv1.Lease).Spec.RenewTime.Time
}

// nodeCases are about the node itself.
var nodeCases = []testCase{
	{"the node registers and keeps its lease fresh", func(c *Cluster) {
		c.Until("is the node registered", func() bool { _, found := c.node(); return found })
		node, _ := c.node()
		for label, want := range map[string]string{
			corev1.LabelHostname: NodeName, corev1.LabelOSStable: "linux", "beta.kubernetes.io/os": "linux",
			corev1.LabelArchStable: node.Status.NodeInfo.Architecture, "beta.kubernetes.io/arch": node.Status.NodeInfo.Architecture,
		} {
			c.Same(label, node.Labels[label], want)
		}
		c.Same("version", node.Status.NodeInfo.KubeletVersion, kubelet.KubeletVersion)
		last := node.Status.Conditions[len(node.Status.Conditions)-1]
		c.Same("condition", string(last.Type)+" "+string(last.Status)+" "+last.Reason, "Ready True KubeletReady")
		c.Same("capacity", node.Status.Capacity.Cpu().String()+" "+node.Status.Allocatable.Memory().String(), "4 8Gi")
		c.Until("is there a lease", func() bool { return !c.renewed().IsZero() })
		first := c.renewed()
		c.Until("is it renewed", func() bool { return c.renewed().After(first) })
		c.Took("the renewal", first, 9*time.Second, 11*time.Second)
		c.Run("web", always(app("nginx:1.14.2")))
		c.Until("does the node list its image", func() bool {
			node, _ := c.node()
			return len(node.Status.Images) == 1 && node.Status.Images[0].Names[1] == "docker.io/library/nginx:1.14.2"
		})
	}},
	{"a stopped kubelet does nothing until it is started again", func(c *Cluster) {
		c.Run("web", always(app("nginx:1.14.2")))
		c.When("web", "is ready", ready)
		c.Fleet.StopKubelet(NodeName)
		c.Pass(time.Second)
		last := c.renewed()
		c.Delete("web", -1)
		c.Run("other", always(app("nginx:1.14.2")))
		c.Pass(time.Minute)
		c.Same("lease", c.renewed(), last)
		if _, found := c.Pod("web"); !found {
			c.Error("web is gone")
		}
		c.Fleet.StartKubelet(NodeName)
		c.Gone("web")
		c.When("other", "is ready", ready)
		c.Until("is the lease renewed", func() bool { return c.renewed().After(last) })
	}},
	{"a node that is deleted comes back when its kubelet is started again", func(c *Cluster) {
		c.Until("is the lease renewed", func() bool { return !c.renewed().IsZero() })
		first, _ := c.node()
		c.Pass(time.Second)
		if err := c.Client.Delete(c.Context(), "nodes", "", NodeName, metav1.DeleteOptions{}); err != nil {
			c.Fatal(err)
		}
		c.Pass(30 * time.Second)
		if _, found := c.node(); found {
			c.Error("the node came back by itself")
		}
		c.Fleet.StopKubelet(NodeName)
		c.Fleet.StartKubelet(NodeName)
		c.Until("is the node registered again", func() bool {
			second, found := c.node()
			return found && second.UID != first.UID
		})
		last := c.renewed()
		c.Until("is the lease renewed", func() bool { return c.renewed().After(last) })
	}},
	{"cordoning is recorded", func(c *Cluster) {
		c.Until("is the node registered", func() bool { _, found := c.node(); return found })
		for _, unschedulable := range []bool{true, false} {
			_, err := client.Modify(c.Context(), c.Client, "nodes", "", NodeName, c.Client.Update, func(node *corev1.Node) bool {
				node.Spec.Unschedulable = unschedulable
				return true
			})
			if err != nil {
				c.Fatal(err)
			}
			event := "NodeSchedulable: Node node-1 status is now: NodeSchedulable"
			if unschedulable {
				event = "NodeNotSchedulable: Node node-1 status is now: NodeNotSchedulable"
			}
			c.HasEvents(NodeName, event)
		}
	}},
	{"the node does not take in what it has no room for", func(c *Cluster) {
		big := app("nginx:1.14.2")
		big.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3")}
		c.Run("first", always(big))
		c.When("first", "is ready", ready)
		c.Run("second", always(big))
		pod := c.When("second", "has failed", phase(corev1.PodFailed))
		const message = "Node didn't have enough resource: cpu, requested: 3000, used: 3000, capacity: 4000"
		c.Same("reason", pod.Status.Reason+": "+pod.Status.Message, "OutOfcpu: Pod was rejected: "+message)
		c.HasEvents("second", "OutOfcpu: "+message)
		c.Delete("first", -1)
		c.Gone("first")
		c.Run("third", always(big))
		c.When("third", "is ready", ready)
	}},
}
