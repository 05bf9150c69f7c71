package validation

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const immutableClaim = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"

// VolumeClaim checks a new PersistentVolumeClaim.
func VolumeClaim(claim *corev1.PersistentVolumeClaim) field.ErrorList {
	return volumeClaimSpec(specPath, &claim.Spec)
}

// volumeClaimSpec checks what a claim asks for.
func volumeClaimSpec(at *field.Path, spec *corev1.PersistentVolumeClaimSpec) field.ErrorList {
	var errs field.ErrorList
	if len(spec.AccessModes) == 0 {
		errs = append(errs, field.Required(at.Child("accessModes"), "at least 1 access mode is required"))
	}
	errs = append(errs, labelSelector(at, "selector", spec.Selector)...)
	errs = append(errs, accessModes(at.Child("accessModes"), spec.AccessModes)...)
	size, stated := spec.Resources.Requests[corev1.ResourceStorage]
	sizePath := at.Child("resources").Key(string(corev1.ResourceStorage))
	if !stated {
		errs = append(errs, field.Required(sizePath, ""))
	} else {
		errs = append(errs, positive(sizePath, size)...)
	}
	if class := spec.StorageClassName; class != nil && *class != "" {
		errs = append(errs, invalid(at.Child("storageClassName"), *class, objectName(*class, false))...)
	}
	errs = append(errs, volumeMode(at.Child("volumeMode"), spec.VolumeMode)...)
	errs = append(errs, dataSources(at, spec)...)
	if class := spec.VolumeAttributesClassName; class != nil && *class != "" {
		errs = append(errs, invalid(at.Child("volumeAttributesClassName"), *class, objectName(*class, false))...)
	}
	return errs
}

func positive(at *field.Path, value resource.Quantity) field.ErrorList {
	if value.Sign() > 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(at, value.String(), "must be greater than zero")}
}

func accessModes(at *field.Path, modes []corev1.PersistentVolumeAccessMode) field.ErrorList {
	var errs field.ErrorList
	alone, shared := false, false
	for _, mode := range modes {
		own := supportedOnly(at, mode, corev1.ReadOnlyMany, corev1.ReadWriteMany, corev1.ReadWriteOnce, corev1.ReadWriteOncePod)
		errs = append(errs, own...)
		alone = alone || mode == corev1.ReadWriteOncePod
		shared = shared || mode != corev1.ReadWriteOncePod && len(own) == 0
	}
	if alone && shared {
		errs = append(errs, field.Forbidden(at, "may not use ReadWriteOncePod with other access modes"))
	}
	return errs
}

func volumeMode(at *field.Path, mode *corev1.PersistentVolumeMode) field.ErrorList {
	if mode == nil {
		return nil
	}
	return supportedOnly(at, *mode, corev1.PersistentVolumeBlock, corev1.PersistentVolumeFilesystem)
}

func dataSources(at *field.Path, spec *corev1.PersistentVolumeClaimSpec) field.ErrorList {
	var errs field.ErrorList
	source, ref := spec.DataSource, spec.DataSourceRef
	if source != nil {
		errs = append(errs, dataSource(at.Child("dataSource"), source.APIGroup, source.Kind, source.Name)...)
	}
	if ref == nil {
		return errs
	}
	errs = append(errs, dataSource(at.Child("dataSourceRef"), ref.APIGroup, ref.Kind, ref.Name)...)
	if elsewhere := ref.Namespace != nil && *ref.Namespace != ""; elsewhere {
		errs = append(errs, invalid(at.Child("dataSourceRef", "namespace"), *ref.Namespace, dnsLabel(*ref.Namespace))...)
		if source != nil {
			errs = append(errs, field.Invalid(at, at.Child("dataSource"), "may not be specified when dataSourceRef.namespace is specified"))
		}
	} else if source != nil && (!sameValue(source.APIGroup, ref.APIGroup) || source.Kind != ref.Kind || source.Name != ref.Name) {
		errs = append(errs, field.Invalid(at, at.Child("dataSource"), "must match dataSourceRef"))
	}
	return errs
}

