package validation

import (
	corev1 "k8s.io/api/core/v1"
	kubelabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ReplicationController checks a new ReplicationController. What upstream checks
// declaratively comes last.
func ReplicationController(rc *corev1.ReplicationController) field.ErrorList {
	errs := controllerTemplate(&rc.Spec)
	errs = append(errs, replicas(rc.Spec.Replicas)...)
	return append(errs, nonNegative(specPath, "minReadySeconds", rc.Spec.MinReadySeconds)...)
}

func controllerTemplate(spec *corev1.ReplicationControllerSpec) (errs field.ErrorList) {
	if len(spec.Selector) == 0 {
		errs = append(errs, field.Required(specPath.Child("selector"), ""))
	}
	at := specPath.Child("template")
	if spec.Template == nil {
		return append(errs, field.Required(at, ""))
	}
	selector := kubelabels.Set(spec.Selector).AsSelector()
	if !selector.Empty() && !selector.Matches(kubelabels.Set(spec.Template.Labels)) {
		errs = append(errs, selectsOthers(at, spec.Template))
	}
	errs = append(errs, podTemplate(at, spec.Template)...)
	return append(errs, runsForever(at, spec.Template, "ReplicationController")...)
}

// ReplicationControllerUpdate checks a change to a ReplicationController.
func ReplicationControllerUpdate(rc, _ *corev1.ReplicationController) field.ErrorList {
	return ReplicationController(rc)
}

// ReplicationControllerStatusUpdate checks what the controller reports.
func ReplicationControllerStatusUpdate(rc, _ *corev1.ReplicationController) field.ErrorList {
	status := &rc.Status
	errs := nonNegative(statusPath, "replicas", status.Replicas)
	errs = append(errs, nonNegative(statusPath, "fullyLabeledReplicas", status.FullyLabeledReplicas)...)
	errs = append(errs, nonNegative(statusPath, "readyReplicas", status.ReadyReplicas)...)
	errs = append(errs, nonNegative(statusPath, "availableReplicas", status.AvailableReplicas)...)
	errs = append(errs, nonNegative(statusPath, "observedGeneration", status.ObservedGeneration)...)
	errs = append(errs, atMost("fullyLabeledReplicas", status.FullyLabeledReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("readyReplicas", status.ReadyReplicas, status.Replicas, moreThanReplicas)...)
	errs = append(errs, atMost("availableReplicas", status.AvailableReplicas, status.Replicas, moreThanReplicas)...)
	return append(errs, atMost("availableReplicas", status.AvailableReplicas, status.ReadyReplicas, moreThanReady)...)
}

// PodTemplate checks a new PodTemplate.
func PodTemplate(t *corev1.PodTemplate) field.ErrorList {
	return podTemplate(field.NewPath("template"), &t.Template)
}

// PodTemplateUpdate checks a change to a PodTemplate.
func PodTemplateUpdate(t, _ *corev1.PodTemplate) field.ErrorList { return PodTemplate(t) }

// PodTemplateWarnings tells the author what is allowed but unwise.
func PodTemplateWarnings(t *corev1.PodTemplate) []string {
	return podWarnings(field.NewPath("template"), t.Template.Annotations, &t.Template.Spec)
}
