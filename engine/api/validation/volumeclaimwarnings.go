package validation

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const deprecatedClassAnnotation = `deprecated since v1.8; use "storageClassName" attribute instead`

// VolumeClaimWarnings tells what of a claim is deprecated or rounded.
func VolumeClaimWarnings(claim *corev1.PersistentVolumeClaim) []string {
	var list warningList
	if _, ok := claim.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		list.add(annotationsPath.Key(corev1.BetaStorageClassAnnotation), deprecatedClassAnnotation)
	}
	fractionalStorage(specPath.Child("resources"), &claim.Spec.Resources, list.add)
	return list
}

// warningList collects warnings about fields.
type warningList []string

func (l *warningList) add(at *field.Path, format string, args ...any) {
	*l = append(*l, at.String()+": "+fmt.Sprintf(format, args...))
}

func fractionalStorage(at *field.Path, sizes *corev1.VolumeResourceRequirements, warn warnFunc) {
	check := func(child string, list corev1.ResourceList) {
		if size := list[corev1.ResourceStorage]; size.MilliValue()%1000 != 0 {
			warn(at.Child(child).Key(string(corev1.ResourceStorage)), "fractional byte value %q is invalid, must be an integer", size.String())
		}
	}
	check("requests", sizes.Requests)
	check("limits", sizes.Limits)
}

const mountOptionsAnnotation = "volume.beta.kubernetes.io/mount-options"

// VolumeWarnings tells what of a PersistentVolume is deprecated.
func VolumeWarnings(volume *corev1.PersistentVolume) []string {
	var list warningList
	spec := &volume.Spec
	if _, ok := volume.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		list.add(annotationsPath.Key(corev1.BetaStorageClassAnnotation), deprecatedClassAnnotation)
	}
	if _, ok := volume.Annotations[mountOptionsAnnotation]; ok {
		list.add(annotationsPath.Key(mountOptionsAnnotation), `deprecated since v1.31; use "mountOptions" attribute instead`)
	}
	if spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRecycle {
		list.add(specPath.Child("persistentVolumeReclaimPolicy"), "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.")
	}
	if spec.NodeAffinity != nil && spec.NodeAffinity.Required != nil {
		at := specPath.Child("nodeAffinity", "required", "nodeSelectorTerms")
		for i := range spec.NodeAffinity.Required.NodeSelectorTerms {
			termWarnings(at.Index(i), &spec.NodeAffinity.Required.NodeSelectorTerms[i], false, list.add)
		}
	}
	for _, removed := range [...]struct {
		present      bool
		name, detail string
	}{
		{spec.CephFS != nil, "cephfs", "deprecated in v1.28, non-functional in v1.31+"},
		{spec.PhotonPersistentDisk != nil, "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
		{spec.ScaleIO != nil, "scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
		{spec.StorageOS != nil, "storageOS", "deprecated in v1.22, non-functional in v1.25+"},
		{spec.Glusterfs != nil, "glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
		{spec.RBD != nil, "rbd", "deprecated in v1.28, non-functional in v1.31+"},
	} {
		if removed.present {
			list.add(specPath.Child(removed.name), "%s", removed.detail)
		}
	}
	return list
}
