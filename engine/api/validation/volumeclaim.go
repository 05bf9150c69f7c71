package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeClaimSpec checks what a claim must have: access modes and a size.
func volumeClaimSpec(at *field.Path, spec *corev1.PersistentVolumeClaimSpec) field.ErrorList {
	var errs field.ErrorList
	if len(spec.AccessModes) == 0 {
		errs = append(errs, field.Required(at.Child("accessModes"), "at least 1 access mode is required"))
	}
	errs = append(errs, labelSelector(at, "selector", spec.Selector)...)
	for _, accessMode := range spec.AccessModes {
		errs = append(errs, supportedOnly(at.Child("accessModes"), accessMode,
			corev1.ReadOnlyMany, corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadWriteOncePod)...)
	}
	size, stated := spec.Resources.Requests[corev1.ResourceStorage]
	sizePath := at.Child("resources").Key(string(corev1.ResourceStorage))
	if !stated {
		errs = append(errs, field.Required(sizePath, ""))
	} else if size.Sign() <= 0 {
		errs = append(errs, field.Invalid(sizePath, size.String(), "must be greater than zero"))
	}
	if class := spec.StorageClassName; class != nil && *class != "" {
		errs = append(errs, invalid(at.Child("storageClassName"), *class, objectName(*class, false))...)
	}
	if spec.VolumeMode != nil {
		errs = append(errs, supportedOnly(at.Child("volumeMode"), *spec.VolumeMode,
			corev1.PersistentVolumeBlock, corev1.PersistentVolumeFilesystem)...)
	}
	return errs
}
