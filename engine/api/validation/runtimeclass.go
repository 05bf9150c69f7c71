package validation

import (
	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// RuntimeClass checks a new RuntimeClass. What upstream checks declaratively
// comes last, as there.
func RuntimeClass(class *nodev1.RuntimeClass) field.ErrorList {
	var errs field.ErrorList
	if class.Overhead != nil {
		errs = append(errs, resourceRequirements(field.NewPath("overhead"), &corev1.ResourceRequirements{Limits: class.Overhead.PodFixed}, nil, containerResourceName)...)
	}
	if scheduling := class.Scheduling; scheduling != nil {
		at := field.NewPath("scheduling")
		errs = append(errs, labels(at, "nodeSelector", scheduling.NodeSelector)...)
		errs = append(errs, tolerations(at, scheduling.Tolerations)...)
		seen := map[corev1.Toleration]bool{}
		for i, t := range scheduling.Tolerations {
			t.TolerationSeconds = nil
			if seen[t] {
				errs = append(errs, field.Duplicate(at.Child("tolerations").Index(i), internal(scheduling.Tolerations[i])))
			}
			seen[t] = true
		}
	}
	if class.Handler == "" {
		return append(errs, field.Required(field.NewPath("handler"), ""))
	}
	return append(errs, invalid(field.NewPath("handler"), class.Handler, dnsLabel(class.Handler))...)
}

// RuntimeClassUpdate checks a change: the handler stays.
func RuntimeClassUpdate(class, old *nodev1.RuntimeClass) field.ErrorList {
	return append(RuntimeClass(class), immutable(field.NewPath("handler"), class.Handler, old.Handler)...)
}

// RuntimeClassWarnings tells of labels that are deprecated.
func RuntimeClassWarnings(class *nodev1.RuntimeClass) []string {
	var list warningList
	if class.Scheduling != nil {
		for _, label := range sorted(class.Scheduling.NodeSelector) {
			if message, deprecated := deprecatedNodeLabels[label]; deprecated {
				list.add(field.NewPath("scheduling", "nodeSelector"), "%s", message)
			}
		}
	}
	return list
}
