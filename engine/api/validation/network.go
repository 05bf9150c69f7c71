package validation

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// ipAddress checks an address; those that the object had before are let be.
func ipAddress(at *field.Path, value string, old []string) field.ErrorList {
	return validation.IsValidIPForLegacyField(at, value, true, old)
}

func cidr(at *field.Path, value string, old []string) field.ErrorList {
	return validation.IsValidCIDRForLegacyField(at, value, true, old)
}

// endpointIP refuses addresses that can't be those of an endpoint.
func endpointIP(at *field.Path, value string) field.ErrorList {
	ip := netutils.ParseIPSloppy(value)
	if ip == nil {
		return field.ErrorList{field.Invalid(at, value, "must be a valid IP address")}
	}
	var errs field.ErrorList
	if ip.IsUnspecified() {
		errs = append(errs, field.Invalid(at, value, fmt.Sprintf("may not be unspecified (%v)", value)))
	}
	if ip.IsLoopback() {
		errs = append(errs, field.Invalid(at, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)"))
	}
	if ip.IsLinkLocalUnicast() {
		errs = append(errs, field.Invalid(at, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
	}
	if ip.IsLinkLocalMulticast() {
		errs = append(errs, field.Invalid(at, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"))
	}
	return errs
}

// plainIPv4 recognizes an IPv4 address in its canonical form without
// allocating.
func plainIPv4(value string) bool {
	part, digits, dots := 0, 0, 0
	for i := range len(value) {
		switch c := value[i]; {
		case c == '.':
			if digits == 0 {
				return false
			}
			part, digits = 0, 0
			dots++
		case c >= '0' && c <= '9':
			if digits > 0 && part == 0 {
				return false // a leading zero
			}
			part = part*10 + int(c-'0')
			digits++
			if part > 255 {
				return false
			}
		default:
			return false
		}
	}
	return dots == 3 && digits > 0
}

// addresses checks a list of a pod's or node's addresses: valid, and at most
// one of each family.
func addresses(at *field.Path, list, old []string) field.ErrorList {
	if len(list) == 1 && plainIPv4(list[0]) {
		return nil
	}
	var errs field.ErrorList
	for i, ip := range list {
		errs = append(errs, ipAddress(at.Index(i), ip, old)...)
	}
	if len(list) > 1 {
		dualStack, err := netutils.IsDualStackIPStrings(list)
		if err != nil {
			errs = append(errs, field.InternalError(at, fmt.Errorf("failed to check for dual stack with error:%v", err)))
		}
		if !dualStack || len(list) > 2 {
			errs = append(errs, field.Invalid(at, slices.Clone(list), "may specify no more than one IP for each IP family"))
		}
	}
	return errs
}
