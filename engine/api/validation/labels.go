package validation

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	unversioned "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// sorted is a map's keys in an order that does not change from run to run.
func sorted[K ~string, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

func labels(parent *field.Path, child string, set map[string]string) field.ErrorList {
	valid := true
	for key, value := range set {
		if qualifiedName(key) != nil || labelValue(value) != nil {
			valid = false
		}
	}
	if valid {
		return nil
	}
	var errs field.ErrorList
	path := parent.Child(child)
	for _, key := range sorted(set) {
		errs = append(errs, unversioned.ValidateLabels(map[string]string{key: set[key]}, path)...)
	}
	return errs
}

func labelName(parent *field.Path, child, name string) field.ErrorList {
	if qualifiedName(name) == nil {
		return nil
	}
	return unversioned.ValidateLabelName(name, parent.Child(child))
}

func labelSelector(parent *field.Path, child string, selector *metav1.LabelSelector) field.ErrorList {
	if selector == nil {
		return nil
	}
	path := parent.Child(child)
	errs := labels(path, "matchLabels", selector.MatchLabels)
	for i, expression := range selector.MatchExpressions {
		errs = append(errs, unversioned.ValidateLabelSelectorRequirement(
			expression, unversioned.LabelSelectorValidationOptions{}, path.Child("matchExpressions").Index(i))...)
	}
	return errs
}
