package validation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	onlyLoadBalancers = "may only be used when `type` is 'LoadBalancer'"
	sourceRangesKey   = "service.beta.kubernetes.io/load-balancer-source-ranges"
)

// Service checks a new Service, addresses not yet allocated.
func Service(s *corev1.Service) field.ErrorList { return service(s, &corev1.Service{}) }

// ServiceUpdate checks a change to a Service.
func ServiceUpdate(s, old *corev1.Service) field.ErrorList {
	errs := clusterIPsUpdate(s, old)
	errs = append(errs, ipFamiliesUpdate(s, old)...)
	loadBalancers := s.Spec.Type == corev1.ServiceTypeLoadBalancer && old.Spec.Type == corev1.ServiceTypeLoadBalancer
	if loadBalancers && !sameValue(s.Spec.LoadBalancerClass, old.Spec.LoadBalancerClass) {
		errs = append(errs, field.Invalid(specPath.Child("loadBalancerClass"), s.Spec.LoadBalancerClass, "may not change once set"))
	}
	errs = append(errs, loadBalancerClass(s)...)
	if needsHealthCheck(s) && needsHealthCheck(old) && s.Spec.HealthCheckNodePort != old.Spec.HealthCheckNodePort {
		errs = append(errs, field.Forbidden(specPath.Child("healthCheckNodePort"), "field is immutable"))
	}
	return append(errs, service(s, old)...)
}

