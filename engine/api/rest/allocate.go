package rest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// The ranges are kubeadm's defaults.
var serviceRange = netip.MustParsePrefix("10.96.0.0/16")

const firstNodePort, lastNodePort = 30000, 32767

// reserved addresses at the start of the range are given only to those that ask
// for them, as upstream: an address drawn at random is from the upper band.
const reserved = 256

// lockServices keeps other Services from being written until the returned
// function is called; it does nothing for other kinds.
func (o *Operations) lockServices(k *kind.Kind) (unlock func()) {
	if k.Kind != serviceKind.Kind {
		return func() {}
	}
	o.services.Lock()
	return o.services.Unlock
}

// allocateService gives a service the cluster IP and the node ports that it
// needs and does not have. What is taken is read from the services that exist.
func (o *Operations) allocateService(ctx context.Context, service, old *corev1.Service) error {
	all, err := o.store.List(ctx, "services", "", store.ListOptions{})
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	ips, ports := map[string]bool{}, map[int32]bool{}
	for _, obj := range all.Items {
		other := obj.(*corev1.Service)
		if other.Namespace == service.Namespace && other.Name == service.Name {
			continue
		}
		for _, ip := range other.Spec.ClusterIPs {
			ips[ip] = true
		}
		for i := range other.Spec.Ports {
			ports[other.Spec.Ports[i].NodePort] = true
		}
	}
	normalizeClusterIPs(service, old)
	if old != nil {
		keepAllocations(service, old)
	}
	// An address that a service has is its own, and validation knows that it
	// may not change.
	if old == nil || !needsClusterIP(old) {
		if err := o.allocateClusterIP(service, ips); err != nil {
			return err
		}
	}
	return o.allocateNodePorts(service, ports)
}

// normalizeClusterIPs makes the two linked fields say the same where a client
// has set only one of them (the function of this name upstream).
func normalizeClusterIPs(service, old *corev1.Service) {
	spec := &service.Spec
	if old == nil {
		if spec.ClusterIP != "" && len(spec.ClusterIPs) == 0 {
			spec.ClusterIPs = []string{spec.ClusterIP}
		}
		return
	}
	was := &old.Spec
	if len(spec.ClusterIPs) == 0 && spec.ClusterIP == was.ClusterIP {
		spec.ClusterIPs = was.ClusterIPs
	}
	if spec.ClusterIP == was.ClusterIP || !slices.Equal(spec.ClusterIPs, was.ClusterIPs) {
		return
	}
	spec.ClusterIPs = nil
	if spec.ClusterIP != "" {
		spec.ClusterIPs = []string{spec.ClusterIP}
	}
}

// keepAllocations fills in what an update leaves out
// (k8s.io/kubernetes/pkg/registry/core/service.patchAllocatedValues).
func keepAllocations(service, old *corev1.Service) {
	if needsClusterIP(service) && needsClusterIP(old) && service.Spec.ClusterIP == "" && len(service.Spec.ClusterIPs) == 0 {
		service.Spec.ClusterIP, service.Spec.ClusterIPs = old.Spec.ClusterIP, old.Spec.ClusterIPs
	}
	if !needsNodePorts(service) || !needsNodePorts(old) {
		return
	}
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		for j := range old.Spec.Ports {
			was := &old.Spec.Ports[j]
			if port.NodePort == 0 && port.Port == was.Port && port.Protocol == was.Protocol {
				port.NodePort = was.NodePort
			}
		}
	}
}

func needsClusterIP(s *corev1.Service) bool { return s.Spec.Type != corev1.ServiceTypeExternalName }

func needsNodePorts(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeNodePort ||
		s.Spec.Type == corev1.ServiceTypeLoadBalancer && (s.Spec.AllocateLoadBalancerNodePorts == nil || *s.Spec.AllocateLoadBalancerNodePorts)
}

func (o *Operations) allocateClusterIP(service *corev1.Service, taken map[string]bool) error {
	spec := &service.Spec
	if !needsClusterIP(service) {
		return nil
	}
	if errs := validation.ServiceClusterIPs(service, &corev1.Service{}); len(errs) > 0 {
		return apierrors.NewInvalid(serviceKind, service.Name, errs)
	}
	refuse := func(reason string) error {
		return invalidService(service, field.Invalid(field.NewPath("spec", "clusterIPs"), spec.ClusterIPs,
			fmt.Sprintf("failed to allocate IP %s: %s", spec.ClusterIP, reason)))
	}
	if spec.ClusterIP == "" {
		ip, ok := o.freeIP(taken)
		if !ok {
			return apierrors.NewInternalError(errors.New("failed to allocate a serviceIP: range is full"))
		}
		spec.ClusterIP, spec.ClusterIPs = ip, []string{ip}
	} else if ip, err := netip.ParseAddr(spec.ClusterIP); err == nil { // not None
		switch {
		case !serviceRange.Contains(ip):
			return refuse("the provided network does not match the current range")
		case taken[spec.ClusterIP]:
			return refuse("provided IP is already allocated")
		}
	}
	if len(spec.IPFamilies) == 0 {
		spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
	}
	if spec.IPFamilyPolicy == nil {
		spec.IPFamilyPolicy = new(corev1.IPFamilyPolicySingleStack)
	}
	return nil
}

var serviceKind = corev1.SchemeGroupVersion.WithKind("Service").GroupKind()

func invalidService(service *corev1.Service, err *field.Error) error {
	return apierrors.NewInvalid(serviceKind, service.Name, field.ErrorList{err})
}

// freeIP draws an address and takes the next free one from there.
func (o *Operations) freeIP(taken map[string]bool) (string, bool) {
	size := 1 << (32 - serviceRange.Bits())
	network := serviceRange.Addr().As4()
	usable := size - reserved - 1 // without the reserved ones and the broadcast address
	start := o.random.IntN(usable)
	for i := range usable {
		offset := reserved + (start+i)%usable
		ip := netip.AddrFrom4([4]byte{network[0], network[1], byte(offset >> 8), byte(offset)}).String()
		if !taken[ip] {
			return ip, true
		}
	}
	return "", false
}

func (o *Operations) allocateNodePorts(service *corev1.Service, taken map[int32]bool) error {
	if !needsNodePorts(service) {
		return nil
	}
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		path := field.NewPath("spec", "ports").Index(i).Child("nodePort")
		switch {
		case port.NodePort == 0:
			free, ok := o.freePort(taken)
			if !ok {
				return apierrors.NewInternalError(errors.New("failed to allocate a nodePort: range is full"))
			}
			port.NodePort = free
		case port.NodePort < firstNodePort || port.NodePort > lastNodePort:
			return invalidService(service, field.Invalid(path, port.NodePort,
				fmt.Sprintf("provided port is not in the valid range. The range of valid ports is %d-%d", firstNodePort, lastNodePort)))
		case taken[port.NodePort]:
			return invalidService(service, field.Invalid(path, port.NodePort, "provided port is already allocated"))
		}
		taken[port.NodePort] = true
	}
	return nil
}

func (o *Operations) freePort(taken map[int32]bool) (int32, bool) {
	const count = lastNodePort - firstNodePort + 1
	start := o.random.Int32N(count)
	for i := range int32(count) {
		port := firstNodePort + (start+i)%count
		if !taken[port] {
			return port, true
		}
	}
	return 0, false
}
