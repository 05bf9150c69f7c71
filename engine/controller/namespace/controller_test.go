package namespace_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/namespace"
	"tidepool.dev/tidepool/engine/controller/rootca"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		namespace.New(c.Cache, c.ClientOf(namespace.Name), nil, c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
		rootca.New(c.Cache, c.ClientOf(rootca.Name), nil, c.Clock, []byte("bundle")),
	}
}

func create(c *controllertest.Cluster) {
	c.Helper()
	c.AddNodes(2)
	controllertest.Create(c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team"}})
	c.Until("furnished", func() bool {
		_, account := controllertest.Get[*corev1.ServiceAccount](c, "team", "default")
		_, bundle := controllertest.Get[*corev1.ConfigMap](c, "team", "kube-root-ca.crt")
		return account && bundle
	})
}

func remove(c *controllertest.Cluster) {
	c.Helper()
	controllertest.Delete[*corev1.Namespace](c, "", "team", metav1.DeleteOptions{})
	ns, ok := controllertest.Get[*corev1.Namespace](c, "", "team")
	if ok && (ns.DeletionTimestamp == nil || ns.Status.Phase != corev1.NamespaceTerminating) {
		c.Errorf("phase %s after the deletion, want Terminating", ns.Status.Phase)
	}
}

func gone(c *controllertest.Cluster) func() bool {
	return func() bool {
		_, ok := controllertest.Get[*corev1.Namespace](c, "", "team")
		return !ok
	}
}

func pod(name string, finalizers ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, Finalizers: finalizers},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "nginx"}}},
	}
}

// conditions are those that say that something is in the way.
func conditions(c *controllertest.Cluster) []string {
	ns, ok := controllertest.Get[*corev1.Namespace](c, "", "team")
	if !ok {
		c.Fatal("the namespace is gone")
	}
	var lines []string
	for _, condition := range ns.Status.Conditions {
		if condition.Status == corev1.ConditionTrue {
			lines = append(lines, string(condition.Type)+" "+condition.Reason+": "+condition.Message)
		}
	}
	return lines
}

func TestContentGoesWithTheNamespace(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		create(c)
		controllertest.Create(c, pod("a"))
		controllertest.Create(c, pod("b"))
		controllertest.Create(c, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "s"}})
		controllertest.Create(c, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "stays"}})
		c.Until("running", func() bool {
			p, _ := controllertest.Get[*corev1.Pod](c, "team", "a")
			return p.Status.Phase == corev1.PodRunning
		})
		remove(c)
		c.Until("gone", gone(c))
		if pods := controllertest.List[*corev1.Pod](c, "team"); len(pods) > 0 {
			c.Errorf("%d pods are left", len(pods))
		}
		for _, cm := range controllertest.List[*corev1.ConfigMap](c, "team") {
			c.Errorf("ConfigMap %s is left", cm.Name)
		}
		if _, ok := controllertest.Get[*corev1.ConfigMap](c, "default", "stays"); !ok {
			c.Error("another namespace's ConfigMap has gone too")
		}
	})
}

func TestWhatIsInTheWay(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(c *controllertest.Cluster)
		want []string
		free func(c *controllertest.Cluster)
	}{
		{
			"an object with finalizers",
			func(c *controllertest.Cluster) {
				controllertest.Create(c, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "held", Finalizers: []string{"example.com/hold"}}})
			},
			[]string{
				"NamespaceContentRemaining SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances",
				"NamespaceFinalizersRemaining SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
			},
			func(c *controllertest.Cluster) {
				controllertest.Change(c, "team", "held", func(cm *corev1.ConfigMap) { cm.Finalizers = nil })
			},
		},
		{
			"a pod, which says nothing as long as it has time",
			func(c *controllertest.Cluster) { controllertest.Create(c, pod("held", "example.com/hold")) },
			nil,
			func(c *controllertest.Cluster) {
				controllertest.Change(c, "team", "held", func(p *corev1.Pod) { p.Finalizers = nil })
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				create(c)
				test.make(c)
				remove(c)
				c.Until("has its conditions", func() bool {
					ns, _ := controllertest.Get[*corev1.Namespace](c, "", "team")
					return len(ns.Status.Conditions) == 5
				})
				if got := conditions(c); !slices.Equal(got, test.want) {
					c.Errorf("conditions:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(test.want, "\n     "))
				}
				test.free(c)
				c.Until("gone", gone(c))
			})
		})
	}
}
