package controllertest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/deployment"
	"tidepool.dev/tidepool/engine/controller/endpointslice"
	"tidepool.dev/tidepool/engine/controller/garbagecollector"
	"tidepool.dev/tidepool/engine/controller/namespace"
	"tidepool.dev/tidepool/engine/controller/nodelifecycle"
	"tidepool.dev/tidepool/engine/controller/podgc"
	"tidepool.dev/tidepool/engine/controller/replicaset"
	"tidepool.dev/tidepool/engine/controller/rootca"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
	"tidepool.dev/tidepool/engine/controller/tainteviction"
)

func all(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		namespace.New(c.Cache, c.ClientOf(namespace.Name), c.Recorder(namespace.Name), c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		garbagecollector.New(c.Cache, c.ClientOf(garbagecollector.Name), c.Recorder(garbagecollector.Name), c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), c.Recorder(serviceaccount.Name), c.Clock),
		rootca.New(c.Cache, c.ClientOf(rootca.Name), c.Recorder(rootca.Name), c.Clock, []byte("bundle")),
		deployment.New(c.Cache, c.ClientOf(deployment.Name), c.Recorder(deployment.Name), c.Clock),
		replicaset.New(c.Cache, c.ClientOf(replicaset.Name), c.Recorder(replicaset.Name), c.Clock),
		endpointslice.New(c.Cache, c.ClientOf(endpointslice.Name), c.Recorder(endpointslice.Name), c.Clock),
		nodelifecycle.New(c.Cache, c.ClientOf(nodelifecycle.Name), c.Recorder(nodelifecycle.Name), c.Clock),
		tainteviction.New(c.Cache, c.ClientOf(tainteviction.Name), c.Recorder(tainteviction.Name), c.Clock),
		podgc.New(c.Cache, c.ClientOf(podgc.Name), c.Recorder(podgc.Name), c.Clock),
	}
}

// TestDeterminism: the same inputs lead to the same writes, byte for byte.
func TestDeterminism(t *testing.T) {
	first, second := story(t), story(t)
	if len(first) < 500 {
		t.Errorf("only %d writes", len(first))
	}
	for i := range min(len(first), len(second)) {
		if first[i] != second[i] {
			t.Fatalf("write %d differs:\n%s\n%s", i, first[i], second[i])
		}
	}
	if len(first) != len(second) {
		t.Errorf("%d and %d writes", len(first), len(second))
	}
}

// story is every write of a run in which each loop has something to do.
func story(t *testing.T) []string {
	var writes []string
	controllertest.Sequential(t, all, func(c *controllertest.Cluster) {
		c.AddNodes(8)
		c.Pass(time.Second)
		controllertest.Create(c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})
		c.Pass(time.Second)
		replicas := int32(40)
		controllertest.Create(c, &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "web"},
			Spec: appsv1.DeploymentSpec{
				Replicas: &replicas,
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web", "tier": "front"}},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx:1"}}},
				},
			},
		})
		controllertest.Create(c, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "web"},
			Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
		})
		c.Pass(time.Minute)
		controllertest.Change(c, "team", "web", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "nginx:2" })
		c.Pass(time.Minute)
		for i := range 4 {
			c.Silence(fmt.Sprintf("node-%d", i+1))
		}
		c.Pass(8 * time.Minute)
		controllertest.Delete[*corev1.Node](c, "", "node-1", metav1.DeleteOptions{})
		c.Pass(2 * time.Minute)
		controllertest.Change(c, "team", "web", func(d *appsv1.Deployment) { *d.Spec.Replicas = 15 })
		c.Pass(time.Minute)
		controllertest.Delete[*corev1.Namespace](c, "", "team", metav1.DeleteOptions{})
		c.Resume("node-2")
		c.Pass(5 * time.Minute)
		writes = slices.Clone(history(c))
	})
	return writes
}

func history(c *controllertest.Cluster) []string {
	watcher, err := c.Operations.Store().Watch("", "", 1, nil)
	if err != nil {
		c.Fatal(err)
	}
	defer watcher.Stop()
	var lines []string
	for {
		events, err := watcher.Next(nil, 10000)
		if err != nil {
			c.Fatal(err)
		}
		if len(events) == 0 {
			return lines
		}
		for i := range events {
			text, err := json.Marshal(events[i].Object)
			if err != nil {
				c.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%d %s %s by %s for %s: %s", events[i].Revision, events[i].Type, events[i].Key,
				events[i].Cause.Actor, events[i].Cause.Trigger, text))
		}
	}
}
