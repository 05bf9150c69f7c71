package validation

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

const onceSet = "may not change once set"

// ServiceClusterIPs checks a Service's own addresses and their families.
func ServiceClusterIPs(s, old *corev1.Service) field.ErrorList {
	spec := &s.Spec
	if spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	var errs field.ErrorList
	at := specPath.Child("clusterIPs")
	switch {
	case spec.ClusterIP == "" && len(spec.ClusterIPs) > 0:
		errs = append(errs, field.Invalid(at, spec.ClusterIPs, "must be empty when `clusterIP` is not specified"))
	case spec.ClusterIP == "":
	case len(spec.ClusterIPs) == 0:
		errs = append(errs, field.Required(at, ""))
	case spec.ClusterIPs[0] != spec.ClusterIP:
		errs = append(errs, field.Invalid(at, spec.ClusterIPs, "first value must match `clusterIP`"))
	}
	for i, family := range spec.IPFamilies {
		path := specPath.Child("ipFamilies").Index(i)
		errs = append(errs, supportedOnly(path, family, corev1.IPv4Protocol, corev1.IPv6Protocol)...)
		if slices.Contains(spec.IPFamilies[:i], family) {
			errs = append(errs, field.Duplicate(path, family))
		}
	}
	if policy := spec.IPFamilyPolicy; policy != nil {
		errs = append(errs, supportedOnly(specPath.Child("ipFamilyPolicy"), *policy,
			corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack, corev1.IPFamilyPolicySingleStack)...)
	}
	ipErrs, comparable := clusterIPs(at, spec.ClusterIPs, old.Spec.ClusterIPs)
	errs = append(errs, ipErrs...)
	if comparable && !isHeadless(s) {
		errs = append(errs, familiesMatch(at, spec)...)
	}
	return errs
}

// clusterIPs checks each address; comparable says that all of them are
// addresses.
func clusterIPs(at *field.Path, ips, old []string) (errs field.ErrorList, comparable bool) {
	comparable = true
	for i, ip := range ips {
		if i == 0 && ip == corev1.ClusterIPNone {
			if len(ips) > 1 {
				comparable = false
				errs = append(errs, field.Invalid(at, ips, "'None' must be the first and only value"))
			}
			continue
		}
		if own := ipAddress(at.Index(i), ip, old); len(own) > 0 {
			comparable = false
			errs = append(errs, own...)
		}
	}
	if len(ips) > 2 {
		errs = append(errs, field.Invalid(at, ips, "may only hold up to 2 values"))
	}
	if comparable && len(ips) > 1 {
		if dualStack, err := netutils.IsDualStackIPStrings(ips); err != nil || !dualStack {
			errs = append(errs, field.Invalid(at, ips, "may specify no more than one IP for each IP family"))
		}
	}
	return errs, comparable
}

func familiesMatch(at *field.Path, spec *corev1.ServiceSpec) field.ErrorList {
	var errs field.ErrorList
	for i, ip := range spec.ClusterIPs {
		if i >= len(spec.IPFamilies) {
			break
		}
		family := spec.IPFamilies[i]
		if isIPv6 := netutils.IsIPv6String(ip); isIPv6 != (family == corev1.IPv6Protocol) {
			errs = append(errs, field.Invalid(at.Index(i), ip, fmt.Sprintf("expected an %s value as indicated by `ipFamilies[%v]`", family, i)))
		}
	}
	return errs
}