func sameValue[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func service(s, old *corev1.Service) field.ErrorList {
	var errs field.ErrorList
	spec := &s.Spec
	hints, hasHints := s.Annotations[corev1.DeprecatedAnnotationTopologyAwareHints]
	topology, hasTopology := s.Annotations[corev1.AnnotationTopologyMode]
	if hasHints && hasTopology && hints != topology {
		errs = append(errs, field.Invalid(annotationsPath.Key(corev1.AnnotationTopologyMode), topology,
			fmt.Sprintf("must match annotations[%s] when both are specified", corev1.DeprecatedAnnotationTopologyAwareHints)))
	}
	if len(spec.Ports) == 0 && !isHeadless(s) && spec.Type != corev1.ServiceTypeExternalName {
		errs = append(errs, field.Required(specPath.Child("ports"), ""))
	}
	errs = append(errs, serviceType(s)...)
	for i := range spec.Ports {
		errs = append(errs, servicePort(i, spec.Ports)...)
	}
	errs = append(errs, labels(specPath, "selector", spec.Selector)...)
	errs = append(errs, sessionAffinity(spec)...)
	errs = append(errs, ServiceClusterIPs(s, old)...)
	for i, ip := range spec.ExternalIPs {
		at := specPath.Child("externalIPs").Index(i)
		if own := ipAddress(at, ip, old.Spec.ExternalIPs); len(own) > 0 {
			errs = append(errs, own...)
		} else {
			errs = append(errs, endpointIP(at, ip)...)
		}
	}
	errs = append(errs, oneOf(specPath.Child("type"), spec.Type,
		corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort)...)
	errs = append(errs, portConflicts(spec)...)
	errs = append(errs, sourceRanges(s, old)...)
	if spec.AllocateLoadBalancerNodePorts != nil && spec.Type != corev1.ServiceTypeLoadBalancer {
		errs = append(errs, field.Forbidden(specPath.Child("allocateLoadBalancerNodePorts"), onlyLoadBalancers))
	}
	if spec.AllocateLoadBalancerNodePorts == nil && spec.Type == corev1.ServiceTypeLoadBalancer {
		errs = append(errs, field.Required(field.NewPath("allocateLoadBalancerNodePorts"), ""))
	}
	errs = append(errs, loadBalancerClass(s)...)
	return append(errs, trafficPolicies(s)...)
}

func isHeadless(s *corev1.Service) bool {
	return len(s.Spec.ClusterIPs) == 1 && s.Spec.ClusterIPs[0] == corev1.ClusterIPNone
}

func serviceType(s *corev1.Service) field.ErrorList {
	var errs field.ErrorList
	spec := &s.Spec
	switch spec.Type {
	case corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort:
		if isHeadless(s) {
			errs = append(errs, field.Invalid(specPath.Child("clusterIPs").Index(0), spec.ClusterIPs[0],
				fmt.Sprintf("may not be set to 'None' for %s services", spec.Type)))
		}
	case corev1.ServiceTypeExternalName:
		const message = "may not be set for ExternalName services"
		if len(spec.ClusterIPs) > 0 {
			errs = append(errs, field.Forbidden(specPath.Child("clusterIPs"), message))
		}
		if len(spec.IPFamilies) > 0 {
			errs = append(errs, field.Forbidden(specPath.Child("ipFamilies"), message))
		}
		if spec.IPFamilyPolicy != nil {
			errs = append(errs, field.Forbidden(specPath.Child("ipFamilyPolicy"), message))
		}
		name := strings.TrimSuffix(spec.ExternalName, ".")
		if name == "" {
			return append(errs, field.Required(specPath.Child("externalName"), ""))
		}
		errs = append(errs, invalid(specPath.Child("externalName"), name, dnsSubdomain(name))...)
	}
	return errs
}

func servicePort(index int, ports []corev1.ServicePort) field.ErrorList {
	var errs field.ErrorList
	port := &ports[index]
	at := specPath.Child("ports").Index(index)
	if port.Name == "" {
		if len(ports) > 1 {
			errs = append(errs, field.Required(at.Child("name"), ""))
		}
	} else {
		errs = append(errs, invalid(at.Child("name"), port.Name, dnsLabel(port.Name))...)
		for _, earlier := range ports[:index] {
			if earlier.Name == port.Name {
				errs = append(errs, field.Duplicate(at.Child("name"), port.Name))
				break
			}
		}
	}
	errs = append(errs, portNumber(at, "port", port.Port)...)
	errs = append(errs, protocol(at, port.Protocol)...)
	errs = append(errs, portNumberOrName(at.Child("targetPort"), port.TargetPort)...)
	if port.AppProtocol != nil {
		errs = append(errs, invalid(at.Child("appProtocol"), *port.AppProtocol, qualifiedName(*port.AppProtocol))...)
	}
	return errs
}

func sessionAffinity(spec *corev1.ServiceSpec) field.ErrorList {
	errs := oneOf(specPath.Child("sessionAffinity"), spec.SessionAffinity, corev1.ServiceAffinityClientIP, corev1.ServiceAffinityNone)
	at := specPath.Child("sessionAffinityConfig")
	config := spec.SessionAffinityConfig
	switch spec.SessionAffinity {
	case corev1.ServiceAffinityClientIP:
		const message = "when session affinity type is ClientIP"
		switch {
		case config == nil:
			errs = append(errs, field.Required(at, message))
		case config.ClientIP == nil:
			errs = append(errs, field.Required(at.Child("clientIP"), message))
		case config.ClientIP.TimeoutSeconds == nil:
			errs = append(errs, field.Required(at.Child("clientIP", "timeoutSeconds"), message))
		default:
			const day = 24 * 60 * 60
			if seconds := *config.ClientIP.TimeoutSeconds; seconds <= 0 || seconds > day {
				errs = append(errs, field.Invalid(at.Child("clientIP", "timeoutSeconds"), seconds, fmt.Sprintf("must be greater than 0 and less than %d", day)))
			}
		}
	case corev1.ServiceAffinityNone:
		if config != nil {
			errs = append(errs, field.Forbidden(at, "must not be set when session affinity is None"))
		}
	}
	return errs
}

func portConflicts(spec *corev1.ServiceSpec) field.ErrorList {
	var errs field.ErrorList
	at := specPath.Child("ports")
	if spec.Type == corev1.ServiceTypeClusterIP {
		for i := range spec.Ports {
			if spec.Ports[i].NodePort != 0 {
				errs = append(errs, field.Forbidden(at.Index(i).Child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
			}
		}
	}
	conflict := func(i int, same func(earlier *corev1.ServicePort) bool) bool {
		for j := range i {
			if spec.Ports[j].Protocol == spec.Ports[i].Protocol && same(&spec.Ports[j]) {
				return true
			}
		}
		return false
	}
	for i := range spec.Ports {
		nodePort := spec.Ports[i].NodePort
		if nodePort != 0 && conflict(i, func(earlier *corev1.ServicePort) bool { return earlier.NodePort == nodePort }) {
			errs = append(errs, field.Duplicate(at.Index(i).Child("nodePort"), nodePort))
		}
	}
	for i := range spec.Ports {
		port := &spec.Ports[i]
		if conflict(i, func(earlier *corev1.ServicePort) bool { return earlier.Port == port.Port }) {
			errs = append(errs, field.Duplicate(at.Index(i), internal(corev1.ServicePort{Protocol: port.Protocol, Port: port.Port})))
		}
	}
	return errs
}

func sourceRanges(s, old *corev1.Service) field.ErrorList {
	var errs field.ErrorList
	ranges := s.Spec.LoadBalancerSourceRanges
	annotation, annotated := s.Annotations[sourceRangesKey]
	at := specPath.Child("LoadBalancerSourceRanges")
	if len(ranges) == 0 {
		if !annotated {
			return nil
		}
		at = annotationsPath.Key(sourceRangesKey)
	}
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
		errs = append(errs, field.Forbidden(at, onlyLoadBalancers))
	}
	if len(ranges) == 0 {
		if annotation = strings.TrimSpace(annotation); annotation != "" && old.Annotations[sourceRangesKey] != s.Annotations[sourceRangesKey] {
			for value := range strings.SplitSeq(annotation, ",") {
				errs = append(errs, cidr(at, strings.TrimSpace(value), nil)...)
			}
		}
		return errs
	}
	for i, value := range ranges {
		errs = append(errs, cidr(at.Index(i), strings.TrimSpace(value), old.Spec.LoadBalancerSourceRanges)...)
	}
	return errs
}

func loadBalancerClass(s *corev1.Service) field.ErrorList {
	class := s.Spec.LoadBalancerClass
	at := specPath.Child("loadBalancerClass")
	switch {
	case class == nil:
		return nil
	case s.Spec.Type != corev1.ServiceTypeLoadBalancer:
		return field.ErrorList{field.Forbidden(at, onlyLoadBalancers)}
	}
	return invalid(at, *class, qualifiedName(*class))
}

func externallyAccessible(s *corev1.Service) bool {
	switch s.Spec.Type {
	case corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort:
		return true
	case corev1.ServiceTypeClusterIP:
		return len(s.Spec.ExternalIPs) > 0
	}
	return false
}

func needsHealthCheck(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeLoadBalancer && s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}

func trafficPolicies(s *corev1.Service) field.ErrorList {
	var errs field.ErrorList
	spec := &s.Spec
	external := specPath.Child("externalTrafficPolicy")
	if externallyAccessible(s) {
		errs = append(errs, oneOf(external, spec.ExternalTrafficPolicy, corev1.ServiceExternalTrafficPolicyCluster, corev1.ServiceExternalTrafficPolicyLocal)...)
	} else if spec.ExternalTrafficPolicy != "" {
		errs = append(errs, field.Invalid(external, spec.ExternalTrafficPolicy, "may only be set for externally-accessible services"))
	}
	if spec.HealthCheckNodePort != 0 && !needsHealthCheck(s) {
		errs = append(errs, field.Invalid(specPath.Child("healthCheckNodePort"), spec.HealthCheckNodePort,
			"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
	}
	internalPolicy := specPath.Child("internalTrafficPolicy")
	switch {
	case spec.InternalTrafficPolicy != nil:
		errs = append(errs, supportedOnly(internalPolicy, *spec.InternalTrafficPolicy, corev1.ServiceInternalTrafficPolicyCluster, corev1.ServiceInternalTrafficPolicyLocal)...)
	case spec.Type == corev1.ServiceTypeNodePort || spec.Type == corev1.ServiceTypeLoadBalancer || spec.Type == corev1.ServiceTypeClusterIP:
		errs = append(errs, field.Required(internalPolicy, ""))
	}
	if distribution := spec.TrafficDistribution; distribution != nil {
		errs = append(errs, supportedOnly(specPath.Child("trafficDistribution"), *distribution,
			corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone, corev1.ServiceTrafficDistributionPreferSameNode)...)
	}
	return errs
}
