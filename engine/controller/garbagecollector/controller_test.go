package garbagecollector_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/deployment"
	"tidepool.dev/tidepool/engine/controller/garbagecollector"
	"tidepool.dev/tidepool/engine/controller/replicaset"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		garbagecollector.New(c.Cache, c.ClientOf(garbagecollector.Name), c.Recorder(garbagecollector.Name), c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		deployment.New(c.Cache, c.ClientOf(deployment.Name), c.Recorder(deployment.Name), c.Clock),
		replicaset.New(c.Cache, c.ClientOf(replicaset.Name), c.Recorder(replicaset.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

func configMap(name string, owners ...metav1.OwnerReference) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, OwnerReferences: owners}}
}

func ownedBy(cm *corev1.ConfigMap, blocks bool) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: cm.Name, UID: cm.UID, BlockOwnerDeletion: &blocks}
}

func exists(c *controllertest.Cluster, name string) bool {
	_, ok := controllertest.Get[*corev1.ConfigMap](c, "default", name)
	return ok
}

func gone(c *controllertest.Cluster, name string) func() bool {
	return func() bool { return !exists(c, name) }
}

func remove(c *controllertest.Cluster, name string, policy metav1.DeletionPropagation) {
	c.Helper()
	controllertest.Delete[*corev1.ConfigMap](c, "default", name, metav1.DeleteOptions{PropagationPolicy: &policy})
}

func TestBackground(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		a := controllertest.Create(c, configMap("a"))
		other := controllertest.Create(c, configMap("other"))
		b := controllertest.Create(c, configMap("b", ownedBy(a, false)))
		controllertest.Create(c, configMap("c", ownedBy(b, true)))
		controllertest.Create(c, configMap("shared", ownedBy(a, false), ownedBy(other, false)))
		remove(c, "a", metav1.DeletePropagationBackground)
		if exists(c, "a") {
			c.Error("the owner waits")
		}
		c.Until("b gone", gone(c, "b"))
		c.Until("c gone", gone(c, "c"))
		c.Until("shared kept by its other owner", func() bool {
			shared, ok := controllertest.Get[*corev1.ConfigMap](c, "default", "shared")
			if !ok {
				c.Fatal("shared is gone")
			}
			return len(shared.OwnerReferences) == 1 && shared.OwnerReferences[0].UID == other.UID
		})
	})
}

func TestForeground(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		a := controllertest.Create(c, configMap("a"))
		held := configMap("held", ownedBy(a, true))
		held.Finalizers = []string{"example.com/hold"}
		controllertest.Create(c, held)
		b := controllertest.Create(c, configMap("b", ownedBy(a, true)))
		controllertest.Create(c, configMap("c", ownedBy(b, true)))
		controllertest.Create(c, configMap("free", ownedBy(a, false)))
		remove(c, "a", metav1.DeletePropagationForeground)
		c.Until("b gone", gone(c, "b"))
		c.Until("c gone", gone(c, "c"))
		if !exists(c, "a") {
			c.Error("the owner did not wait")
		}
		controllertest.Change(c, "default", "held", func(cm *corev1.ConfigMap) { cm.Finalizers = nil })
		c.Until("a gone", gone(c, "a"))
		c.Until("free gone", gone(c, "free"))
	})
}

func TestForegroundCycle(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		a := controllertest.Create(c, configMap("a"))
		b := controllertest.Create(c, configMap("b", ownedBy(a, true)))
		controllertest.Change(c, "default", "a", func(cm *corev1.ConfigMap) { cm.OwnerReferences = []metav1.OwnerReference{ownedBy(b, true)} })
		remove(c, "a", metav1.DeletePropagationForeground)
		c.Until("a gone", gone(c, "a"))
		c.Until("b gone", gone(c, "b"))
	})
}

func TestOrphan(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		a := controllertest.Create(c, configMap("a"))
		controllertest.Create(c, configMap("b", ownedBy(a, true)))
		remove(c, "a", metav1.DeletePropagationOrphan)
		c.Until("a gone", gone(c, "a"))
		b, ok := controllertest.Get[*corev1.ConfigMap](c, "default", "b")
		if !ok || len(b.OwnerReferences) > 0 {
			c.Errorf("b: exists %v, owners %v; want it free", ok, b.OwnerReferences)
		}
	})
}

func TestInvalidOwners(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		absent := ownedBy(configMap("absent"), false)
		absent.UID = "5b3b4b1c-0000-4000-8000-000000000000"
		controllertest.Create(c, configMap("of-nobody", absent))
		c.Until("deleted what nobody owns", gone(c, "of-nobody"))

		elsewhere := configMap("elsewhere")
		elsewhere.Namespace = "kube-public"
		owner := controllertest.Create(c, elsewhere)
		controllertest.Create(c, configMap("of-another-namespace", ownedBy(owner, false)))
		c.Until("deleted what an object of another namespace owns", gone(c, "of-another-namespace"))
		c.Until("said why", func() bool {
			events := c.Events("ConfigMap", "of-another-namespace")
			return len(events) == 1 && strings.HasPrefix(events[0], "Warning OwnerRefInvalidNamespace: ownerRef [v1/ConfigMap, namespace: default, name: elsewhere, uid: ") &&
				strings.HasSuffix(events[0], `] does not exist in namespace "default"`)
		})

		unknown := metav1.OwnerReference{APIVersion: "example.com/v1", Kind: "Widget", Name: "w", UID: types.UID("u")}
		controllertest.Create(c, configMap("of-an-unknown-kind", unknown, absent))
		controllertest.Create(c, configMap("marker", absent))
		c.Until("looked at all", gone(c, "marker"))
		if !exists(c, "of-an-unknown-kind") {
			c.Error("an object went whose owner can't be judged")
		}
	})
}

func TestDeployment(t *testing.T) {
	for _, policy := range []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan} {
		t.Run(string(policy), func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				c.AddNodes(2)
				c.Until("has a default service account", func() bool {
					_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
					return ok
				})
				controllertest.Create(c, &appsv1.Deployment{
					ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
					Spec: appsv1.DeploymentSpec{
						Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
						Template: corev1.PodTemplateSpec{
							ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
							Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx"}}},
						},
					},
				})
				c.Until("available", func() bool {
					d, _ := controllertest.Get[*appsv1.Deployment](c, "default", "web")
					return d.Status.AvailableReplicas == 1
				})
				controllertest.Delete[*appsv1.Deployment](c, "default", "web", metav1.DeleteOptions{PropagationPolicy: &policy})
				left := 0
				if policy == metav1.DeletePropagationOrphan {
					left = 1
				}
				c.Until("gone as asked", func() bool {
					_, ok := controllertest.Get[*appsv1.Deployment](c, "default", "web")
					sets := controllertest.List[*appsv1.ReplicaSet](c, "default")
					if len(sets) < left {
						c.Fatal("the ReplicaSet is gone")
					}
					return !ok && len(sets) == left && (left == 0 || len(sets[0].OwnerReferences) == 0) &&
						len(controllertest.List[*corev1.Pod](c, "default")) == left
				})
			})
		})
	}
}
