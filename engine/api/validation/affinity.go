package validation

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func affinity(parent *field.Path, a *corev1.Affinity) field.ErrorList {
	if a == nil {
		return nil
	}
	var errs field.ErrorList
	at := parent.Child("affinity")
	if a.NodeAffinity != nil {
		errs = append(errs, nodeAffinity(at.Child("nodeAffinity"), a.NodeAffinity)...)
	}
	if p := a.PodAffinity; p != nil {
		errs = append(errs, podAffinity(at.Child("podAffinity"), p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)...)
	}
	if p := a.PodAntiAffinity; p != nil {
		errs = append(errs, podAffinity(at.Child("podAntiAffinity"), p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution)...)
	}
	return errs
}

const (
	requiredTerms  = "requiredDuringSchedulingIgnoredDuringExecution"
	preferredTerms = "preferredDuringSchedulingIgnoredDuringExecution"
	weightRange    = "must be in the range 1-100"
)

func nodeAffinity(parent *field.Path, a *corev1.NodeAffinity) field.ErrorList {
	var errs field.ErrorList
	if selector := a.RequiredDuringSchedulingIgnoredDuringExecution; selector != nil {
		errs = append(errs, nodeSelector(parent.Child(requiredTerms), selector)...)
	}
	for i := range a.PreferredDuringSchedulingIgnoredDuringExecution {
		term := &a.PreferredDuringSchedulingIgnoredDuringExecution[i]
		at := parent.Child(preferredTerms).Index(i)
		if term.Weight <= 0 || term.Weight > 100 {
			errs = append(errs, field.Invalid(at.Child("weight"), term.Weight, weightRange))
		}
		errs = append(errs, nodeSelectorTerm(at.Child("preference"), &term.Preference, false)...)
	}
	return errs
}

func nodeSelector(parent *field.Path, selector *corev1.NodeSelector) field.ErrorList {
	var errs field.ErrorList
	at := parent.Child("nodeSelectorTerms")
	if len(selector.NodeSelectorTerms) == 0 {
		errs = append(errs, field.Required(at, "must have at least one node selector term"))
	}
	for i := range selector.NodeSelectorTerms {
		errs = append(errs, nodeSelectorTerm(at.Index(i), &selector.NodeSelectorTerms[i], true)...)
	}
	return errs
}

// nodeSelectorTerm checks label values only where they must match.
func nodeSelectorTerm(parent *field.Path, term *corev1.NodeSelectorTerm, strict bool) field.ErrorList {
	var errs field.ErrorList
	for i := range term.MatchExpressions {
		errs = append(errs, nodeSelectorRequirement(parent.Child("matchExpressions").Index(i), &term.MatchExpressions[i], strict)...)
	}
	for i := range term.MatchFields {
		errs = append(errs, nodeFieldRequirement(parent.Child("matchFields").Index(i), &term.MatchFields[i])...)
	}
	return errs
}

