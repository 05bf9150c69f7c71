//lint:file-ignore SA1019 the deprecated kind is served as before

package endpointslicemirroring_test

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/endpointslicemirroring"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{endpointslicemirroring.New(c.Cache, c.ClientOf(endpointslicemirroring.Name))}
}

// mirrored are the slices as "FAMILY PORT ADDRESS=READY...".
func mirrored(c *controllertest.Cluster) []string {
	var lines []string
	for _, slice := range controllertest.List[*discoveryv1.EndpointSlice](c, "default") {
		if slice.Labels[discoveryv1.LabelServiceName] != "db" || slice.Labels[discoveryv1.LabelManagedBy] != "endpointslicemirroring-controller.k8s.io" ||
			slice.Labels["a"] != "b" || len(slice.OwnerReferences) != 1 || slice.OwnerReferences[0].Kind != "Endpoints" {
			lines = append(lines, fmt.Sprint("wrong metadata ", slice.Labels))
			continue
		}
		line := fmt.Sprint(slice.AddressType, " ", *slice.Ports[0].Port)
		for _, e := range slice.Endpoints {
			line += fmt.Sprint(" ", e.Addresses[0], "=", *e.Conditions.Ready)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func TestMirroring(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		become := func(want ...string) {
			c.Until(fmt.Sprintf("mirrors %q", want), func() bool { return slices.Equal(mirrored(c), want) })
		}
		controllertest.Create(c, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 5432}}},
		})
		e := controllertest.Create(c, &corev1.Endpoints{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db", Labels: map[string]string{"a": "b"}},
			Subsets: []corev1.EndpointSubset{{
				Addresses:         []corev1.EndpointAddress{{IP: "192.0.2.1"}, {IP: "2001:db8::1"}},
				NotReadyAddresses: []corev1.EndpointAddress{{IP: "192.0.2.2"}},
				Ports:             []corev1.EndpointPort{{Port: 5432}},
			}},
		}).DeepCopy()
		become("IPv4 5432 192.0.2.1=true 192.0.2.2=false", "IPv6 5432 2001:db8::1=true")
		e.Subsets[0].Addresses = e.Subsets[0].Addresses[:1]
		if _, err := c.Client.Update(c.Context(), "endpoints", e); err != nil {
			t.Fatal(err)
		}
		become("IPv4 5432 192.0.2.1=true 192.0.2.2=false")
		if err := c.Client.Delete(c.Context(), "services", "default", "db", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		become()
	})
}