func clusterIPsUpdate(s, old *corev1.Service) field.ErrorList {
	is, was := s.Spec.ClusterIPs, old.Spec.ClusterIPs
	if s.Spec.Type == corev1.ServiceTypeExternalName || old.Spec.Type == corev1.ServiceTypeExternalName || isHeadless(s) && isHeadless(old) {
		return nil
	}
	var errs field.ErrorList
	at := specPath.Child("clusterIPs")
	if len(is) == len(was) {
		for i := range was {
			if is[i] != was[i] {
				errs = append(errs, field.Invalid(at.Index(i), is, onceSet))
			}
		}
		return errs
	}
	switch {
	case len(was) > 0 && len(is) == 0:
		errs = append(errs, field.Invalid(at.Index(0), is, "primary clusterIP can not be unset"))
	case len(was) > 0 && is[0] != was[0]:
		errs = append(errs, field.Invalid(at.Index(0), is, onceSet))
	}
	if len(was) > len(is) && len(is) == 1 && !isSingleStack(s) {
		errs = append(errs, field.Invalid(specPath.Child("ipFamilyPolicy"), s.Spec.IPFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP"))
	}
	return errs
}

func ipFamiliesUpdate(s, old *corev1.Service) field.ErrorList {
	is, was := s.Spec.IPFamilies, old.Spec.IPFamilies
	if s.Spec.Type == corev1.ServiceTypeExternalName || old.Spec.Type == corev1.ServiceTypeExternalName || isHeadless(s) || isHeadless(old) {
		return nil
	}
	var errs field.ErrorList
	at := specPath.Child("ipFamilies").Index(0)
	if len(is) == len(was) {
		for i := range was {
			if is[i] != was[i] {
				errs = append(errs, field.Invalid(at, is, onceSet))
			}
		}
		return errs
	}
	if len(was) > len(is) && len(s.Spec.ClusterIPs) == 0 {
		errs = append(errs, field.Invalid(at, is, "primary ipFamily can not be unset"))
	}
	if len(was) > 0 && len(is) > 0 && is[0] != was[0] {
		errs = append(errs, field.Invalid(at, s.Spec.ClusterIPs, onceSet))
	}
	if len(was) > len(is) && len(is) == 1 && !isSingleStack(s) {
		errs = append(errs, field.Invalid(specPath.Child("ipFamilyPolicy"), s.Spec.IPFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily"))
	}
	return errs
}

func isSingleStack(s *corev1.Service) bool {
	return s.Spec.IPFamilyPolicy != nil && *s.Spec.IPFamilyPolicy == corev1.IPFamilyPolicySingleStack
}

// ServiceStatusUpdate checks what a load balancer reports.
func ServiceStatusUpdate(s, old *corev1.Service) field.ErrorList {
	at := statusPath.Child("loadBalancer", "ingress")
	ingress := s.Status.LoadBalancer.Ingress
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer && len(ingress) > 0 {
		return field.ErrorList{field.Forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")}
	}
	var existing []string
	for _, was := range old.Status.LoadBalancer.Ingress {
		if was.IP != "" {
			existing = append(existing, was.IP)
		}
	}
	var errs field.ErrorList
	for i := range ingress {
		errs = append(errs, loadBalancerIngress(at.Index(i), &ingress[i], existing)...)
	}
	return errs
}

func loadBalancerIngress(at *field.Path, ingress *corev1.LoadBalancerIngress, existing []string) field.ErrorList {
	var errs field.ErrorList
	if ingress.IP != "" {
		errs = append(errs, ipAddress(at.Child("ip"), ingress.IP, existing)...)
	}
	switch mode := ingress.IPMode; {
	case mode == nil && ingress.IP != "":
		errs = append(errs, field.Required(at.Child("ipMode"), "must be specified when `ip` is set"))
	case mode != nil && ingress.IP == "":
		errs = append(errs, field.Forbidden(at.Child("ipMode"), "may not be specified when `ip` is not set"))
	case mode != nil:
		errs = append(errs, supportedOnly(at.Child("ipMode"), *mode, corev1.LoadBalancerIPModeProxy, corev1.LoadBalancerIPModeVIP)...)
	}
	if ingress.Hostname != "" {
		errs = append(errs, invalid(at.Child("hostname"), ingress.Hostname, dnsSubdomain(ingress.Hostname))...)
		if netutils.ParseIPSloppy(ingress.Hostname) != nil {
			errs = append(errs, field.Invalid(at.Child("hostname"), ingress.Hostname, "must be a DNS name, not an IP address"))
		}
	}
	return errs
}
