package validation

import (
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

const ingressClassAnnotation = "kubernetes.io/ingress.class"

// Ingress checks a new Ingress.
func Ingress(ingress *networkingv1.Ingress) field.ErrorList {
	errs := ingressSpec(&ingress.Spec)
	annotated, is := ingress.Annotations[ingressClassAnnotation]
	if class := ingress.Spec.IngressClassName; is && class != nil && annotated != *class {
		errs = append(errs, field.Invalid(field.NewPath("annotations").Child(ingressClassAnnotation), annotated,
			"must match `ingressClassName` when both are specified"))
	}
	return errs
}

// IngressUpdate checks a change to an Ingress.
func IngressUpdate(ingress, _ *networkingv1.Ingress) field.ErrorList {
	return ingressSpec(&ingress.Spec)
}

// IngressWarnings tells of the annotation that a field has replaced; old is
// nil on create.
func IngressWarnings(ingress, old *networkingv1.Ingress) []string {
	_, annotated := ingress.Annotations[ingressClassAnnotation]
	if old != nil || !annotated || ingress.Spec.IngressClassName != nil {
		return nil
	}
	return []string{fmt.Sprintf("annotation %q is deprecated, please use 'spec.ingressClassName' instead", ingressClassAnnotation)}
}

func ingressSpec(spec *networkingv1.IngressSpec) field.ErrorList {
	var errs field.ErrorList
	if len(spec.Rules) == 0 && spec.DefaultBackend == nil {
		errs = append(errs, field.Invalid(specPath, spec.Rules, "either `defaultBackend` or `rules` must be specified"))
	}
	if spec.DefaultBackend != nil {
		errs = append(errs, ingressBackend(specPath.Child("defaultBackend"), spec.DefaultBackend)...)
	}
	for i := range spec.Rules {
		errs = append(errs, ingressRule(specPath.Child("rules").Index(i), &spec.Rules[i])...)
	}
	for i := range spec.TLS {
		at := specPath.Child("tls").Index(i)
		for j, host := range spec.TLS[i].Hosts {
			errs = append(errs, hostName(at.Child("hosts").Index(j), host)...)
		}
		if secret := spec.TLS[i].SecretName; secret != "" {
			errs = append(errs, invalid(at.Child("secretName"), secret, objectName(secret, false))...)
		}
	}
	if class := spec.IngressClassName; class != nil {
		errs = append(errs, invalid(specPath.Child("ingressClassName"), *class, objectName(*class, false))...)
	}
	return errs
}

// hostName takes a name or a wildcard for the names below one.
func hostName(at *field.Path, host string) field.ErrorList {
	if strings.Contains(host, "*") {
		return invalid(at, host, validation.IsWildcardDNS1123Subdomain(host))
	}
	return invalid(at, host, dnsSubdomain(host))
}

func ingressRule(at *field.Path, rule *networkingv1.IngressRule) field.ErrorList {
	var errs field.ErrorList
	if rule.Host != "" {
		if netutils.ParseIPSloppy(rule.Host) != nil {
			errs = append(errs, field.Invalid(at.Child("host"), rule.Host, "must be a DNS name, not an IP address"))
		}
		errs = append(errs, hostName(at.Child("host"), rule.Host)...)
	}
	if rule.HTTP == nil {
		return errs
	}
	paths := at.Child("http", "paths")
	if len(rule.HTTP.Paths) == 0 {
		errs = append(errs, field.Required(paths, ""))
	}
	for i := range rule.HTTP.Paths {
		errs = append(errs, ingressPath(paths.Index(i), &rule.HTTP.Paths[i])...)
	}
	return errs
}

func ingressPath(at *field.Path, path *networkingv1.HTTPIngressPath) field.ErrorList {
	if path.PathType == nil {
		return field.ErrorList{field.Required(at.Child("pathType"), "pathType must be specified")}
	}
	var errs field.ErrorList
	refuse := func(message string) { errs = append(errs, field.Invalid(at.Child("path"), path.Path, message)) }
	switch *path.PathType {
	case networkingv1.PathTypeExact, networkingv1.PathTypePrefix:
		if !strings.HasPrefix(path.Path, "/") {
			refuse("must be an absolute path")
		}
		for _, sequence := range [...]string{"//", "/./", "/../", "%2f", "%2F"} {
			if strings.Contains(path.Path, sequence) {
				refuse(fmt.Sprintf("must not contain '%s'", sequence))
			}
		}
		for _, suffix := range [...]string{"/..", "/."} {
			if strings.HasSuffix(path.Path, suffix) {
				refuse(fmt.Sprintf("cannot end with '%s'", suffix))
			}
		}
	case networkingv1.PathTypeImplementationSpecific:
		if path.Path != "" && !strings.HasPrefix(path.Path, "/") {
			refuse("must be an absolute path")
		}
	default:
		errs = append(errs, supportedOnly(at.Child("pathType"), *path.PathType,
			networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific, networkingv1.PathTypePrefix)...)
	}
	return append(errs, ingressBackend(at.Child("backend"), &path.Backend)...)
}

func ingressBackend(at *field.Path, backend *networkingv1.IngressBackend) field.ErrorList {
	service := backend.Service
	switch {
	case backend.Resource != nil && service != nil:
		return field.ErrorList{field.Invalid(at, "", "cannot set both resource and service backends")}
	case backend.Resource != nil:
		return objectReference(at.Child("resource"), backend.Resource.APIGroup, backend.Resource.Kind, backend.Resource.Name)
	case service == nil:
		return field.ErrorList{field.Invalid(at, "", "resource or service backend is required")}
	}
	var errs field.ErrorList
	if service.Name == "" {
		errs = append(errs, field.Required(at.Child("service", "name"), ""))
	} else {
		errs = append(errs, invalid(at.Child("service", "name"), service.Name, dnsLabel(service.Name))...)
	}
	port := at.Child("service", "port")
	switch named, numbered := service.Port.Name != "", service.Port.Number != 0; {
	case named && numbered:
		errs = append(errs, field.Invalid(at, "", "cannot set both port name & port number"))
	case named:
		errs = append(errs, invalid(port.Child("name"), service.Port.Name, validation.IsValidPortName(service.Port.Name))...)
	case numbered:
		errs = append(errs, portNumber(port, "number", service.Port.Number)...)
	default:
		errs = append(errs, field.Required(at, "port name or number is required"))
	}
	return errs
}

// IngressStatusUpdate checks where an Ingress can be reached.
func IngressStatusUpdate(ingress, old *networkingv1.Ingress) field.ErrorList {
	var had []string
	for _, was := range old.Status.LoadBalancer.Ingress {
		had = append(had, was.IP)
	}
	var errs field.ErrorList
	for i, point := range ingress.Status.LoadBalancer.Ingress {
		at := statusPath.Child("loadBalancer", "ingress").Index(i)
		if point.IP != "" {
			errs = append(errs, ipAddress(at.Child("ip"), point.IP, had)...)
		}
		if point.Hostname != "" {
			errs = append(errs, invalid(at.Child("hostname"), point.Hostname, dnsSubdomain(point.Hostname))...)
			if netutils.ParseIPSloppy(point.Hostname) != nil {
				errs = append(errs, field.Invalid(at.Child("hostname"), point.Hostname, "must be a DNS name, not an IP address"))
			}
		}
	}
	return errs
}
