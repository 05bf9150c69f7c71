package defaulting

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// PodLevelResources completes resources that a pod states for itself as a
// whole from those of its containers: missing requests are the containers' sum
// or else the pod's limit; missing limits are the containers' sum where all of
// them have one. Pods that state none for themselves are left as they are.
func PodLevelResources(pod *corev1.Pod) {
	own := pod.Spec.Resources
	if own == nil || len(own.Requests) == 0 && len(own.Limits) == 0 {
		return
	}
	completed := own.DeepCopy()
	pod.Spec.Resources = completed
	hugePageLimits(pod, completed)
	podRequests(pod, completed)
	podLimits(pod, completed)
}

func hugePageLimits(pod *corev1.Pod, own *corev1.ResourceRequirements) {
	for name, limit := range resource.AggregateContainerLimits(pod, resource.PodResourcesOptions{}) {
		if _, requested := own.Requests[name]; requested || !isHugePages(name) {
			continue
		}
		if _, stated := own.Limits[name]; !stated {
			set(&own.Limits, corev1.ResourceList{name: limit})
		}
	}
}

func podRequests(pod *corev1.Pod, own *corev1.ResourceRequirements) {
	complete := corev1.ResourceList{}
	for name, limit := range own.Limits {
		if resource.IsSupportedPodLevelResource(name) {
			complete[name] = limit.DeepCopy()
		}
	}
	for name, request := range resource.AggregateContainerRequests(pod, resource.PodResourcesOptions{}) {
		if resource.IsSupportedPodLevelResource(name) && !isHugePages(name) {
			complete[name] = request
		}
	}
	maps.Copy(complete, own.Requests)
	set(&own.Requests, complete)
}

func podLimits(pod *corev1.Pod, own *corev1.ResourceRequirements) {
	limits := resource.AggregateContainerLimits(pod, resource.PodResourcesOptions{})
	for name, request := range own.Requests {
		if _, stated := own.Limits[name]; stated || !resource.IsSupportedPodLevelResource(name) || !allLimit(&pod.Spec, name) {
			continue
		}
		limit := limits[name]
		if request.Cmp(limit) > 0 {
			limit = request
		}
		set(&own.Limits, corev1.ResourceList{name: limit})
	}
}

func allLimit(spec *corev1.PodSpec, name corev1.ResourceName) bool {
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			if _, stated := containers[i].Resources.Limits[name]; !stated {
				return false
			}
		}
	}
	return true
}

func isHugePages(name corev1.ResourceName) bool {
	return strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}

func set(list *corev1.ResourceList, values corev1.ResourceList) {
	if len(values) == 0 {
		return
	}
	if *list == nil {
		*list = make(corev1.ResourceList, len(values))
	}
	maps.Copy(*list, values)
}