func nodeSelectorRequirement(at *field.Path, requirement *corev1.NodeSelectorRequirement, strict bool) field.ErrorList {
	var errs field.ErrorList
	switch requirement.Operator {
	case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
		if len(requirement.Values) == 0 {
			errs = append(errs, field.Required(at.Child("values"), "must be specified when `operator` is 'In' or 'NotIn'"))
		}
	case corev1.NodeSelectorOpExists, corev1.NodeSelectorOpDoesNotExist:
		if len(requirement.Values) > 0 {
			errs = append(errs, field.Forbidden(at.Child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
		}
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		if len(requirement.Values) != 1 {
			errs = append(errs, field.Required(at.Child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"))
		}
	default:
		errs = append(errs, field.Invalid(at.Child("operator"), requirement.Operator, "not a valid selector operator"))
	}
	errs = append(errs, labelName(at, "key", requirement.Key)...)
	if strict {
		for i, value := range requirement.Values {
			errs = append(errs, invalid(at.Child("values").Index(i), value, labelValue(value))...)
		}
	}
	return errs
}

func nodeFieldRequirement(at *field.Path, requirement *corev1.NodeSelectorRequirement) field.ErrorList {
	var errs field.ErrorList
	switch requirement.Operator {
	case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
		if len(requirement.Values) != 1 {
			errs = append(errs, field.Required(at.Child("values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
		}
	default:
		errs = append(errs, field.Invalid(at.Child("operator"), requirement.Operator, "not a valid selector operator"))
	}
	if requirement.Key != metav1.ObjectNameField {
		return append(errs, field.Invalid(at.Child("key"), requirement.Key, "not a valid field selector key"))
	}
	for i, value := range requirement.Values {
		errs = append(errs, invalid(at.Child("values").Index(i), value, objectName(value, false))...)
	}
	return errs
}

func podAffinity(parent *field.Path, requiredList []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm) field.ErrorList {
	var errs field.ErrorList
	for i := range requiredList {
		errs = append(errs, podAffinityTerm(parent.Child(requiredTerms).Index(i), &requiredList[i])...)
	}
	for i := range preferred {
		at := parent.Child(preferredTerms).Index(i)
		if weight := preferred[i].Weight; weight <= 0 || weight > 100 {
			errs = append(errs, field.Invalid(at.Child("weight"), weight, weightRange))
		}
		errs = append(errs, podAffinityTerm(at.Child("podAffinityTerm"), &preferred[i].PodAffinityTerm)...)
	}
	return errs
}

func podAffinityTerm(at *field.Path, term *corev1.PodAffinityTerm) field.ErrorList {
	errs := labelSelector(at, "labelSelector", term.LabelSelector)
	errs = append(errs, labelSelector(at, "namespaceSelector", term.NamespaceSelector)...)
	for _, namespace := range term.Namespaces {
		errs = append(errs, invalid(at.Child("namespace"), namespace, dnsLabel(namespace))...)
	}
	errs = append(errs, labelKeys(at, term.MatchLabelKeys, term.MismatchLabelKeys, term.LabelSelector)...)
	if term.TopologyKey == "" {
		errs = append(errs, field.Required(at.Child("topologyKey"), "can not be empty"))
	}
	return append(errs, labelName(at, "topologyKey", term.TopologyKey)...)
}

// labelKeys checks the keys whose values a term takes from the pod itself. By
// now these are merged into the selector, where they may stand only once.
func labelKeys(at *field.Path, match, mismatch []string, selector *metav1.LabelSelector) field.ErrorList {
	errs := labelKeyNames(at, "matchLabelKeys", match, selector)
	errs = append(errs, labelKeyNames(at, "mismatchLabelKeys", mismatch, selector)...)
	if selector != nil {
		seen := map[string]bool{}
		for key := range selector.MatchLabels {
			seen[key] = true
		}
		for _, expression := range selector.MatchExpressions {
			for i, key := range match {
				if key == expression.Key && seen[key] {
					errs = append(errs, field.Invalid(at.Index(i), key, "exists in both matchLabelKeys and labelSelector"))
				}
			}
			seen[expression.Key] = true
		}
	}
	for i, key := range match {
		for _, other := range mismatch {
			if key == other {
				errs = append(errs, field.Invalid(at.Child("matchLabelKeys").Index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys"))
				break
			}
		}
	}
	return errs
}

func labelKeyNames(parent *field.Path, child string, keys []string, selector *metav1.LabelSelector) field.ErrorList {
	if len(keys) == 0 {
		return nil
	}
	if selector == nil {
		return field.ErrorList{field.Forbidden(parent.Child(child), "must not be specified when labelSelector is not set")}
	}
	var errs field.ErrorList
	for i, key := range keys {
		if messages := qualifiedName(key); messages != nil {
			errs = append(errs, invalid(parent.Child(child).Index(i), key, messages)...)
		}
	}
	return errs
}
