// Package network is the simulated cluster's network between its nodes, as the
// programs in containers meet it: names are answered as CoreDNS does (dns.go),
// addresses of Services lead to ready endpoints as kube-proxy has it, and
// addresses of pods and nodes to the node that they belong to.
//
// It keeps no state: every question is answered from what the cluster's objects
// say at that moment.
package network

import (
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/sim/runtime"
)

// Network implements runtime.Network. It is safe for concurrent use once all
// nodes have been added.
type Network struct {
	cache *cache.Cache
	nodes []node

	mu     sync.Mutex
	random *rand.Rand
}

type node struct {
	address string
	pods    netip.Prefix
	runtime *runtime.Runtime
}

// New returns a network without nodes; random chooses among endpoints.
func New(cache *cache.Cache, random *rand.Rand) *Network {
	return &Network{cache: cache, random: random}
}

// Add connects a node, whose pods have addresses of a prefix.
func (n *Network) Add(address string, pods netip.Prefix, runtime *runtime.Runtime) {
	n.nodes = append(n.nodes, node{address, pods, runtime})
}

// Route implements runtime.Network.
func (n *Network) Route(from, address string, port int) (runtime.Route, bool) {
	if to, ports, isService := n.service(address, port); isService {
		return n.endpoint(from, to, ports)
	}
	return n.direct(address, port)
}

// direct is the way to an address of a pod or a node.
func (n *Network) direct(address string, port int) (runtime.Route, bool) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return runtime.Route{}, false
	}
	for _, node := range n.nodes {
		if node.address == address || node.pods.Contains(ip) {
			return runtime.Route{Node: node.runtime, Address: address, Port: port}, true
		}
	}
	return runtime.Route{}, false
}

// service finds the Service that takes what is sent to an address and a port:
// its own address, one outside of the cluster, or a port of every node. ports is
// nil where the Service has no such port, which nobody answers.
func (n *Network) service(address string, port int) (*corev1.Service, *corev1.ServicePort, bool) {
	isNode := slices.ContainsFunc(n.nodes, func(node node) bool { return node.address == address })
	for _, s := range cache.List[*corev1.Service](n.cache, "services", "") {
		own := slices.Contains(s.Spec.ClusterIPs, address) || slices.Contains(s.Spec.ExternalIPs, address) ||
			slices.ContainsFunc(s.Status.LoadBalancer.Ingress, func(i corev1.LoadBalancerIngress) bool { return i.IP == address })
		for i := range s.Spec.Ports {
			p := &s.Spec.Ports[i]
			if p.Protocol != corev1.ProtocolTCP && p.Protocol != "" {
				continue
			}
			if own && int(p.Port) == port || isNode && p.NodePort != 0 && int(p.NodePort) == port {
				return s, p, true
			}
		}
		if own {
			return s, nil, true
		}
	}
	return nil, nil, false
}

// endpoint chooses one of those that are behind a Service's port. Without any,
// the connection is refused.
func (n *Network) endpoint(from string, service *corev1.Service, port *corev1.ServicePort) (runtime.Route, bool) {
	if port == nil {
		return runtime.Route{}, false
	}
	all := n.endpoints(service, port.Name)
	if len(all) == 0 {
		return runtime.Route{}, true
	}
	chosen := all[n.choose(from, service, len(all))]
	return n.direct(chosen.address, chosen.port)
}

func (n *Network) choose(from string, service *corev1.Service, count int) int {
	if service.Spec.SessionAffinity == corev1.ServiceAffinityClientIP {
		hash := fnv.New32a()
		hash.Write([]byte(from + " " + string(service.UID)))
		return int(hash.Sum32() % uint32(count))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.random.IntN(count)
}

type endpoint struct {
	address  string
	port     int
	hostname string
}

// endpoints are the ready ones of a Service's port; where there are none, those
// that still serve while they end (KEP-1669).
func (n *Network) endpoints(service *corev1.Service, port string) []endpoint {
	var ready, ending []endpoint
	for _, slice := range n.slices(service) {
		for _, p := range slice.Ports {
			if p.Port == nil || p.Name != nil && *p.Name != port {
				continue
			}
			for i := range slice.Endpoints {
				e := &slice.Endpoints[i]
				found := endpoint{e.Addresses[0], int(*p.Port), ""}
				switch {
				case isTrue(e.Conditions.Ready, true):
					ready = append(ready, found)
				case isTrue(e.Conditions.Serving, false) && isTrue(e.Conditions.Terminating, false):
					ending = append(ending, found)
				}
			}
		}
	}
	if len(ready) == 0 {
		return ending
	}
	return ready
}

func (n *Network) slices(service *corev1.Service) []*discoveryv1.EndpointSlice {
	var found []*discoveryv1.EndpointSlice
	for _, slice := range cache.List[*discoveryv1.EndpointSlice](n.cache, "endpointslices.discovery.k8s.io", service.Namespace) {
		if slice.Labels[discoveryv1.LabelServiceName] == service.Name {
			found = append(found, slice)
		}
	}
	return found
}

func isTrue(condition *bool, otherwise bool) bool {
	if condition == nil {
		return otherwise
	}
	return *condition
}
