package tainteviction_test

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
	"tidepool.dev/tidepool/engine/controller/tainteviction"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		tainteviction.New(c.Cache, c.ClientOf(tainteviction.Name), c.Recorder(tainteviction.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

const (
	marking    = "Normal TaintManagerEviction: Marking for deletion Pod default/web"
	cancelling = "Normal TaintManagerEviction: Cancelling deletion of Pod default/web"
)

func tolerating(seconds *int64) []corev1.Toleration {
	return []corev1.Toleration{{Key: "out", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: seconds}}
}

func start(c *controllertest.Cluster, tolerations []corev1.Toleration) {
	c.Helper()
	c.AddNodes(1)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	controllertest.Create(c, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx"}}, Tolerations: tolerations},
	})
	c.Until("running", func() bool {
		pod, _ := controllertest.Get[*corev1.Pod](c, "default", "web")
		return pod.Status.Phase == corev1.PodRunning
	})
}

func taint(c *controllertest.Cluster, taints ...corev1.Taint) {
	c.Helper()
	controllertest.Change(c, "", "node-1", func(node *corev1.Node) { node.Spec.Taints = taints })
}

func out(value string) corev1.Taint {
	return corev1.Taint{Key: "out", Value: value, Effect: corev1.TaintEffectNoExecute}
}

func gone(c *controllertest.Cluster) func() bool {
	return func() bool {
		_, ok := controllertest.Get[*corev1.Pod](c, "default", "web")
		return !ok
	}
}

func TestEviction(t *testing.T) {
	thirty := int64(30)
	for _, test := range []struct {
		name        string
		tolerations []corev1.Toleration
		taint       corev1.Taint
		evicted     bool
		after       time.Duration
	}{
		{"of a pod that tolerates nothing", nil, out("1"), true, 0},
		{"of a pod that tolerates another value", []corev1.Toleration{{Key: "out", Operator: corev1.TolerationOpEqual, Value: "2"}}, out("1"), true, 0},
		{"of a pod whose time is up", tolerating(&thirty), out("1"), true, 30 * time.Second},
		{"of no pod that tolerates for ever", tolerating(nil), out("1"), false, 0},
		{"of no pod for a taint that only keeps others away", nil, corev1.Taint{Key: "out", Effect: corev1.TaintEffectNoSchedule}, false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				start(c, test.tolerations)
				tainted := c.Clock.Now()
				taint(c, test.taint)
				if !test.evicted {
					c.Pass(10 * time.Second)
					if gone(c)() {
						c.Error("the pod is gone")
					}
					return
				}
				c.Until("evicted", gone(c))
				if waited := c.Clock.Now().Sub(tainted); waited < test.after {
					c.Errorf("evicted after %s, want %s", waited, test.after)
				}
				if events := c.Events("Pod", "web"); !slices.Equal(events, []string{marking}) {
					c.Errorf("events %q", events)
				}
			})
		})
	}
}

func TestCancelledEviction(t *testing.T) {
	long := int64(3600)
	for _, test := range []struct {
		name   string
		cancel func(c *controllertest.Cluster)
	}{
		{"when the taint goes", func(c *controllertest.Cluster) { taint(c) }},
		{"when the pod goes", func(c *controllertest.Cluster) {
			controllertest.Delete[*corev1.Pod](c, "default", "web", metav1.DeleteOptions{})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				start(c, tolerating(&long))
				taint(c, out("1"))
				c.Pass(5 * time.Second)
				test.cancel(c)
				c.Until("cancelled", func() bool { return slices.Equal(c.Events("Pod", "web"), []string{cancelling}) })
			})
		})
	}
}
