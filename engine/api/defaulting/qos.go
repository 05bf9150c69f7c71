package defaulting

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// QOSClass works out a pod's quality of service: Guaranteed if every container
// has CPU and memory limits equal to its requests, BestEffort if none has any,
// Burstable otherwise. Resources of the pod as a whole take precedence.
func QOSClass(spec *corev1.PodSpec) corev1.PodQOSClass {
	if statesPodLevelResources(spec) {
		return containerQOS(spec.Resources)
	}
	class := corev1.PodQOSClass("")
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			class = combine(class, containerQOS(&containers[i].Resources))
			if class == corev1.PodQOSBurstable {
				return class
			}
		}
	}
	if class == "" {
		return corev1.PodQOSBestEffort
	}
	return class
}

func statesPodLevelResources(spec *corev1.PodSpec) bool {
	if spec.Resources == nil {
		return false
	}
	for _, list := range []corev1.ResourceList{spec.Resources.Requests, spec.Resources.Limits} {
		for name := range list {
			if resource.IsSupportedPodLevelResource(name) {
				return true
			}
		}
	}
	return false
}

func combine(a, b corev1.PodQOSClass) corev1.PodQOSClass {
	if a == "" || a == b {
		return b
	}
	return corev1.PodQOSBurstable
}

func containerQOS(resources *corev1.ResourceRequirements) corev1.PodQOSClass {
	if len(resources.Requests) == 0 && len(resources.Limits) == 0 {
		return corev1.PodQOSBestEffort
	}
	return combine(resourceQOS(resources, corev1.ResourceCPU), resourceQOS(resources, corev1.ResourceMemory))
}

func resourceQOS(resources *corev1.ResourceRequirements, name corev1.ResourceName) corev1.PodQOSClass {
	request, limit := resources.Requests[name], resources.Limits[name]
	switch {
	case !request.Equal(limit):
		return corev1.PodQOSBurstable
	case request.IsZero():
		return corev1.PodQOSBestEffort
	}
	return corev1.PodQOSGuaranteed
}
