package endpointslice

import (
	"cmp"
	"encoding/hex"
	"hash/fnv"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/dump"

	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// Conditions point to these.
var yes, no = true, false

func truth(value bool) *bool {
	if value {
		return &yes
	}
	return &no
}

// identity tells the endpoints of a slice apart.
type identity struct {
	pod      types.UID
	address  string
	hostname string
}

func identify(e *discoveryv1.Endpoint) identity {
	var id identity
	if e.TargetRef != nil {
		id.pod = e.TargetRef.UID
	}
	if len(e.Addresses) > 0 {
		id.address = e.Addresses[0]
	}
	if e.Hostname != nil {
		id.hostname = *e.Hostname
	}
	return id
}

// newEndpoint makes a pod's endpoint; node may be nil.
func newEndpoint(service *corev1.Service, pod *corev1.Pod, node *corev1.Node, addresses []string) discoveryv1.Endpoint {
	serving, terminating := podutil.Ready(pod), pod.DeletionTimestamp != nil
	e := discoveryv1.Endpoint{
		Addresses: addresses,
		Conditions: discoveryv1.EndpointConditions{
			Ready:       truth(service.Spec.PublishNotReadyAddresses || serving && !terminating),
			Serving:     truth(serving),
			Terminating: truth(terminating),
		},
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
	}
	if pod.Spec.NodeName != "" {
		name := pod.Spec.NodeName
		e.NodeName = &name
	}
	if node != nil {
		if zone := node.Labels[corev1.LabelTopologyZone]; zone != "" {
			e.Zone = &zone
		}
	}
	if pod.Spec.Hostname != "" && pod.Spec.Subdomain == service.Name {
		hostname := pod.Spec.Hostname
		e.Hostname = &hostname
	}
	e.Hints = hints(service, &e)
	return e
}

// hints say where the traffic to a ready endpoint should come from, if the
// Service asks for short ways.
func hints(service *corev1.Service, e *discoveryv1.Endpoint) *discoveryv1.EndpointHints {
	if service.Spec.TrafficDistribution == nil || !*e.Conditions.Ready {
		return nil
	}
	var h discoveryv1.EndpointHints
	switch *service.Spec.TrafficDistribution {
	case corev1.ServiceTrafficDistributionPreferSameNode:
		if e.NodeName != nil {
			h.ForNodes = []discoveryv1.ForNode{{Name: *e.NodeName}}
		}
		fallthrough
	case corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone:
		if e.Zone != nil {
			h.ForZones = []discoveryv1.ForZone{{Name: *e.Zone}}
		}
	}
	if h.ForNodes == nil && h.ForZones == nil {
		return nil
	}
	return &h
}

// equal compares endpoints of the same identity.
func equal(a, b *discoveryv1.Endpoint) bool {
	return samePointer(a.NodeName, b.NodeName) && samePointer(a.Zone, b.Zone) &&
		samePointer(a.Conditions.Ready, b.Conditions.Ready) &&
		samePointer(a.Conditions.Serving, b.Conditions.Serving) &&
		samePointer(a.Conditions.Terminating, b.Conditions.Terminating) &&
		samePointer(a.TargetRef, b.TargetRef) &&
		sameHints(a.Hints, b.Hints)
}

func samePointer[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func sameHints(a, b *discoveryv1.EndpointHints) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.ForNodes, b.ForNodes) && slices.Equal(a.ForZones, b.ForZones)
}

// addresses are the pod's of a type.
func addresses(pod *corev1.Pod, addressType discoveryv1.AddressType) []string {
	var found []string
	for _, podIP := range pod.Status.PodIPs {
		ip, err := netip.ParseAddr(podIP.IP)
		if err == nil && ip.Is4() == (addressType == discoveryv1.AddressTypeIPv4) {
			found = append(found, ip.String())
		}
	}
	return found
}

// ports resolves the Service's target ports on a pod. The order is that of
// Kubernetes, which sorts by a hash.
func ports(service *corev1.Service, numbers []int32) []discoveryv1.EndpointPort {
	type hashed struct {
		hash string
		port discoveryv1.EndpointPort
	}
	var all []hashed
	for i, number := range numbers {
		if number == 0 {
			continue // the pod has no port of this name
		}
		port := &service.Spec.Ports[i]
		name, protocol := port.Name, port.Protocol
		e := discoveryv1.EndpointPort{Name: &name, Port: &number, Protocol: &protocol, AppProtocol: port.AppProtocol}
		all = append(all, hashed{hash(e), e})
	}
	slices.SortFunc(all, func(a, b hashed) int { return cmp.Compare(a.hash, b.hash) })
	sorted := make([]discoveryv1.EndpointPort, len(all))
	for i := range all {
		sorted[i] = all[i].port
	}
	return sorted
}

func hash(value any) string {
	h := fnv.New128a()
	h.Write([]byte(dump.ForHash(value)))
	return hex.EncodeToString(h.Sum(nil))
}

// targetPorts are the numbers of the Service's target ports on a pod, 0 where
// the pod has none of the name; appended to buffer.
func targetPorts(buffer []int32, service *corev1.Service, pod *corev1.Pod) []int32 {
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		number := port.TargetPort.IntVal
		if port.TargetPort.Type == intstr.String {
			number = namedPort(pod, port.TargetPort.StrVal, port.Protocol)
		}
		buffer = append(buffer, number)
	}
	return buffer
}

func namedPort(pod *corev1.Pod, name string, protocol corev1.Protocol) int32 {
	for i := range pod.Spec.Containers {
		if number := portOf(&pod.Spec.Containers[i], name, protocol); number != 0 {
			return number
		}
	}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			if number := portOf(c, name, protocol); number != 0 {
				return number
			}
		}
	}
	return 0
}

func portOf(c *corev1.Container, name string, protocol corev1.Protocol) int32 {
	for i := range c.Ports {
		if c.Ports[i].Name == name && c.Ports[i].Protocol == protocol {
			return c.Ports[i].ContainerPort
		}
	}
	return 0
}
