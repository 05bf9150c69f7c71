package validation

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Namespace checks a namespace on create and update.
func Namespace(ns *corev1.Namespace) field.ErrorList {
	var errs field.ErrorList
	for _, name := range ns.Spec.Finalizers {
		errs = append(errs, finalizer(specPath.Child("finalizers"), string(name))...)
	}
	return errs
}

// NamespaceFinalize checks a change to a namespace's finalizers.
func NamespaceFinalize(ns *corev1.Namespace) field.ErrorList {
	var errs field.ErrorList
	for i, name := range ns.Spec.Finalizers {
		errs = append(errs, finalizer(specPath.Child("finalizers").Index(i), string(name))...)
	}
	return errs
}

// NamespaceStatusUpdate checks that phase and deletion agree.
func NamespaceStatusUpdate(ns, _ *corev1.Namespace) field.ErrorList {
	at := statusPath.Child("Phase")
	switch {
	case ns.DeletionTimestamp.IsZero() && ns.Status.Phase != corev1.NamespaceActive:
		return field.ErrorList{field.Invalid(at, ns.Status.Phase, "may only be 'Active' if `deletionTimestamp` is empty")}
	case !ns.DeletionTimestamp.IsZero() && ns.Status.Phase != corev1.NamespaceTerminating:
		return field.ErrorList{field.Invalid(at, ns.Status.Phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")}
	}
	return nil
}

func finalizer(at *field.Path, name string) field.ErrorList {
	return append(apivalidation.ValidateFinalizerName(name, at), StandardFinalizer(at, name)...)
}

// StandardFinalizer refuses unqualified names of finalizers but Kubernetes'
// own; it is for any object's metadata too.
func StandardFinalizer(at *field.Path, name string) field.ErrorList {
	if strings.Contains(name, "/") {
		return nil
	}
	switch name {
	case string(corev1.FinalizerKubernetes), metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents:
		return nil
	}
	return field.ErrorList{field.Invalid(at, name, "name is neither a standard finalizer name nor is it fully qualified")}
}
