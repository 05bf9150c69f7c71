package endpointslice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/endpointslice"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		endpointslice.New(c.Cache, c.ClientOf(endpointslice.Name), c.Recorder(endpointslice.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

func prepare(c *controllertest.Cluster) {
	c.Helper()
	c.AddNodes(2)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
}

func service(change func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Labels: map[string]string{"team": "a"}},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "web"},
			Ports:    []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	if change != nil {
		change(s)
	}
	return s
}

func pod(name, image string, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image}}},
	}
	if change != nil {
		change(p)
	}
	return p
}

func named(number int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: number}}
	}
}

// slicesOf are the Service's slices as "ports: pod(conditions) ...".
func slicesOf(c *controllertest.Cluster) []string {
	var lines []string
	for _, slice := range controllertest.List[*discoveryv1.EndpointSlice](c, "default") {
		if slice.Labels[discoveryv1.LabelServiceName] != "web" || slice.DeletionTimestamp != nil {
			continue
		}
		line := ""
		for _, port := range slice.Ports {
			line += fmt.Sprintf("%s%d ", *port.Name, *port.Port)
		}
		var endpoints []string
		for _, e := range slice.Endpoints {
			text := e.TargetRef.Name + "("
			for _, condition := range []struct {
				name  string
				value *bool
			}{{"r", e.Conditions.Ready}, {"s", e.Conditions.Serving}, {"t", e.Conditions.Terminating}} {
				if *condition.value {
					text += condition.name
				}
			}
			endpoints = append(endpoints, text+")")
		}
		slices.Sort(endpoints)
		lines = append(lines, strings.TrimSpace(line)+": "+strings.Join(endpoints, " "))
	}
	slices.Sort(lines)
	return lines
}

func become(c *controllertest.Cluster, want ...string) {
	c.Helper()
	c.Until(fmt.Sprintf("has slices %q", want), func() bool { return slices.Equal(slicesOf(c), want) })
}

func TestEndpoints(t *testing.T) {
	for _, test := range []struct {
		name    string
		service func(*corev1.Service)
		pods    []*corev1.Pod
		want    []string
	}{
		{"none", nil, nil, []string{": "}},
		{"ready and not ready", nil,
			[]*corev1.Pod{pod("a", "nginx", nil), pod("b", controllertest.NeverReady, nil)},
			[]string{"8080: a(rs) b()"}},
		{"not ready but published", func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true },
			[]*corev1.Pod{pod("b", controllertest.NeverReady, nil)},
			[]string{"8080: b(r)"}},
		{"others' pods", nil,
			[]*corev1.Pod{pod("a", "nginx", nil), pod("x", "nginx", func(p *corev1.Pod) { p.Labels = map[string]string{"app": "x"} })},
			[]string{"8080: a(rs)"}},
		{"named port", func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromString("http") },
			[]*corev1.Pod{pod("a", "nginx", named(80)), pod("b", "nginx", named(81)), pod("c", "nginx", nil)},
			[]string{"80: a(rs)", "81: b(rs)", ": c(rs)"}},
		{"two ports, in the order of their hashes", func(s *corev1.Service) {
			s.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "https", Port: 443}}
		},
			[]*corev1.Pod{pod("a", "nginx", nil)},
			[]string{"https443 http80: a(rs)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				prepare(c)
				for _, pod := range test.pods {
					controllertest.Create(c, pod.DeepCopy())
				}
				controllertest.Create(c, service(test.service))
				become(c, test.want...)
			})
		})
	}
}

func TestSlice(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		prepare(c)
		s := controllertest.Create(c, service(func(s *corev1.Service) { s.Spec.ClusterIP = corev1.ClusterIPNone }))
		controllertest.Create(c, pod("a", "nginx", func(p *corev1.Pod) { p.Spec.Hostname, p.Spec.Subdomain = "one", "web" }))
		become(c, "8080: a(rs)")
		var slice *discoveryv1.EndpointSlice
		for _, slice = range controllertest.List[*discoveryv1.EndpointSlice](c, "default") {
		}
		if slice.GenerateName != "web-" || slice.AddressType != discoveryv1.AddressTypeIPv4 || !metav1.IsControlledBy(slice, s) {
			c.Errorf("generateName %q, addressType %s, owners %v", slice.GenerateName, slice.AddressType, slice.OwnerReferences)
		}
		for key, want := range map[string]string{
			"kubernetes.io/service-name":             "web",
			"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
			"service.kubernetes.io/headless":         "",
			"team":                                   "a",
		} {
			if got, ok := slice.Labels[key]; !ok || got != want {
				c.Errorf("label %s: %q, want %q", key, got, want)
			}
		}
		if slice.Annotations[corev1.EndpointsLastChangeTriggerTime] == "" {
			c.Error("the slice does not say since when it is so")
		}
		e := slice.Endpoints[0]
		if e.Hostname == nil || *e.Hostname != "one" || e.NodeName == nil || !strings.HasPrefix(*e.NodeName, "node-") || e.Zone == nil || *e.Zone != "a" ||
			e.TargetRef.Kind != "Pod" || e.TargetRef.UID == "" || len(e.Addresses) != 1 {
			c.Errorf("endpoint %v", e)
		}
	})
}

