//lint:file-ignore SA1019 the deprecated kind is served as before

package endpoints_test

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/endpoints"
	"tidepool.dev/tidepool/engine/controller/endpointslice"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), c.Recorder(serviceaccount.Name), c.Clock),
		endpointslice.New(c.Cache, c.ClientOf(endpointslice.Name), c.Recorder(endpointslice.Name), c.Clock),
		endpoints.New(c.Cache, c.ClientOf(endpoints.Name), c.Recorder(endpoints.Name)),
	}
}

// shown are the Endpoints as "PORTS: READY... !NOT-READY...", by pod.
func shown(c *controllertest.Cluster) []string {
	var lines []string
	for _, e := range controllertest.List[*corev1.Endpoints](c, "default") {
		if e.Labels["endpoints.kubernetes.io/managed-by"] != "endpoint-controller" || e.Labels["a"] != "b" {
			lines = append(lines, fmt.Sprint("labels ", e.Labels))
		}
		for _, subset := range e.Subsets {
			line := ""
			for _, port := range subset.Ports {
				line += fmt.Sprint(port.Name, port.Port, " ")
			}
			line += ":"
			for _, address := range subset.Addresses {
				line += " " + address.TargetRef.Name
			}
			for _, address := range subset.NotReadyAddresses {
				line += " !" + address.TargetRef.Name
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func TestEndpoints(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(1)
		c.Until("has a default service account", func() bool {
			_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
			return ok
		})
		become := func(want ...string) {
			c.Helper()
			c.Until(fmt.Sprintf("shows %q", want), func() bool { return slices.Equal(shown(c), want) })
		}
		pod := func(name, image string, port int32) *corev1.Pod {
			return controllertest.Create(c, &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "c", Image: image, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: port}},
				}}},
			})
		}
		pod("a", "nginx", 80)
		pod("b", controllertest.NeverReady, 80)
		controllertest.Create(c, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Labels: map[string]string{"a": "b"}},
			Spec: corev1.ServiceSpec{
				Selector: map[string]string{"app": "web"},
				Ports:    []corev1.ServicePort{{Name: "p", Port: 8080, TargetPort: intstr.FromString("http")}},
			},
		})
		become("p80 : a !b")
		if err := c.Client.Delete(c.Context(), "pods", "default", "b", metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
			t.Fatal(err)
		}
		become("p80 : a")
		if err := c.Client.Delete(c.Context(), "endpoints", "default", "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		become("p80 : a") // they come back
		if err := c.Client.Delete(c.Context(), "services", "default", "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Until("gone", func() bool { return len(controllertest.List[*corev1.Endpoints](c, "default")) == 0 })
	})
}