func dataSource(at *field.Path, group *string, kind, name string) field.ErrorList {
	errs := append(required(at, "name", name), required(at, "kind", kind)...)
	switch {
	case group != nil && *group != "":
		errs = append(errs, invalid(at.Child("apiGroup"), *group, dnsSubdomain(*group))...)
	case kind != "PersistentVolumeClaim":
		errs = append(errs, field.Invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
	}
	return errs
}

// VolumeClaimUpdate checks a change to a claim: once it is bound it may grow,
// and otherwise only be completed (with its volume and its class).
func VolumeClaimUpdate(claim, old *corev1.PersistentVolumeClaim) field.ErrorList {
	errs := VolumeClaim(claim)
	was, is := old.Spec.DeepCopy(), claim.Spec.DeepCopy()
	if was.VolumeName == "" {
		was.VolumeName = is.VolumeName
	}
	errs = append(errs, claimClassUpdate(claim, old, is)...)
	bound := claim.Status.Phase == corev1.ClaimBound
	oldSize, size := was.Resources.Requests[corev1.ResourceStorage], is.Resources.Requests[corev1.ResourceStorage]
	if bound {
		if is.Resources.Requests != nil {
			is.Resources.Requests[corev1.ResourceStorage] = oldSize
		}
		is.VolumeAttributesClassName = was.VolumeAttributesClassName
	}
	if !equality.Semantic.DeepEqual(is, was) {
		errs = append(errs, field.Forbidden(specPath, immutableClaim+difference(was, is)))
	}
	if capacity := old.Status.Capacity[corev1.ResourceStorage]; size.Cmp(oldSize) < 0 && size.Cmp(capacity) <= 0 {
		errs = append(errs, field.Forbidden(specPath.Child("resources", "requests", "storage"), "field can not be less than status.capacity"))
	}
	errs = append(errs, immutable(field.NewPath("volumeMode"), claim.Spec.VolumeMode, old.Spec.VolumeMode)...)
	class := claim.Spec.VolumeAttributesClassName
	if !sameValue(class, old.Spec.VolumeAttributesClassName) && old.Status.CurrentVolumeAttributesClassName != nil {
		const unless = " is forbidden when status.currentVolumeAttributesClassName is not nil"
		switch at := specPath.Child("volumeAttributesClassName"); {
		case class == nil:
			errs = append(errs, field.Forbidden(at, "update to nil"+unless))
		case *class == "":
			errs = append(errs, field.Forbidden(at, "update to empty string"+unless))
		}
	}
	return errs
}

// claimClassUpdate lets a claim without a class get one, and moves one from
// the annotation of old to the field. is is the new spec to be compared.
func claimClassUpdate(claim, old *corev1.PersistentVolumeClaim, is *corev1.PersistentVolumeClaimSpec) field.ErrorList {
	const key = corev1.BetaStorageClassAnnotation
	annotated, isAnnotated := claim.Annotations[key]
	wasAnnotated, had := old.Annotations[key]
	gets := old.Spec.StorageClassName == nil && is.StorageClassName != nil && (!had || *is.StorageClassName == wasAnnotated)
	if gets {
		is.StorageClassName = nil
	}
	if gets && had && (!isAnnotated || annotated == wasAnnotated) || annotated == wasAnnotated {
		return nil
	}
	return field.ErrorList{field.Invalid(annotationsPath.Child(key), annotated, apivalidation.FieldImmutableErrorMsg)}
}

// resizeStatuses are the states of a claim's growth.
var resizeStatuses = []corev1.ClaimResourceStatus{
	corev1.PersistentVolumeClaimControllerResizeInfeasible, corev1.PersistentVolumeClaimControllerResizeInProgress,
	corev1.PersistentVolumeClaimNodeResizeInfeasible, corev1.PersistentVolumeClaimNodeResizeInProgress,
	corev1.PersistentVolumeClaimNodeResizePending,
}

// VolumeClaimStatusUpdate checks what controllers say of a claim.
func VolumeClaimStatusUpdate(claim, _ *corev1.PersistentVolumeClaim) field.ErrorList {
	var errs field.ErrorList
	if len(claim.Spec.AccessModes) == 0 {
		errs = append(errs, field.Required(field.NewPath("Spec", "accessModes"), ""))
	}
	errs = append(errs, validQuantities(statusPath.Child("capacity"), claim.Status.Capacity)...)
	at := statusPath.Child("allocatedResourceStatuses")
	for _, name := range sorted(claim.Status.AllocatedResourceStatuses) {
		errs = append(errs, claimResource(at, string(name))...)
		if status := claim.Status.AllocatedResourceStatuses[name]; !slices.Contains(resizeStatuses, status) {
			errs = append(errs, field.NotSupported(at, name, resizeStatuses))
		}
	}
	at = statusPath.Child("allocatedResources")
	for _, name := range sorted(claim.Status.AllocatedResources) {
		if own := claimResource(at, string(name)); len(own) > 0 {
			errs = append(errs, own...)
			continue
		}
		errs = append(errs, validQuantity(at.Key(string(name)), claim.Status.AllocatedResources[name])...)
	}
	return errs
}

func claimResource(at *field.Path, name string) field.ErrorList {
	if errs := invalid(at, name, qualifiedName(name)); len(errs) > 0 {
		return errs
	}
	if isNative(corev1.ResourceName(name)) && name != string(corev1.ResourceStorage) {
		return field.ErrorList{field.NotSupported(at, name, []corev1.ResourceName{corev1.ResourceStorage})}
	}
	return nil
}

func validQuantities(at *field.Path, list corev1.ResourceList) field.ErrorList {
	var errs field.ErrorList
	for _, name := range sorted(list) {
		errs = append(errs, validQuantity(at.Key(string(name)), list[name])...)
	}
	return errs
}

func validQuantity(at *field.Path, value resource.Quantity) field.ErrorList {
	if value.Value() >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(at, value.Value(), "must be a valid resource quantity")}
}
