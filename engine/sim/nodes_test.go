package sim_test

import (
	"context"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/sim"
)

func nodeStatus(world *sim.World, name string) corev1.ConditionStatus {
	node, ok := cache.Get[*corev1.Node](world.Cache, "nodes", "", name)
	if !ok {
		return ""
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status
		}
	}
	return ""
}

func podsOn(world *sim.World, node string) []*corev1.Pod {
	return cache.Find[*corev1.Pod](world.Cache, "pods", cache.ByNode, node)
}

// TestANodeFails: when a kubelet falls silent, its node becomes NotReady, its
// pods are replaced elsewhere after five minutes, and are ended when it is back.
func TestANodeFails(t *testing.T) {
	world := newWorld(t, 3)
	run(t, world, "nodes ready", nodesReady(world, 3))
	apply(t, world, nginx(3))
	run(t, world, "replicas ready", available(world, 3))
	lost := podsOn(world, "node-2")
	if len(lost) == 0 {
		t.Fatal("no pod on node-2")
	}
	failed := world.Now()
	world.Nodes.StopKubelet("node-2")
	run(t, world, "node-2 not ready", func() bool { return nodeStatus(world, "node-2") == corev1.ConditionUnknown })
	if took := world.Now().Sub(failed); took < 40*time.Second || took > time.Minute {
		t.Errorf("node-2 became NotReady after %v", took)
	}
	run(t, world, "pods replaced", func() bool {
		return available(world, 3)() && !slices.ContainsFunc(podsOn(world, "node-2"), func(pod *corev1.Pod) bool { return pod.DeletionTimestamp == nil })
	})
	if took := world.Now().Sub(failed); took < 5*time.Minute || took > 7*time.Minute {
		t.Errorf("the pods were replaced after %v", took)
	}
	if got := podsOn(world, "node-2"); len(got) != len(lost) {
		t.Errorf("%d pods are left on the silent node, there were %d", len(got), len(lost))
	}
	world.Nodes.StartKubelet("node-2")
	run(t, world, "node-2 ready and free", func() bool {
		return nodeStatus(world, "node-2") == corev1.ConditionTrue && len(podsOn(world, "node-2")) == 0
	})
}

func TestPodsAreEndedWithTheirDeployment(t *testing.T) {
	world := newWorld(t, 3)
	run(t, world, "nodes ready", nodesReady(world, 3))
	apply(t, world, nginx(5))
	run(t, world, "replicas ready", available(world, 5))
	deleted := world.Now()
	world.Do(func() {
		background := metav1.DeletePropagationBackground
		err := world.API.Client("learner").Delete(context.Background(), "deployments.apps", "default", "nginx-deployment",
			metav1.DeleteOptions{PropagationPolicy: &background})
		if err != nil {
			t.Fatal(err)
		}
	})
	run(t, world, "everything gone", func() bool {
		return len(cache.List[*corev1.Pod](world.Cache, "pods", "default")) == 0
	})
	if took := world.Now().Sub(deleted); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAddressesOfManyNodes(t *testing.T) {
	world := newWorld(t, 600)
	run(t, world, "nodes ready", nodesReady(world, 600))
	seen := map[string]string{}
	for _, node := range cache.List[*corev1.Node](world.Cache, "nodes", "") {
		for _, address := range []string{node.Spec.PodCIDR, node.Status.Addresses[0].Address} {
			if other, ok := seen[address]; ok {
				t.Errorf("%s and %s have the same %s", node.Name, other, address)
			}
			seen[address] = node.Name
		}
	}
}