func TestChanges(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		prepare(c)
		controllertest.Create(c, service(nil))
		controllertest.Create(c, pod("a", "nginx", func(p *corev1.Pod) { p.Finalizers = []string{"example.com/hold"} }))
		controllertest.Create(c, pod("b", "nginx", nil))
		become(c, "8080: a(rs) b(rs)")
		controllertest.Delete[*corev1.Pod](c, "default", "a", metav1.DeleteOptions{})
		become(c, "8080: a(st) b(rs)")
		controllertest.Change(c, "default", "a", func(p *corev1.Pod) { p.Finalizers = nil })
		become(c, "8080: b(rs)")
		controllertest.Change(c, "default", "b", func(p *corev1.Pod) { p.Labels["app"] = "x" })
		become(c, ": ")
		controllertest.Change(c, "default", "b", func(p *corev1.Pod) { p.Labels["app"] = "web" })
		become(c, "8080: b(rs)")
		controllertest.ChangeStatus(c, "default", "b", func(p *corev1.Pod) {
			p.Status.Conditions[len(p.Status.Conditions)-1].Status = corev1.ConditionFalse
		})
		become(c, "8080: b()")
		controllertest.Change(c, "default", "web", func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromInt32(9090) })
		become(c, "9090: b()")
		for _, slice := range controllertest.List[*discoveryv1.EndpointSlice](c, "default") {
			controllertest.Delete[*discoveryv1.EndpointSlice](c, "default", slice.Name, metav1.DeleteOptions{})
		}
		become(c, "9090: b()")
		controllertest.Change(c, "default", "web", func(s *corev1.Service) { s.Labels = map[string]string{"team": "b"} })
		c.Until("relabelled", func() bool {
			for _, slice := range controllertest.List[*discoveryv1.EndpointSlice](c, "default") {
				if slice.Labels["team"] != "b" {
					return false
				}
			}
			return true
		})
	})
}

// TestManyEndpoints: slices are filled up and not shuffled.
func TestManyEndpoints(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		prepare(c)
		for i := range 230 {
			controllertest.Create(c, pod(fmt.Sprintf("p%03d", i), "nginx", nil))
		}
		c.Until("running", func() bool {
			for _, p := range controllertest.List[*corev1.Pod](c, "default") {
				if p.Status.Phase != corev1.PodRunning {
					return false
				}
			}
			return true
		})
		controllertest.Create(c, service(nil))
		sizes := func() []int {
			var sizes []int
			for _, slice := range controllertest.List[*discoveryv1.EndpointSlice](c, "default") {
				sizes = append(sizes, len(slice.Endpoints))
			}
			slices.Sort(sizes)
			return sizes
		}
		c.Until("three slices", func() bool { return slices.Equal(sizes(), []int{30, 100, 100}) })
		controllertest.Delete[*corev1.Pod](c, "default", "p000", metav1.DeleteOptions{})
		c.Until("one endpoint fewer", func() bool { return slices.Equal(sizes(), []int{30, 99, 100}) })
		controllertest.Create(c, pod("q", "nginx", nil))
		c.Until("the fullest slice with room filled", func() bool { return slices.Equal(sizes(), []int{30, 100, 100}) })
	})
}

func TestServicesWithoutEndpoints(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		prepare(c)
		controllertest.Create(c, service(func(s *corev1.Service) { s.Spec.Selector = nil }))
		other := service(nil)
		other.Name = "marker"
		controllertest.Create(c, other)
		c.Until("a slice for the other", func() bool { return len(controllertest.List[*discoveryv1.EndpointSlice](c, "default")) == 1 })
		if got := slicesOf(c); len(got) > 0 {
			c.Errorf("slices %q", got)
		}
	})
}
