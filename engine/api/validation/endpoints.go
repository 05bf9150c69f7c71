//lint:file-ignore SA1019 the deprecated kind is served as before

package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Endpoints checks new Endpoints.
func Endpoints(e *corev1.Endpoints) field.ErrorList {
	var errs field.ErrorList
	for i := range e.Subsets {
		subset, at := &e.Subsets[i], field.NewPath("subsets").Index(i)
		if len(subset.Addresses) == 0 && len(subset.NotReadyAddresses) == 0 {
			errs = append(errs, field.Required(at, "must specify `addresses` or `notReadyAddresses`"))
		}
		for j := range subset.Addresses {
			errs = append(errs, endpointsAddress(at.Child("addresses").Index(j), &subset.Addresses[j])...)
		}
		for j := range subset.NotReadyAddresses {
			errs = append(errs, endpointsAddress(at.Child("notReadyAddresses").Index(j), &subset.NotReadyAddresses[j])...)
		}
		for j := range subset.Ports {
			errs = append(errs, endpointsPort(at.Child("ports").Index(j), &subset.Ports[j], len(subset.Ports) > 1)...)
		}
	}
	return errs
}

// EndpointsUpdate checks a change; subsets that stay are let be.
func EndpointsUpdate(e, old *corev1.Endpoints) field.ErrorList {
	errs := Endpoints(e)
	if len(errs) > 0 && equality.Semantic.DeepEqual(e.Subsets, old.Subsets) {
		return nil
	}
	return errs
}

// EndpointsWarnings tells of addresses that are written in an unusual way.
func EndpointsWarnings(e *corev1.Endpoints) []string {
	var warnings []string
	for i := range e.Subsets {
		at := field.NewPath("subsets").Index(i)
		for j := range e.Subsets[i].Addresses {
			warnings = append(warnings, validation.GetWarningsForIP(at.Child("addresses").Index(j).Child("ip"), e.Subsets[i].Addresses[j].IP)...)
		}
		for j := range e.Subsets[i].NotReadyAddresses {
			warnings = append(warnings, validation.GetWarningsForIP(at.Child("notReadyAddresses").Index(j).Child("ip"), e.Subsets[i].NotReadyAddresses[j].IP)...)
		}
	}
	return warnings
}

func endpointsAddress(at *field.Path, address *corev1.EndpointAddress) field.ErrorList {
	errs := ipAddress(at.Child("ip"), address.IP, nil)
	if address.Hostname != "" {
		errs = append(errs, invalid(at.Child("hostname"), address.Hostname, dnsLabel(address.Hostname))...)
	}
	if address.NodeName != nil {
		errs = append(errs, invalid(at.Child("nodeName"), *address.NodeName, objectName(*address.NodeName, false))...)
	}
	return append(errs, endpointIP(at.Child("ip"), address.IP)...)
}

func endpointsPort(at *field.Path, port *corev1.EndpointPort, named bool) field.ErrorList {
	var errs field.ErrorList
	if port.Name != "" {
		errs = append(errs, invalid(at.Child("name"), port.Name, dnsLabel(port.Name))...)
	} else if named {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	errs = append(errs, portNumber(at, "port", port.Port)...)
	errs = append(errs, protocol(at, port.Protocol)...)
	if port.AppProtocol != nil {
		errs = append(errs, invalid(at.Child("appProtocol"), *port.AppProtocol, qualifiedName(*port.AppProtocol))...)
	}
	return errs
}
