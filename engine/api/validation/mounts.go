package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func volumeMounts(parent *field.Path, c *corev1.Container, known volumeSet) field.ErrorList {
	var errs field.ErrorList
	for i := range c.VolumeMounts {
		mount := &c.VolumeMounts[i]
		list := parent.Child("volumeMounts")
		at := list.Index(i)
		errs = append(errs, required(at, "name", mount.Name)...)
		if known.find(mount.Name) == nil {
			errs = append(errs, field.NotFound(at.Child("name"), mount.Name))
		}
		errs = append(errs, required(at, "mountPath", mount.MountPath)...)
		for j := range i {
			if c.VolumeMounts[j].MountPath == mount.MountPath {
				errs = append(errs, field.Invalid(at.Child("mountPath"), mount.MountPath, "must be unique"))
				break
			}
		}
		for j := range c.VolumeDevices {
			if c.VolumeDevices[j].Name == mount.Name {
				errs = append(errs, field.Invalid(at.Child("name"), mount.Name, "must not already exist in volumeDevices"))
			}
			if c.VolumeDevices[j].DevicePath == mount.MountPath {
				errs = append(errs, field.Invalid(at.Child("mountPath"), mount.MountPath, "must not already exist as a path in volumeDevices"))
			}
		}
		if mount.SubPath != "" {
			errs = append(errs, descendingPath(list.Child("subPath"), mount.SubPath)...)
		}
		if mount.SubPathExpr != "" {
			if mount.SubPath != "" {
				errs = append(errs, field.Invalid(at.Child("subPathExpr"), mount.SubPathExpr, "subPathExpr and subPath are mutually exclusive"))
			}
			errs = append(errs, descendingPath(list.Child("subPathExpr"), mount.SubPathExpr)...)
		}
		errs = append(errs, propagation(list, c, mount)...)
	}
	return errs
}

func propagation(list *field.Path, c *corev1.Container, mount *corev1.VolumeMount) field.ErrorList {
	var errs field.ErrorList
	if mode := mount.MountPropagation; mode != nil {
		at := list.Child("mountPropagation")
		errs = append(errs, supportedOnly(at, *mode,
			corev1.MountPropagationBidirectional, corev1.MountPropagationHostToContainer, corev1.MountPropagationNone)...)
		if *mode == corev1.MountPropagationBidirectional && !privileged(c) {
			errs = append(errs, field.Forbidden(at, "Bidirectional mount propagation is available only to privileged containers"))
		}
	}
	if mode := mount.RecursiveReadOnly; mode != nil {
		at := list.Child("recursiveReadOnly")
		switch *mode {
		case corev1.RecursiveReadOnlyDisabled:
		case corev1.RecursiveReadOnlyEnabled, corev1.RecursiveReadOnlyIfPossible:
			if !mount.ReadOnly {
				errs = append(errs, field.Forbidden(at, "may only be specified when readOnly is true"))
			}
			if mount.MountPropagation != nil && *mount.MountPropagation != corev1.MountPropagationNone {
				errs = append(errs, field.Forbidden(at, "may only be specified when mountPropagation is None or not specified"))
			}
		default:
			errs = append(errs, supportedOnly(at, *mode,
				corev1.RecursiveReadOnlyDisabled, corev1.RecursiveReadOnlyEnabled, corev1.RecursiveReadOnlyIfPossible)...)
		}
	}
	return errs
}

func privileged(c *corev1.Container) bool {
	return c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged
}

func volumeDevices(parent *field.Path, c *corev1.Container, known volumeSet) field.ErrorList {
	var errs field.ErrorList
	for i := range c.VolumeDevices {
		device := &c.VolumeDevices[i]
		at := parent.Child("volumeDevices").Index(i)
		errs = append(errs, required(at, "name", device.Name)...)
		sameName, samePath := false, false
		for j := range i {
			sameName = sameName || c.VolumeDevices[j].Name == device.Name
			samePath = samePath || c.VolumeDevices[j].DevicePath == device.DevicePath
		}
		if sameName {
			errs = append(errs, field.Invalid(at.Child("name"), device.Name, "must be unique"))
		}
		switch volume := known.find(device.Name); {
		case volume == nil:
			errs = append(errs, field.NotFound(at.Child("name"), device.Name))
		case volume.PersistentVolumeClaim == nil && volume.Ephemeral == nil:
			errs = append(errs, field.Invalid(at.Child("name"), device.Name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"))
		}
		errs = append(errs, required(at, "devicePath", device.DevicePath)...)
		if samePath {
			errs = append(errs, field.Invalid(at.Child("devicePath"), device.DevicePath, "must be unique"))
		}
		if len(noBacksteps(at, device.DevicePath)) > 0 {
			errs = append(errs, field.Invalid(at.Child("devicePath"), device.DevicePath, "can not contain backsteps ('..')"))
		}
		for j := range c.VolumeMounts {
			if c.VolumeMounts[j].Name == device.Name {
				errs = append(errs, field.Invalid(at.Child("name"), device.Name, "must not already exist in volumeMounts"))
			}
			if c.VolumeMounts[j].MountPath == device.DevicePath {
				errs = append(errs, field.Invalid(at.Child("devicePath"), device.DevicePath, "must not already exist as a path in volumeMounts"))
			}
		}
	}
	return errs
}
