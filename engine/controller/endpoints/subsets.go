//lint:file-ignore SA1019 the deprecated kind is served as before

package endpoints

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/dump"
)

// subsets puts the endpoints that share their ports together, in the order that
// Kubernetes gives them (k8s.io/kubernetes/pkg/api/v1/endpoints.RepackSubsets).
func subsets(list []*discoveryv1.EndpointSlice, terminating bool) []corev1.EndpointSubset {
	byPorts := map[string]*corev1.EndpointSubset{}
	for _, slice := range list {
		ports := portsOf(slice)
		key := dump.ForHash(ports)
		for i := range slice.Endpoints {
			from := &slice.Endpoints[i]
			if len(from.Addresses) == 0 || is(from.Conditions.Terminating) && !terminating {
				continue
			}
			subset := byPorts[key]
			if subset == nil {
				subset = &corev1.EndpointSubset{Ports: ports}
				byPorts[key] = subset
			}
			if is(from.Conditions.Ready) {
				subset.Addresses = append(subset.Addresses, addressOf(from))
			} else {
				subset.NotReadyAddresses = append(subset.NotReadyAddresses, addressOf(from))
			}
		}
	}
	var all []corev1.EndpointSubset
	for _, subset := range byPorts {
		slices.SortFunc(subset.Addresses, compareAddresses)
		slices.SortFunc(subset.NotReadyAddresses, compareAddresses)
		all = append(all, *subset)
	}
	slices.SortFunc(all, compareHashes)
	return all
}

func is(condition *bool) bool { return condition != nil && *condition }

func portsOf(slice *discoveryv1.EndpointSlice) []corev1.EndpointPort {
	var ports []corev1.EndpointPort
	for _, from := range slice.Ports {
		port := corev1.EndpointPort{AppProtocol: from.AppProtocol}
		if from.Name != nil {
			port.Name = *from.Name
		}
		if from.Port != nil {
			port.Port = *from.Port
		}
		if from.Protocol != nil {
			port.Protocol = *from.Protocol
		}
		ports = append(ports, port)
	}
	slices.SortFunc(ports, compareHashes)
	return ports
}

func addressOf(from *discoveryv1.Endpoint) corev1.EndpointAddress {
	address := corev1.EndpointAddress{IP: from.Addresses[0], NodeName: from.NodeName, TargetRef: from.TargetRef}
	if from.Hostname != nil {
		address.Hostname = *from.Hostname
	}
	return address
}

func compareAddresses(a, b corev1.EndpointAddress) int {
	byIP := cmp.Compare(a.IP, b.IP)
	if byIP == 0 && a.TargetRef != nil && b.TargetRef != nil {
		return cmp.Compare(a.TargetRef.UID, b.TargetRef.UID)
	}
	return byIP
}

// compareHashes is the order of ports, and of subsets.
func compareHashes[T any](a, b T) int {
	sum := func(value T) []byte {
		hash := fnv.New128a()
		hash.Write([]byte(dump.ForHash(value)))
		return hash.Sum(nil)
	}
	return bytes.Compare(sum(a), sum(b))
}

// truncate keeps to the capacity, ready addresses first, in proportion.
func truncate(all []corev1.EndpointSubset) bool {
	ready, notReady := 0, 0
	for i := range all {
		ready += len(all[i].Addresses)
		notReady += len(all[i].NotReadyAddresses)
	}
	if ready+notReady <= capacity {
		return false
	}
	room, total, ofReady := capacity-ready, notReady, ready > capacity
	if ofReady {
		room, total = capacity, ready
	}
	left := room
	for i := range all {
		addresses := &all[i].NotReadyAddresses
		if ofReady {
			addresses = &all[i].Addresses
			all[i].NotReadyAddresses = nil
		}
		kept := min(int(math.Ceil(float64(len(*addresses))/float64(total)*float64(room))), left, len(*addresses))
		*addresses = (*addresses)[:kept]
		left -= kept
	}
	return true
}
