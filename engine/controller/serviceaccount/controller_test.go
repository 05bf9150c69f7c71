package serviceaccount_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock)}
}

func has(c *controllertest.Cluster, namespace string) func() bool {
	return func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, namespace, "default")
		return ok
	}
}

func TestEachNamespaceHasAnAccount(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.Until("in default", has(c, "default"))
		c.Until("in kube-system", has(c, "kube-system"))
		controllertest.Create(c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "new"}})
		c.Until("in a new one", has(c, "new"))
		controllertest.Delete[*corev1.ServiceAccount](c, "new", "default", metav1.DeleteOptions{})
		c.Until("back after its deletion", has(c, "new"))
	})
}
