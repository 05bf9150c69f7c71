package validation

import (
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Volume checks a new PersistentVolume.
func Volume(volume *corev1.PersistentVolume) field.ErrorList {
	return append(volumeSpec(specPath, &volume.Spec), mountOptions(volume)...)
}

func volumeSpec(at *field.Path, spec *corev1.PersistentVolumeSpec) field.ErrorList {
	var errs field.ErrorList
	if len(spec.AccessModes) == 0 {
		errs = append(errs, field.Required(at.Child("accessModes"), ""))
	}
	errs = append(errs, accessModes(at.Child("accessModes"), spec.AccessModes)...)
	errs = append(errs, volumeCapacity(at.Child("capacity"), spec.Capacity)...)
	policy := at.Child("persistentVolumeReclaimPolicy")
	if spec.PersistentVolumeReclaimPolicy != "" {
		errs = append(errs, supportedOnly(policy, spec.PersistentVolumeReclaimPolicy,
			corev1.PersistentVolumeReclaimDelete, corev1.PersistentVolumeReclaimRecycle, corev1.PersistentVolumeReclaimRetain)...)
	}
	errs = append(errs, volumeNodeAffinity(at.Child("nodeAffinity"), spec.NodeAffinity)...)
	errs = append(errs, persistentSource(at, spec)...)
	if spec.HostPath != nil && path.Clean(spec.HostPath.Path) == "/" && spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRecycle {
		errs = append(errs, field.Forbidden(policy, "may not be 'recycle' for a hostPath mount of '/'"))
	}
	if class := spec.StorageClassName; class != "" {
		errs = append(errs, invalid(at.Child("storageClassName"), class, objectName(class, false))...)
	}
	errs = append(errs, volumeMode(at.Child("volumeMode"), spec.VolumeMode)...)
	if class := spec.VolumeAttributesClassName; class != nil {
		if *class == "" {
			errs = append(errs, field.Required(at.Child("volumeAttributesClassName"), "an empty string is disallowed"))
		} else {
			errs = append(errs, invalid(at.Child("volumeAttributesClassName"), *class, objectName(*class, false))...)
		}
		if spec.CSI == nil {
			errs = append(errs, field.Required(at.Child("csi"), "has to be specified when using volumeAttributesClassName"))
		}
	}
	return errs
}

func volumeCapacity(at *field.Path, capacity corev1.ResourceList) field.ErrorList {
	var errs field.ErrorList
	if len(capacity) == 0 {
		errs = append(errs, field.Required(at, ""))
	}
	if _, stated := capacity[corev1.ResourceStorage]; !stated || len(capacity) > 1 {
		errs = append(errs, field.NotSupported(at, capacity, []corev1.ResourceName{corev1.ResourceStorage}))
	}
	for _, name := range sorted(capacity) {
		errs = append(errs, validQuantity(at.Key(string(name)), capacity[name])...)
		errs = append(errs, positive(at.Key(string(name)), capacity[name])...)
	}
	return errs
}

func volumeNodeAffinity(at *field.Path, affinity *corev1.VolumeNodeAffinity) field.ErrorList {
	switch {
	case affinity == nil:
		return nil
	case affinity.Required == nil:
		return field.ErrorList{field.Required(at.Child("required"), "must specify required node constraints")}
	}
	return nodeSelector(at.Child("required"), affinity.Required)
}

// mountOptions refuses the annotation where the volume's type does not know
// what to do with it (k8s.io/kubernetes/pkg/volume/validation upstream).
func mountOptions(volume *corev1.PersistentVolume) field.ErrorList {
	spec := &volume.Spec
	_, annotated := volume.Annotations[mountOptionsAnnotation]
	if !annotated || spec.GCEPersistentDisk != nil || spec.AWSElasticBlockStore != nil || spec.Glusterfs != nil ||
		spec.NFS != nil || spec.RBD != nil || spec.Quobyte != nil || spec.ISCSI != nil || spec.Cinder != nil ||
		spec.CephFS != nil || spec.AzureFile != nil || spec.VsphereVolume != nil || spec.AzureDisk != nil || spec.PhotonPersistentDisk != nil {
		return nil
	}
	return field.ErrorList{field.Forbidden(annotationsPath.Child(mountOptionsAnnotation), "may not specify mount options for this volume type")}
}

// VolumeUpdate checks a change to a PersistentVolume, whose source is its
// identity.
func VolumeUpdate(volume, old *corev1.PersistentVolume) field.ErrorList {
	errs := Volume(volume)
	source := volume.Spec.PersistentVolumeSource
	if was := old.Spec.CSI; was != nil && was.ControllerExpandSecretRef == nil && source.CSI != nil {
		source.CSI = source.CSI.DeepCopy()
		source.CSI.ControllerExpandSecretRef = nil // may be given later
	}
	if !equality.Semantic.DeepEqual(source, old.Spec.PersistentVolumeSource) {
		errs = append(errs, field.Forbidden(specPath.Child("persistentvolumesource"),
			"spec.persistentvolumesource is immutable after creation\n"+difference(old.Spec.PersistentVolumeSource, source)))
	}
	errs = append(errs, immutable(field.NewPath("volumeMode"), volume.Spec.VolumeMode, old.Spec.VolumeMode)...)
	if old.Spec.NodeAffinity != nil && !equality.Semantic.DeepEqual(volume.Spec.NodeAffinity, old.Spec.NodeAffinity) {
		errs = append(errs, field.Invalid(field.NewPath("nodeAffinity"), internal(volume.Spec.NodeAffinity),
			apivalidation.FieldImmutableErrorMsg+", except for updating from beta label to GA"))
	}
	if old.Spec.VolumeAttributesClassName != nil && volume.Spec.VolumeAttributesClassName == nil {
		errs = append(errs, field.Forbidden(specPath.Child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden"))
	}
	return errs
}
