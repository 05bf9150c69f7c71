package validation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// Node checks a new node.
func Node(node *corev1.Node) field.ErrorList {
	errs := taints(node.Spec.Taints)
	errs = append(errs, nodeResources(node)...)
	return append(errs, podCIDRs(node.Spec.PodCIDRs)...)
}

// NodeUpdate checks a change to a node.
func NodeUpdate(node, old *corev1.Node) field.ErrorList {
	return append(Node(node), NodeStatusUpdate(node, old)...)
}

// NodeStatusUpdate checks a kubelet's report, and what else may not change.
func NodeStatusUpdate(node, old *corev1.Node) field.ErrorList {
	errs := nodeResources(node)
	for i, address := range node.Status.Addresses {
		for _, earlier := range node.Status.Addresses[:i] {
			if earlier == address {
				errs = append(errs, field.Duplicate(statusPath.Child("addresses").Index(i), internal(address)))
				break
			}
		}
	}
	const fixedCIDR = "node updates may not change podCIDR except from \"\" to valid"
	if is, was := node.Spec.PodCIDRs, old.Spec.PodCIDRs; len(was) > 0 {
		if len(is) != len(was) {
			errs = append(errs, field.Forbidden(specPath.Child("podCIDRs"), fixedCIDR))
		} else {
			for i := range was {
				if is[i] != was[i] {
					errs = append(errs, field.Forbidden(specPath.Child("podCIDRs"), fixedCIDR))
				}
			}
		}
	}
	errs = append(errs, taints(node.Spec.Taints)...)
	if node.Spec.DoNotUseExternalID != old.Spec.DoNotUseExternalID {
		errs = append(errs, field.Forbidden(specPath.Child("externalID"), "may not be updated"))
	}
	switch is, was := node.Spec.ProviderID, old.Spec.ProviderID; {
	case was == "" || is == was:
	case is == "":
		errs = append(errs, field.Invalid(specPath.Child("providerID"), nil, "field cannot be cleared once set"))
	default:
		errs = append(errs, field.Invalid(specPath.Child("providerID"), nil, "field cannot be modified once set"))
	}
	return errs
}

// taints are reported below metadata, as Kubernetes does.
func taints(list []corev1.Taint) field.ErrorList {
	var errs field.ErrorList
	for i := range list {
		taint := &list[i]
		at := metadataPath.Child("taints").Index(i)
		errs = append(errs, labelName(at, "key", taint.Key)...)
		if messages := labelValue(taint.Value); messages != nil {
			errs = append(errs, field.Invalid(at.Child("value"), taint.Value, strings.Join(messages, ";")))
		}
		errs = append(errs, taintEffect(at.Child("effect"), taint.Effect)...)
		for _, earlier := range list[:i] {
			if earlier.Key == taint.Key && earlier.Effect == taint.Effect {
				duplicate := field.Duplicate(at, internal(*taint))
				duplicate.Detail = "taints must be unique by key and effect pair"
				errs = append(errs, duplicate)
				break
			}
		}
	}
	return errs
}

func nodeResources(node *corev1.Node) field.ErrorList {
	errs := quantities("capacity", node.Status.Capacity)
	return append(errs, quantities("allocatable", node.Status.Allocatable)...)
}

func quantities(child string, list corev1.ResourceList) field.ErrorList {
	valid := true
	for name, value := range list {
		if value.Sign() < 0 || !containerResources.Has(name) {
			valid = false
		}
	}
	if valid {
		return nil
	}
	var errs field.ErrorList
	for _, name := range sorted(list) {
		errs = append(errs, quantity(statusPath.Child(child, string(name)), name, list[name])...)
	}
	return errs
}

func podCIDRs(list []string) field.ErrorList {
	var errs field.ErrorList
	at := specPath.Child("podCIDRs")
	for i, value := range list {
		errs = append(errs, cidr(at.Index(i), value, nil)...)
	}
	if len(list) > 1 {
		dualStack, err := netutils.IsDualStackCIDRStrings(list)
		if err != nil {
			errs = append(errs, field.InternalError(at, fmt.Errorf("invalid PodCIDRs. failed to check with dual stack with error:%v", err)))
		}
		if !dualStack || len(list) > 2 {
			errs = append(errs, field.Invalid(at, list, "may specify no more than one CIDR for each IP family"))
		}
	}
	return errs
}
