package podgc_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/podgc"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		podgc.New(c.Cache, c.ClientOf(podgc.Name), nil, c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

func create(c *controllertest.Cluster, pod *corev1.Pod) {
	c.Helper()
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	pod.Namespace, pod.Name = "default", "web"
	pod.Spec.Containers = []corev1.Container{{Name: "web", Image: "nginx"}}
	controllertest.Create(c, pod)
}

func get(c *controllertest.Cluster) (*corev1.Pod, bool) {
	return controllertest.Get[*corev1.Pod](c, "default", "web")
}

func gone(c *controllertest.Cluster) bool {
	_, ok := get(c)
	return !ok
}

func running(c *controllertest.Cluster) bool {
	pod, _ := get(c)
	return pod.Status.Phase == corev1.PodRunning
}

func TestMissingNode(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(1)
		create(c, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Finalizers: []string{"example.com/hold"}}})
		c.Until("running", func() bool { return running(c) })
		c.Silence("node-1")
		controllertest.Delete[*corev1.Node](c, "", "node-1", metav1.DeleteOptions{})
		removed := c.Clock.Now()
		c.Until("failed", func() bool {
			pod, _ := get(c)
			return pod.Status.Phase == corev1.PodFailed && pod.DeletionTimestamp != nil
		})
		if waited := c.Clock.Now().Sub(removed); waited < 40*time.Second {
			c.Errorf("the pod was removed after %s, want 40s", waited)
		}
		pod, _ := get(c)
		last := pod.Status.Conditions[len(pod.Status.Conditions)-1]
		if last.Type != corev1.DisruptionTarget || last.Reason != "DeletionByPodGC" || last.Message != "PodGC: node no longer exists" {
			c.Errorf("condition %v", last)
		}
		controllertest.Change(c, "default", "web", func(pod *corev1.Pod) { pod.Finalizers = nil })
		c.Until("gone", func() bool { return gone(c) })
	})
}

// TestNodeThatComesBack: a node may only have been created anew.
func TestNodeThatComesBack(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(1)
		create(c, &corev1.Pod{})
		c.Until("running", func() bool { return running(c) })
		controllertest.Delete[*corev1.Node](c, "", "node-1", metav1.DeleteOptions{})
		c.Pass(10 * time.Second)
		c.AddNodes(1)
		c.Pass(50 * time.Second)
		if gone(c) || !running(c) {
			c.Error("the pod was removed")
		}
	})
}

func TestDeletedBeforeScheduled(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		create(c, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Finalizers: []string{"example.com/hold"}}})
		controllertest.Delete[*corev1.Pod](c, "default", "web", metav1.DeleteOptions{})
		c.Until("failed", func() bool {
			pod, _ := get(c)
			return pod.Status.Phase == corev1.PodFailed
		})
	})
}

func TestOutOfService(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(1)
		create(c, &corev1.Pod{})
		c.Until("running", func() bool { return running(c) })
		c.Silence("node-1")
		controllertest.ChangeStatus(c, "", "node-1", func(node *corev1.Node) { node.Status.Conditions[0].Status = corev1.ConditionUnknown })
		controllertest.Delete[*corev1.Pod](c, "default", "web", metav1.DeleteOptions{})
		if gone(c) {
			c.Error("the pod did not wait for its node")
		}
		controllertest.Change(c, "", "node-1", func(node *corev1.Node) {
			node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeOutOfService, Effect: corev1.TaintEffectNoExecute})
		})
		c.Until("gone", func() bool { return gone(c) })
	})
}
