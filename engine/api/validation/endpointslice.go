package validation

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

const (
	maxEndpoints         = 1000
	maxEndpointAddresses = 100
	maxEndpointPorts     = 20000
	maxHints             = 8
)

// EndpointSlice checks a new EndpointSlice. What upstream checks declaratively
// comes last.
func EndpointSlice(slice *discoveryv1.EndpointSlice) field.ErrorList {
	errs := append(endpointPorts(slice.Ports), endpoints(slice)...)
	errs = append(errs, addressType(slice.AddressType)...)
	return append(errs, addressCounts(slice.Endpoints)...)
}

func addressType(value discoveryv1.AddressType) field.ErrorList {
	return oneOf(field.NewPath("addressType"), value,
		discoveryv1.AddressTypeFQDN, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6)
}

// addressCounts: every endpoint has addresses, but not too many.
func addressCounts(list []discoveryv1.Endpoint) (errs field.ErrorList) {
	if len(list) > maxEndpoints {
		return nil // which is wrong enough
	}
	for i := range list {
		at := field.NewPath("endpoints").Index(i).Child("addresses")
		switch count := len(list[i].Addresses); {
		case count == 0:
			errs = append(errs, field.Required(at, ""))
		case count > maxEndpointAddresses:
			errs = append(errs, field.TooMany(at, count, maxEndpointAddresses))
		}
	}
	return errs
}

// EndpointSliceUpdate checks a change; endpoints that stay are let be.
func EndpointSliceUpdate(slice, old *discoveryv1.EndpointSlice) field.ErrorList {
	errs := endpointPorts(slice.Ports)
	own, counts := endpoints(slice), addressCounts(slice.Endpoints)
	if len(own)+len(counts) > 0 && equality.Semantic.DeepEqual(slice.Endpoints, old.Endpoints) {
		own, counts = nil, nil
	}
	errs = append(errs, own...)
	errs = append(errs, addressType(slice.AddressType)...)
	errs = append(errs, counts...)
	if slice.AddressType != old.AddressType {
		errs = append(errs, immutable(field.NewPath("addressType"), slice.AddressType, old.AddressType)...)
	}
	return errs
}

func endpointPorts(ports []discoveryv1.EndpointPort) field.ErrorList {
	at := field.NewPath("ports")
	if len(ports) > maxEndpointPorts {
		return field.ErrorList{field.TooMany(at, len(ports), maxEndpointPorts)}
	}
	var errs field.ErrorList
	for i := range ports {
		port := &ports[i]
		name := *port.Name
		if name != "" {
			errs = append(errs, invalid(at.Index(i).Child("name"), name, dnsLabel(name))...)
		}
		for j := range i {
			if *ports[j].Name == name {
				errs = append(errs, field.Duplicate(at.Index(i).Child("name"), name))
				break
			}
		}
		if port.Protocol == nil {
			errs = append(errs, field.Required(at.Index(i).Child("protocol"), ""))
		} else {
			errs = append(errs, supportedOnly(at.Index(i).Child("protocol"), *port.Protocol, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)...)
		}
		if app := port.AppProtocol; app != nil {
			errs = append(errs, invalid(at.Index(i).Child("appProtocol"), *app, qualifiedName(*app))...)
		}
	}
	return errs
}

func endpoints(slice *discoveryv1.EndpointSlice) field.ErrorList {
	list := slice.Endpoints
	at := field.NewPath("endpoints")
	if len(list) > maxEndpoints {
		return field.ErrorList{field.TooMany(at, len(list), maxEndpoints)}
	}
	var errs field.ErrorList
	for i := range list {
		if !plainEndpoint(&list[i], slice.AddressType) {
			errs = append(errs, endpoint(at.Index(i), &list[i], slice.AddressType)...)
		}
	}
	return errs
}

// plainEndpoint recognizes what the controllers write: an ordinary IPv4
// address on a node.
func plainEndpoint(e *discoveryv1.Endpoint, addressType discoveryv1.AddressType) bool {
	return addressType == discoveryv1.AddressTypeIPv4 && len(e.Addresses) == 1 && plainIPv4(e.Addresses[0]) &&
		len(endpointIP(nil, e.Addresses[0])) == 0 && e.Hostname == nil && e.Hints == nil &&
		(e.NodeName == nil || isSubdomain(*e.NodeName) && len(*e.NodeName) <= validation.DNS1123SubdomainMaxLength)
}

func endpoint(at *field.Path, e *discoveryv1.Endpoint, addressType discoveryv1.AddressType) field.ErrorList {
	var errs field.ErrorList
	list := at.Child("addresses")
	for i, address := range e.Addresses {
		errs = append(errs, endpointAddress(list, i, address, addressType)...)
	}
	if e.NodeName != nil {
		errs = append(errs, invalid(at.Child("nodeName"), *e.NodeName, objectName(*e.NodeName, false))...)
	}
	if e.Hostname != nil {
		errs = append(errs, invalid(at.Child("hostname"), *e.Hostname, dnsLabel(*e.Hostname))...)
	}
	if e.Hints != nil {
		errs = append(errs, hints(at.Child("hints"), e.Hints)...)
	}
	return errs
}

func endpointAddress(list *field.Path, i int, address string, addressType discoveryv1.AddressType) field.ErrorList {
	at := list.Index(i)
	switch addressType {
	case discoveryv1.AddressTypeIPv4:
		if errs := ipAddress(at, address, nil); len(errs) > 0 {
			return errs
		}
		if !netutils.IsIPv4String(address) {
			return append(field.ErrorList{field.Invalid(list, address, "must be an IPv4 address")}, endpointIP(at, address)...)
		}
		return endpointIP(at, address)
	case discoveryv1.AddressTypeIPv6:
		if errs := validation.IsValidIP(at, address); len(errs) > 0 {
			return errs
		}
		if !netutils.IsIPv6String(address) {
			return append(field.ErrorList{field.Invalid(list, address, "must be an IPv6 address")}, endpointIP(at, address)...)
		}
		return endpointIP(at, address)
	case discoveryv1.AddressTypeFQDN:
		return validation.IsFullyQualifiedDomainName(at, address)
	}
	return nil
}

func hints(at *field.Path, h *discoveryv1.EndpointHints) field.ErrorList {
	if len(h.ForZones) > maxHints {
		return field.ErrorList{field.TooMany(at.Child("forZones"), len(h.ForZones), maxHints)}
	}
	var errs field.ErrorList
	for i, zone := range h.ForZones {
		path := at.Child("forZones").Index(i).Child("name")
		for _, earlier := range h.ForZones[:i] {
			if earlier.Name == zone.Name {
				errs = append(errs, field.Duplicate(path, zone.Name))
				break
			}
		}
		errs = append(errs, invalid(path, zone.Name, labelValue(zone.Name))...)
	}
	if len(h.ForNodes) > maxHints {
		return append(errs, field.TooMany(at.Child("forNodes"), len(h.ForNodes), maxHints))
	}
	for i, node := range h.ForNodes {
		path := at.Child("forNodes").Index(i).Child("name")
		for _, earlier := range h.ForNodes[:i] {
			if earlier.Name == node.Name {
				errs = append(errs, field.Duplicate(path, node.Name))
				break
			}
		}
		errs = append(errs, invalid(path, node.Name, objectName(node.Name, false))...)
	}
	return errs
}
