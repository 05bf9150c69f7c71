package rootca_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/rootca"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{rootca.New(c.Cache, c.ClientOf(rootca.Name), nil, c.Clock, []byte("bundle"))}
}

func right(c *controllertest.Cluster, namespace string) func() bool {
	return func() bool {
		cm, ok := controllertest.Get[*corev1.ConfigMap](c, namespace, "kube-root-ca.crt")
		return ok && len(cm.Data) == 1 && cm.Data["ca.crt"] == "bundle" && cm.Annotations["kubernetes.io/description"] != ""
	}
}

func TestEachNamespaceHasTheBundle(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.Until("in default", right(c, "default"))
		controllertest.Create(c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "new"}})
		c.Until("in a new one", right(c, "new"))
		for _, spoil := range []func(*corev1.ConfigMap){
			func(cm *corev1.ConfigMap) { cm.Data["ca.crt"] = "other" },
			func(cm *corev1.ConfigMap) { cm.Data["more"] = "x" },
			func(cm *corev1.ConfigMap) { cm.Annotations = nil },
		} {
			controllertest.Change(c, "new", "kube-root-ca.crt", spoil)
			c.Until("put right", right(c, "new"))
		}
		controllertest.Delete[*corev1.ConfigMap](c, "new", "kube-root-ca.crt", metav1.DeleteOptions{})
		c.Until("back after its deletion", right(c, "new"))
	})
}
