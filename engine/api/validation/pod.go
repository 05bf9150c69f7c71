package validation

import (
	"math"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var (
	metadataPath    = field.NewPath("metadata")
	annotationsPath = metadataPath.Child("annotations")
	specPath        = field.NewPath("spec")
	statusPath      = field.NewPath("status")
)

// Pod checks a new pod.
func Pod(pod *corev1.Pod) field.ErrorList {
	errs := podMetadataAndSpec(pod)
	if len(pod.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(specPath.Child("ephemeralContainers"), "cannot be set on create"))
	}
	if pod.Spec.NodeName != "" && len(pod.Spec.SchedulingGates) > 0 {
		errs = append(errs, field.Forbidden(specPath.Child("nodeName"), "cannot be set until all schedulingGates have been cleared"))
	}
	return errs
}

func podMetadataAndSpec(pod *corev1.Pod) field.ErrorList {
	spec := &pod.Spec
	errs := podAnnotations(annotationsPath, pod.Annotations, spec)
	errs = append(errs, podSpec(specPath, spec, pod.Name, true)...)
	if spec.ServiceAccountName == "" {
		for i := range spec.Volumes {
			projected := spec.Volumes[i].Projected
			if projected == nil {
				continue
			}
			for j := range projected.Sources {
				if projected.Sources[j].ServiceAccountToken != nil {
					at := specPath.Child("volumes").Index(i).Child("projected", "sources").Index(j)
					errs = append(errs, field.Forbidden(at.Child("serviceAccountToken"), "must not be specified when serviceAccountName is not set"))
				}
			}
		}
	}
	if seconds := spec.TerminationGracePeriodSeconds; seconds != nil {
		errs = append(errs, nonNegative(specPath, "terminationGracePeriodSeconds", *seconds)...)
	}
	errs = append(errs, containersOfPod(specPath, "containers", spec.Containers)...)
	return append(errs, containersOfPod(specPath, "initContainers", spec.InitContainers)...)
}

// podAnnotations checks the annotations that mean something for pods.
func podAnnotations(at *field.Path, annotations map[string]string, spec *corev1.PodSpec) field.ErrorList {
	if len(annotations) == 0 {
		return nil
	}
	var errs field.ErrorList
	if mirror, is := annotations[corev1.MirrorPodAnnotationKey]; is && spec.NodeName == "" {
		errs = append(errs, field.Invalid(at.Key(corev1.MirrorPodAnnotationKey), mirror, "must set spec.nodeName if mirror pod annotation is set"))
	}
	if cost, has := annotations[corev1.PodDeletionCost]; has && !isDeletionCost(cost) {
		errs = append(errs, field.Invalid(at.Key(corev1.PodDeletionCost), cost, "must be a 32bit integer"))
	}
	return errs
}

// isDeletionCost accepts plain numbers: neither a plus sign nor leading zeros.
func isDeletionCost(cost string) bool {
	if cost == "" || strings.HasPrefix(cost, "+") || strings.HasPrefix(cost, "0") && cost != "0" {
		return false
	}
	_, err := strconv.ParseInt(cost, 10, 32)
	return err == nil
}

// PodUpdate checks a change to a pod: most of a spec is fixed once the pod
// exists.
func PodUpdate(pod, old *corev1.Pod) field.ErrorList {
	errs := podMetadataAndSpec(pod)
	errs = append(errs, mirrorAnnotation(pod, old)...)
	for _, list := range []struct {
		child        string
		updated, old []corev1.Container
	}{
		{"containers", pod.Spec.Containers, old.Spec.Containers},
		{"initContainers", pod.Spec.InitContainers, old.Spec.InitContainers},
	} {
		at := specPath.Child(list.child)
		if len(list.updated) != len(list.old) {
			return append(errs, field.Forbidden(at, "pod updates may not add or remove containers"))
		}
		for i := range list.updated {
			errs = append(errs, required(at.Index(i), "image", list.updated[i].Image)...)
			errs = append(errs, imageWhitespace(at.Index(i), &list.updated[i])...)
		}
	}
	deadlineErrs, stop := deadlineUpdate(pod.Spec.ActiveDeadlineSeconds, old.Spec.ActiveDeadlineSeconds)
	errs = append(errs, deadlineErrs...)
	if stop {
		return errs
	}
	errs = append(errs, tolerationsUpdate(pod.Spec.Tolerations, old.Spec.Tolerations)...)
	errs = append(errs, schedulingGatesUpdate(pod.Spec.SchedulingGates, old.Spec.SchedulingGates)...)
	return append(errs, podSpecUpdate(&pod.Spec, &old.Spec)...)
}

// mirrorAnnotation keeps the annotation of a static pod's mirror.
func mirrorAnnotation(pod, old *corev1.Pod) field.ErrorList {
	value, has := pod.Annotations[corev1.MirrorPodAnnotationKey]
	was, had := old.Annotations[corev1.MirrorPodAnnotationKey]
	if has == had && value == was {
		return nil
	}
	message := "may not add mirror pod annotation"
	if had {
		message = "may not remove or update mirror pod annotation"
	}
	return field.ErrorList{field.Forbidden(annotationsPath.Key(corev1.MirrorPodAnnotationKey), message)}
}

// deadlineUpdate lets a deadline only shrink; stop says that other checks make
// no sense.
func deadlineUpdate(deadline, old *int64) (errs field.ErrorList, stop bool) {
	at := specPath.Child("activeDeadlineSeconds")
	switch {
	case deadline == nil && old == nil:
		return nil, false
	case deadline == nil:
		return field.ErrorList{field.Invalid(at, deadline, "must not update from a positive integer to nil value")}, false
	case *deadline < 0 || *deadline > math.MaxInt32:
		return field.ErrorList{field.Invalid(at, *deadline, validation.InclusiveRangeError(0, math.MaxInt32))}, true
	case old != nil && *old < *deadline:
		return field.ErrorList{field.Invalid(at, *deadline, "must be less than or equal to previous value")}, true
	}
	return nil, false
}

func tolerationsUpdate(list, old []corev1.Toleration) field.ErrorList {
	for i := range old {
		kept := false
		for j := range list {
			kept = kept || list[j].MatchToleration(&old[i])
		}
		if !kept {
			return field.ErrorList{field.Forbidden(specPath.Child("tolerations"), "existing toleration can not be modified except its tolerationSeconds")}
		}
	}
	return tolerations(specPath, list)
}

func schedulingGatesUpdate(list, old []corev1.PodSchedulingGate) field.ErrorList {
	var errs field.ErrorList
	for i, gate := range list {
		had := false
		for _, earlier := range old {
			had = had || earlier.Name == gate.Name
		}
		if !had {
			errs = append(errs, field.Forbidden(specPath.Child("schedulingGates").Index(i).Child("name"),
				"only deletion is allowed, but found new scheduling gate '"+gate.Name+"'"))
		}
	}
	return errs
}
