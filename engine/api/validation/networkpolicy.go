package validation

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// NetworkPolicy checks a new NetworkPolicy.
func NetworkPolicy(policy *networkingv1.NetworkPolicy) field.ErrorList {
	return networkPolicySpec(&policy.Spec, nil)
}

// NetworkPolicyUpdate checks a change; ranges that the policy had are let be.
func NetworkPolicyUpdate(policy, old *networkingv1.NetworkPolicy) field.ErrorList {
	var ranges []string
	eachPeer(&old.Spec, func(_ *field.Path, peer *networkingv1.NetworkPolicyPeer) {
		if peer.IPBlock != nil {
			ranges = append(append(ranges, peer.IPBlock.CIDR), peer.IPBlock.Except...)
		}
	})
	return networkPolicySpec(&policy.Spec, ranges)
}

// NetworkPolicyWarnings tells of ranges that are written in an unusual way.
func NetworkPolicyWarnings(policy *networkingv1.NetworkPolicy) []string {
	var warnings []string
	eachPeer(&policy.Spec, func(at *field.Path, peer *networkingv1.NetworkPolicyPeer) {
		if peer.IPBlock == nil {
			return
		}
		warnings = append(warnings, validation.GetWarningsForCIDR(at.Child("ipBlock", "cidr"), peer.IPBlock.CIDR)...)
		for i, except := range peer.IPBlock.Except {
			warnings = append(warnings, validation.GetWarningsForCIDR(at.Child("ipBlock", "except").Index(i), except)...)
		}
	})
	return warnings
}

func eachPeer(spec *networkingv1.NetworkPolicySpec, visit func(at *field.Path, peer *networkingv1.NetworkPolicyPeer)) {
	for i := range spec.Ingress {
		for j := range spec.Ingress[i].From {
			visit(specPath.Child("ingress").Index(i).Child("from").Index(j), &spec.Ingress[i].From[j])
		}
	}
	for i := range spec.Egress {
		for j := range spec.Egress[i].To {
			visit(specPath.Child("egress").Index(i).Child("to").Index(j), &spec.Egress[i].To[j])
		}
	}
}

func networkPolicySpec(spec *networkingv1.NetworkPolicySpec, old []string) field.ErrorList {
	errs := labelSelector(specPath, "podSelector", &spec.PodSelector)
	rule := func(at *field.Path, ports []networkingv1.NetworkPolicyPort, peerList string, peers []networkingv1.NetworkPolicyPeer) {
		for i := range ports {
			errs = append(errs, networkPolicyPort(at.Child("ports").Index(i), &ports[i])...)
		}
		for i := range peers {
			errs = append(errs, networkPolicyPeer(at.Child(peerList).Index(i), &peers[i], old)...)
		}
	}
	for i := range spec.Ingress {
		rule(specPath.Child("ingress").Index(i), spec.Ingress[i].Ports, "from", spec.Ingress[i].From)
	}
	for i := range spec.Egress {
		rule(specPath.Child("egress").Index(i), spec.Egress[i].Ports, "to", spec.Egress[i].To)
	}
	types := specPath.Child("policyTypes")
	if len(spec.PolicyTypes) > 2 {
		return append(errs, field.Invalid(types, spec.PolicyTypes, "may not specify more than two policyTypes"))
	}
	for i, policyType := range spec.PolicyTypes {
		errs = append(errs, supportedOnly(types.Index(i), policyType, networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)...)
	}
	return errs
}

func networkPolicyPort(at *field.Path, port *networkingv1.NetworkPolicyPort) field.ErrorList {
	var errs field.ErrorList
	if port.Protocol != nil {
		errs = append(errs, supportedOnly(at.Child("protocol"), *port.Protocol, corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP)...)
	}
	end := at.Child("endPort")
	switch {
	case port.Port == nil:
		if port.EndPort != nil {
			errs = append(errs, field.Invalid(end, *port.EndPort, "may not be specified when `port` is not specified"))
		}
	case port.Port.Type == intstr.String:
		if port.EndPort != nil {
			errs = append(errs, field.Invalid(end, *port.EndPort, "may not be specified when `port` is non-numeric"))
		}
		errs = append(errs, portNumberOrName(at.Child("port"), *port.Port)...)
	default:
		errs = append(errs, portNumberOrName(at.Child("port"), *port.Port)...)
		if port.EndPort != nil {
			if *port.EndPort < port.Port.IntVal {
				errs = append(errs, field.Invalid(end, *port.EndPort, "must be greater than or equal to `port`"))
			}
			errs = append(errs, portNumber(at, "endPort", *port.EndPort)...)
		}
	}
	return errs
}

func networkPolicyPeer(at *field.Path, peer *networkingv1.NetworkPolicyPeer, old []string) field.ErrorList {
	errs := labelSelector(at, "podSelector", peer.PodSelector)
	errs = append(errs, labelSelector(at, "namespaceSelector", peer.NamespaceSelector)...)
	selects := peer.PodSelector != nil || peer.NamespaceSelector != nil
	if peer.IPBlock != nil {
		errs = append(errs, ipBlock(at.Child("ipBlock"), peer.IPBlock, old)...)
		if selects {
			errs = append(errs, field.Forbidden(at, "may not specify both ipBlock and another peer"))
		}
	} else if !selects {
		errs = append(errs, field.Required(at, "must specify a peer"))
	}
	return errs
}

func ipBlock(at *field.Path, block *networkingv1.IPBlock, old []string) field.ErrorList {
	if block.CIDR == "" {
		return field.ErrorList{field.Required(at.Child("cidr"), "")}
	}
	errs := cidr(at.Child("cidr"), block.CIDR, old)
	_, whole, err := netutils.ParseCIDRSloppy(block.CIDR)
	if err != nil {
		return errs
	}
	for i, except := range block.Except {
		path := at.Child("except").Index(i)
		errs = append(errs, cidr(path, except, old)...)
		_, part, err := netutils.ParseCIDRSloppy(except)
		if err != nil {
			continue
		}
		wholeBits, _ := whole.Mask.Size()
		partBits, _ := part.Mask.Size()
		if !whole.Contains(part.IP) || wholeBits >= partBits {
			errs = append(errs, field.Invalid(path, except, "must be a strict subset of `cidr`"))
		}
	}
	return errs
}
