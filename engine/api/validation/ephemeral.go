package validation

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// PodEphemeralContainersUpdate checks containers for debugging that are added
// to a pod: those that it has stay as they are.
func PodEphemeralContainersUpdate(pod, old *corev1.Pod) field.ErrorList {
	if _, static := old.Annotations[corev1.MirrorPodAnnotationKey]; static {
		return field.ErrorList{field.Forbidden(field.NewPath(""), "static pods do not support ephemeral containers")}
	}
	errs := podMetadataAndSpec(pod)
	errs = append(errs, mirrorAnnotation(pod, old)...)
	at := specPath.Child("ephemeralContainers")
	for i := range old.Spec.EphemeralContainers {
		was := &old.Spec.EphemeralContainers[i]
		var is *corev1.EphemeralContainer // a patch may have put it elsewhere
		for j := range pod.Spec.EphemeralContainers {
			if pod.Spec.EphemeralContainers[j].Name == was.Name {
				is = &pod.Spec.EphemeralContainers[j]
			}
		}
		switch {
		case is == nil:
			errs = append(errs, field.Forbidden(at, fmt.Sprintf("existing ephemeral containers %q may not be removed\n", was.Name)))
		case !equality.Semantic.DeepEqual(was, is):
			errs = append(errs, field.Forbidden(at, fmt.Sprintf("existing ephemeral containers %q may not be changed\n%s", was.Name, difference(was, is))))
		}
	}
	return errs
}

// ephemeralContainers are for debugging: they have neither ports nor probes
// nor resources of their own.
func ephemeralContainers(parent *field.Path, pod podContext) field.ErrorList {
	var errs field.ErrorList
	const message = "cannot be set for an Ephemeral Container"
	list := pod.spec.EphemeralContainers
	for i := range list {
		c := (*corev1.Container)(&list[i].EphemeralContainerCommon)
		at := parent.Child("ephemeralContainers").Index(i)
		errs = append(errs, container(at, c, pod)...)
		errs = append(errs, imageWhitespace(at, c)...)
		taken := hasName(pod.spec.Containers, c.Name) || hasName(pod.spec.InitContainers, c.Name)
		for j := range i {
			taken = taken || list[j].Name == c.Name
		}
		if taken {
			errs = append(errs, field.Duplicate(at.Child("name"), c.Name))
		}
		target := list[i].TargetContainerName
		if target != "" && !hasName(pod.spec.Containers, target) && !hasName(pod.spec.InitContainers, target) {
			errs = append(errs, field.NotFound(at.Child("targetContainerName"), target))
		}
		forbid := func(set bool, name string) {
			if set {
				errs = append(errs, field.Forbidden(at.Child(name), message))
			}
		}
		forbid(c.Ports != nil, "ports")
		forbid(c.Resources.Limits != nil || c.Resources.Requests != nil || c.Resources.Claims != nil, "resources")
		forbid(c.ResizePolicy != nil, "resizePolicy")
		forbid(c.RestartPolicy != nil, "restartPolicy")
		forbid(c.RestartPolicyRules != nil, "restartPolicyRules")
		forbid(c.LivenessProbe != nil, "livenessProbe")
		forbid(c.ReadinessProbe != nil, "readinessProbe")
		forbid(c.StartupProbe != nil, "startupProbe")
		forbid(c.Lifecycle != nil, "lifecycle")
		for j, mount := range c.VolumeMounts {
			if mount.SubPath != "" {
				errs = append(errs, field.Forbidden(at.Child("volumeMounts").Index(j).Child("subPath"), message))
			}
			if mount.SubPathExpr != "" {
				errs = append(errs, field.Forbidden(at.Child("volumeMounts").Index(j).Child("subPathExpr"), message))
			}
		}
	}
	return errs
}
