package replication_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/replicaset"
	"tidepool.dev/tidepool/engine/controller/replication"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		replication.New(c.Cache, c.ClientOf(replication.Name), c.Recorder(replication.Name), c.Clock),
		replicaset.New(c.Cache, c.ClientOf(replicaset.Name), c.Recorder(replicaset.Name), c.Clock), // must keep out of it
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

func web(serviceAccount string) *corev1.ReplicationController {
	return &corev1.ReplicationController{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: corev1.ReplicationControllerSpec{
			Replicas: new(int32(3)),
			Template: &corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
				Spec: corev1.PodSpec{
					ServiceAccountName: serviceAccount,
					Containers:         []corev1.Container{{Name: "web", Image: "nginx:1.27"}},
				},
			},
		},
	}
}

func start(c *controllertest.Cluster, rc *corev1.ReplicationController) {
	c.AddNodes(2)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	controllertest.Create(c, rc)
}

func get(c *controllertest.Cluster) *corev1.ReplicationController {
	rc, ok := controllertest.Get[*corev1.ReplicationController](c, "default", "web")
	if !ok {
		c.Fatal("the ReplicationController is gone")
	}
	return rc
}

func has(c *controllertest.Cluster, count int32) {
	c.Helper()
	c.Until("settled", func() bool {
		rc := get(c)
		s := &rc.Status
		return s.ObservedGeneration == rc.Generation && s.Replicas == count && s.ReadyReplicas == count && s.AvailableReplicas == count &&
			s.FullyLabeledReplicas == count && len(controllertest.List[*corev1.Pod](c, "default")) == int(count)
	})
}

func TestScale(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, web(""))
		has(c, 3)
		pod := controllertest.List[*corev1.Pod](c, "default")[0]
		if ref := metav1.GetControllerOf(pod); ref == nil || ref.Kind != "ReplicationController" || ref.APIVersion != "v1" || ref.UID != get(c).UID {
			c.Errorf("owner %v", ref)
		}
		if events := c.Events("ReplicationController", "web"); len(events) != 3 || !strings.HasPrefix(events[0], "Normal SuccessfulCreate: Created pod: web-") {
			c.Errorf("events %q", events)
		}
		controllertest.Change(c, "default", "web", func(rc *corev1.ReplicationController) { *rc.Spec.Replicas = 1 })
		has(c, 1)
		before := get(c).ResourceVersion
		c.Pass(time.Minute)
		if after := get(c).ResourceVersion; after != before {
			c.Errorf("written at rest: %s, then %s", before, after)
		}
	})
}

func TestAdoption(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, web(""))
		has(c, 3)
		controllertest.Create(c, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "stray", Labels: map[string]string{"app": "web"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}},
		})
		has(c, 3)
	})
}

func TestFailure(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.TolerateFailures()
		start(c, web("absent"))
		c.Until("shows the failure", func() bool {
			return slices.ContainsFunc(get(c).Status.Conditions, func(each corev1.ReplicationControllerCondition) bool {
				return each.Type == corev1.ReplicationControllerReplicaFailure && each.Status == corev1.ConditionTrue && each.Reason == "FailedCreate"
			})
		})
	})
}
