package network

import (
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
)

// domain is the cluster's own; nobody answers for names outside of it.
const domain = ".cluster.local"

// Lookup implements runtime.Network, after the names that Kubernetes promises
// (https://github.com/kubernetes/dns/blob/master/docs/specification.md).
func (n *Network) Lookup(name string) []string {
	name, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(name, ".")), domain)
	if !ok {
		return nil
	}
	labels := strings.Split(name, ".")
	switch {
	case len(labels) == 3 && labels[2] == "svc":
		return n.addressesOf(labels[1], labels[0])
	case len(labels) == 4 && labels[3] == "svc":
		return n.addressOfEndpoint(labels[2], labels[1], labels[0])
	case len(labels) == 3 && labels[2] == "pod":
		if ip := strings.ReplaceAll(labels[0], "-", "."); isAddress(ip) {
			return []string{ip}
		}
	}
	return nil
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// addressesOf are those of a Service: its own, or those of its endpoints if it
// has none.
func (n *Network) addressesOf(namespace, name string) []string {
	service, ok := cache.Get[*corev1.Service](n.cache, "services", namespace, name)
	switch {
	case !ok:
		return nil
	case service.Spec.Type == corev1.ServiceTypeExternalName:
		return n.Lookup(service.Spec.ExternalName)
	case service.Spec.ClusterIP != corev1.ClusterIPNone:
		return service.Spec.ClusterIPs
	}
	var addresses []string
	for _, e := range n.named(service) {
		addresses = append(addresses, e.address)
	}
	return addresses
}

// addressOfEndpoint is that of one endpoint of a headless Service, by its host
// name or by its address with dashes.
func (n *Network) addressOfEndpoint(namespace, name, host string) []string {
	service, ok := cache.Get[*corev1.Service](n.cache, "services", namespace, name)
	if !ok {
		return nil
	}
	for _, e := range n.named(service) {
		if e.hostname == host || e.hostname == "" && strings.ReplaceAll(e.address, ".", "-") == host {
			return []string{e.address}
		}
	}
	return nil
}

// named are the endpoints of a Service that have a name: those that are ready,
// or are to be found even if they are not.
func (n *Network) named(service *corev1.Service) []endpoint {
	var found []endpoint
	for _, slice := range n.slices(service) {
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			if !isTrue(e.Conditions.Ready, true) && !service.Spec.PublishNotReadyAddresses {
				continue
			}
			one := endpoint{address: e.Addresses[0]}
			if e.Hostname != nil {
				one.hostname = *e.Hostname
			}
			found = append(found, one)
		}
	}
	return found
}
