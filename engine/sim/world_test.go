package sim_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/sim"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, nodes int) *sim.World {
	t.Helper()
	world, err := sim.New(context.Background(), sim.Config{
		Seed: 1, Start: start, Nodes: nodes,
		Report: func(name string, request controller.Request, err error) {
			t.Logf("%s %v: %v", name, request, err)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return world
}

// run lets the world run until done says so, for ten virtual minutes at most.
func run(t testing.TB, world *sim.World, what string, done func() bool) {
	t.Helper()
	if err := world.Run(context.Background(), world.Now().Add(10*time.Minute), done); err != nil {
		t.Fatal(err)
	}
	if !done() {
		t.Fatalf("after ten virtual minutes not yet: %s", what)
	}
}

func nodesReady(world *sim.World, count int) func() bool {
	return func() bool {
		ready := 0
		for _, node := range cache.List[*corev1.Node](world.Cache, "nodes", "") {
			for _, c := range node.Status.Conditions {
				if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && len(node.Spec.Taints) == 0 {
					ready++
				}
			}
		}
		return ready == count
	}
}

func nginx(replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": "nginx"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "nginx-deployment"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "nginx", Image: "nginx:1.14.2", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
				}}},
			},
		},
	}
}

func apply(t testing.TB, world *sim.World, deployment *appsv1.Deployment) {
	t.Helper()
	world.Do(func() {
		if _, err := world.API.Client("learner").Create(context.Background(), "deployments.apps", deployment); err != nil {
			t.Fatal(err)
		}
	})
}

func available(world *sim.World, replicas int32) func() bool {
	return func() bool {
		d, ok := cache.Get[*appsv1.Deployment](world.Cache, "deployments.apps", "default", "nginx-deployment")
		return ok && d.Status.ReadyReplicas == replicas && d.Status.UpdatedReplicas == replicas
	}
}

func TestADeploymentBecomesReady(t *testing.T) {
	world := newWorld(t, 3)
	run(t, world, "nodes ready", nodesReady(world, 3))
	apply(t, world, nginx(3))
	run(t, world, "replicas ready", available(world, 3))
	pods := cache.List[*corev1.Pod](world.Cache, "pods", "default")
	names := map[string]bool{}
	for _, pod := range pods {
		names[pod.Spec.NodeName] = true
	}
	if len(pods) != 3 || len(names) != 3 {
		t.Errorf("3 replicas are %d pods on the nodes %v", len(pods), names)
	}
}

// BenchmarkReady measures from the creation of a Deployment to all its replicas
// being Ready.
func BenchmarkReady(b *testing.B) {
	for _, replicas := range []int32{1, 100, 1000, 10000} {
		b.Run(fmt.Sprint(replicas), func(b *testing.B) {
			nodes := max(3, int(replicas)/10)
			for b.Loop() {
				b.StopTimer()
				world := newWorld(b, nodes)
				run(b, world, "nodes ready", nodesReady(world, nodes))
				b.StartTimer()
				apply(b, world, nginx(replicas))
				run(b, world, "replicas ready", available(world, replicas))
			}
		})
	}
}
