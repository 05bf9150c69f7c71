package validation

import (
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// objectReference checks a reference to an object of any kind.
func objectReference(at *field.Path, group *string, kind, name string) field.ErrorList {
	var errs field.ErrorList
	if group != nil {
		errs = append(errs, invalid(at.Child("apiGroup"), *group, dnsSubdomain(*group))...)
	}
	errs = append(errs, pathSegment(at.Child("kind"), kind)...)
	return append(errs, pathSegment(at.Child("name"), name)...)
}

// pathSegment checks what stands between two slashes of a URL.
func pathSegment(at *field.Path, value string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	return invalid(at, value, content.IsPathSegmentName(value))
}

// IngressClass checks a new IngressClass.
func IngressClass(class *networkingv1.IngressClass) field.ErrorList {
	const longest = 250
	var errs field.ErrorList
	at := specPath.Child("controller")
	if len(class.Spec.Controller) > longest {
		errs = append(errs, field.TooLong(at, "", longest))
	}
	errs = append(errs, validation.IsDomainPrefixedPath(at, class.Spec.Controller)...)
	params := class.Spec.Parameters
	if params == nil {
		return errs
	}
	at = specPath.Child("parameters")
	errs = append(errs, objectReference(at, params.APIGroup, params.Kind, params.Name)...)
	if params.Scope == nil {
		return append(errs, field.Required(at.Child("scope"), ""))
	}
	const cluster, namespace = networkingv1.IngressClassParametersReferenceScopeCluster, networkingv1.IngressClassParametersReferenceScopeNamespace
	switch *params.Scope {
	case namespace:
		if params.Namespace == nil {
			errs = append(errs, field.Required(at.Child("namespace"), "`parameters.scope` is set to 'Namespace'"))
		} else {
			errs = append(errs, invalid(at.Child("namespace"), *params.Namespace, dnsLabel(*params.Namespace))...)
		}
	case cluster:
		if params.Namespace != nil {
			errs = append(errs, field.Forbidden(at.Child("namespace"), "`parameters.scope` is set to 'Cluster'"))
		}
	default:
		errs = append(errs, supportedOnly(at.Child("scope"), *params.Scope, cluster, namespace)...)
	}
	return errs
}

// IngressClassUpdate checks a change: the controller stays.
func IngressClassUpdate(class, old *networkingv1.IngressClass) field.ErrorList {
	errs := immutable(specPath.Child("controller"), class.Spec.Controller, old.Spec.Controller)
	return append(errs, IngressClass(class)...)
}

// IPAddressName takes addresses in their canonical form.
func IPAddressName(name string, _ bool) []string {
	var messages []string
	for _, err := range validation.IsValidIP(&field.Path{}, name) {
		messages = append(messages, err.Detail)
	}
	return messages
}

// IPAddress checks a new IPAddress.
func IPAddress(address *networkingv1.IPAddress) field.ErrorList {
	at, parent := specPath.Child("parentRef"), address.Spec.ParentRef
	if parent == nil {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	if parent.Group != "" {
		errs = append(errs, invalid(at.Child("group"), parent.Group, dnsSubdomain(parent.Group))...)
	}
	errs = append(errs, pathSegment(at.Child("resource"), parent.Resource)...)
	errs = append(errs, pathSegment(at.Child("name"), parent.Name)...)
	if parent.Namespace != "" {
		errs = append(errs, pathSegment(at.Child("namespace"), parent.Namespace)...)
	}
	return errs
}

// IPAddressUpdate checks a change: an address stays its parent's.
func IPAddressUpdate(address, old *networkingv1.IPAddress) field.ErrorList {
	return append(IPAddress(address), immutable(specPath.Child("parentRef"), address.Spec.ParentRef, old.Spec.ParentRef)...)
}

// ServiceCIDR checks a new ServiceCIDR.
func ServiceCIDR(cidrs *networkingv1.ServiceCIDR) field.ErrorList {
	at, list := specPath.Child("cidrs"), cidrs.Spec.CIDRs
	switch {
	case len(list) == 0:
		return field.ErrorList{field.Required(at, "at least one CIDR required")}
	case len(list) > 2:
		return field.ErrorList{field.Invalid(at, internal(cidrs.Spec), "may only hold up to 2 values")}
	}
	var errs field.ErrorList
	for i, value := range list {
		errs = append(errs, validation.IsValidCIDR(at.Index(i), value)...)
	}
	if len(list) == 2 {
		if family := netutils.IPFamilyOfCIDRString(list[0]); family == netutils.IPFamilyOfCIDRString(list[1]) && family != netutils.IPFamilyUnknown {
			errs = append(errs, field.Invalid(at, list, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"))
		}
	}
	return errs
}

// ServiceCIDRUpdate checks a change: a range of the other family may be added.
func ServiceCIDRUpdate(cidrs, old *networkingv1.ServiceCIDR) field.ErrorList {
	at, is, was := specPath.Child("cidrs"), cidrs.Spec.CIDRs, old.Spec.CIDRs
	var errs field.ErrorList
	fixed := func(i int) {
		if is[i] != was[i] {
			errs = append(errs, field.Invalid(at.Index(i), is[i], apivalidation.FieldImmutableErrorMsg))
		}
	}
	switch {
	case len(is) == len(was):
		for i := range is {
			fixed(i)
		}
	case len(was) == 1 && len(is) == 2:
		fixed(0)
		errs = append(errs, ServiceCIDR(cidrs)...)
	default:
		errs = append(errs, field.Invalid(at, is, apivalidation.FieldImmutableErrorMsg))
	}
	return errs
}
