package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	fileMode = "must be a number between 0 and 0777 (octal), both inclusive"
)

// volumeSet finds the valid volumes of a pod by name; pods have few.
type volumeSet []*corev1.Volume

func (s volumeSet) find(name string) *corev1.Volume {
	for _, volume := range s {
		if volume.Name == name {
			return volume
		}
	}
	return nil
}

// volumes returns the valid ones. podName is empty for templates.
func volumes(parent *field.Path, list []corev1.Volume, podName string) (volumeSet, field.ErrorList) {
	if len(list) == 0 {
		return nil, nil
	}
	var errs field.ErrorList
	valid := make(volumeSet, 0, len(list))
	at := parent.Child("volumes")
	for i := range list {
		volume := &list[i]
		own := volumeSource(at.Index(i), volume, podName)
		if volume.Name == "" {
			own = append(own, field.Required(at.Index(i).Child("name"), ""))
		} else if messages := dnsLabel(volume.Name); messages != nil {
			own = append(own, invalid(at.Index(i).Child("name"), volume.Name, messages)...)
		}
		if valid.find(volume.Name) != nil {
			own = append(own, field.Duplicate(at.Index(i).Child("name"), volume.Name))
		}
		if len(own) == 0 {
			valid = append(valid, volume)
		}
		errs = append(errs, own...)
		if claim := volume.PersistentVolumeClaim; claim != nil && podName != "" && createsClaim(list, podName, claim.ClaimName) {
			errs = append(errs, field.Invalid(at.Index(i).Child("persistentVolumeClaim", "claimName"), claim.ClaimName,
				"must not reference a PVC that gets created for an ephemeral volume"))
		}
	}
	return valid, errs
}

func createsClaim(list []corev1.Volume, podName, claim string) bool {
	for i := range list {
		if list[i].Ephemeral != nil && podName+"-"+list[i].Name == claim {
			return true
		}
	}
	return false
}

// volumeSource checks that a volume has exactly one source and that it is
// valid.
func volumeSource(at *field.Path, volume *corev1.Volume, podName string) field.ErrorList {
	var errs field.ErrorList
	source := &volume.VolumeSource
	count := 0
	for i := range volumeSources {
		kind := &volumeSources[i]
		switch {
		case !kind.present(source):
		case count > 0:
			errs = append(errs, field.Forbidden(at.Child(kind.name), "may not specify more than 1 volume type"))
		default:
			count++
			if kind.check != nil {
				errs = append(errs, kind.check(at.Child(kind.name), source)...)
			}
			if source.Ephemeral != nil && podName != "" && volume.Name != "" {
				errs = append(errs, ephemeralClaimName(at, podName, volume.Name)...)
			}
		}
	}
	if count == 0 {
		errs = append(errs, field.Required(at, "must specify a volume type"))
	}
	return errs
}

func required(at *field.Path, child, value string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(at.Child(child), "")}
	}
	return nil
}

func mode(at *field.Path, child string, mode *int32) field.ErrorList {
	if mode != nil && (*mode < 0 || *mode > 0o777) {
		return field.ErrorList{field.Invalid(at.Child(child), *mode, fileMode)}
	}
	return nil
}
