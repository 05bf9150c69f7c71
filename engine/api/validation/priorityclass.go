package validation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	systemPriorityPrefix = "system-"
	highestUserPriority  = 1_000_000_000
	criticalPriority     = 2 * highestUserPriority
)

// SystemPriorityClasses returns the classes that every cluster has, in the
// order of their creation.
func SystemPriorityClasses() []*schedulingv1.PriorityClass {
	return []*schedulingv1.PriorityClass{
		{
			ObjectMeta:  metav1.ObjectMeta{Name: "system-node-critical"},
			Value:       criticalPriority + 1000,
			Description: "Used for system critical pods that must not be moved from their current node.",
		},
		{
			ObjectMeta:  metav1.ObjectMeta{Name: "system-cluster-critical"},
			Value:       criticalPriority,
			Description: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
		},
	}
}

// PriorityClass checks a new PriorityClass.
func PriorityClass(class *schedulingv1.PriorityClass) field.ErrorList {
	var errs field.ErrorList
	if strings.HasPrefix(class.Name, systemPriorityPrefix) {
		if why := notSystemClass(class); why != "" {
			errs = append(errs, field.Forbidden(field.NewPath("metadata", "name"),
				"priority class names with '"+systemPriorityPrefix+"' prefix are reserved for system use only. error: "+why))
		}
	} else if class.Value > highestUserPriority {
		errs = append(errs, field.Forbidden(field.NewPath("value"), fmt.Sprintf("maximum allowed value of a user defined priority is %v", highestUserPriority)))
	}
	if class.PreemptionPolicy != nil {
		errs = append(errs, oneOf(field.NewPath("preemptionPolicy"), *class.PreemptionPolicy, corev1.PreemptLowerPriority, corev1.PreemptNever)...)
	}
	return errs
}

// PriorityClassUpdate checks that nothing changes on which pods were admitted.
func PriorityClassUpdate(class, old *schedulingv1.PriorityClass) field.ErrorList {
	var errs field.ErrorList
	if class.Value != old.Value {
		errs = append(errs, field.Forbidden(field.NewPath("value"), "may not be changed in an update."))
	}
	return append(errs, immutable(field.NewPath("preemptionPolicy"), class.PreemptionPolicy, old.PreemptionPolicy)...)
}

// notSystemClass says why a class is not one that every cluster has.
func notSystemClass(class *schedulingv1.PriorityClass) string {
	for _, system := range SystemPriorityClasses() {
		switch {
		case class.Name != system.Name:
		case class.Value != system.Value:
			return fmt.Sprintf("value of %v PriorityClass must be %v", system.Name, system.Value)
		case class.GlobalDefault != system.GlobalDefault:
			return fmt.Sprintf("globalDefault of %v PriorityClass must be %v", system.Name, system.GlobalDefault)
		default:
			return ""
		}
	}
	return class.Name + " is not a known system priority class"
}
