package validation

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func keysToPaths(at *field.Path, items []corev1.KeyToPath) field.ErrorList {
	var errs field.ErrorList
	for i := range items {
		errs = append(errs, keyToPath(at.Child("items").Index(i), &items[i])...)
	}
	return errs
}

func keyToPath(at *field.Path, item *corev1.KeyToPath) field.ErrorList {
	errs := append(required(at, "key", item.Key), required(at, "path", item.Path)...)
	errs = append(errs, localPath(at.Child("path"), item.Path)...)
	return append(errs, mode(at, "mode", item.Mode)...)
}

// noBacksteps refuses ".." in a path.
func noBacksteps(at *field.Path, target string) field.ErrorList {
	for part := range strings.SplitSeq(target, "/") {
		if part == ".." {
			return field.ErrorList{field.Invalid(at, target, "must not contain '..'")}
		}
	}
	return nil
}

// descendingPath refuses absolute paths too.
func descendingPath(at *field.Path, target string) field.ErrorList {
	var errs field.ErrorList
	if path.IsAbs(target) {
		errs = append(errs, field.Invalid(at, target, "must be a relative path"))
	}
	return append(errs, noBacksteps(at, target)...)
}

// localPath refuses names that begin with ".." too.
func localPath(at *field.Path, target string) field.ErrorList {
	errs := descendingPath(at, target)
	if strings.HasPrefix(target, "..") && !strings.HasPrefix(target, "../") {
		errs = append(errs, field.Invalid(at, target, "must not start with '..'"))
	}
	return errs
}

func downwardAPIFile(at *field.Path, file *corev1.DownwardAPIVolumeFile) field.ErrorList {
	errs := required(at, "path", file.Path)
	errs = append(errs, localPath(at.Child("path"), file.Path)...)
	switch {
	case file.FieldRef != nil:
		errs = append(errs, fieldSelector(at.Child("fieldRef"), file.FieldRef, volumeFields)...)
		if file.ResourceFieldRef != nil {
			errs = append(errs, field.Invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
		}
	case file.ResourceFieldRef != nil:
		errs = append(errs, resourceFieldSelector(at.Child("resourceFieldRef"), file.ResourceFieldRef, true)...)
	default:
		errs = append(errs, field.Required(at, "one of fieldRef and resourceFieldRef is required"))
	}
	return append(errs, mode(at, "mode", file.Mode)...)
}
