package quota

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	podresource "k8s.io/component-helpers/resource"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/store"
)

var pods = evaluator{counts: countsPods, usage: podUsage, scoped: podInScope, lacks: podLacks}

var podNames = []corev1.ResourceName{
	"count/pods", corev1.ResourcePods,
	corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage,
	corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceRequestsEphemeralStorage,
	corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory, corev1.ResourceLimitsEphemeralStorage,
}

// needed are the names that, where a quota has them, every container has to
// state. Upstream calls that a mistake which it can't take back.
var needed = []corev1.ResourceName{
	corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory,
	corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory,
}

func countsPods(name corev1.ResourceName) bool {
	return slices.Contains(podNames, name) || strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix) ||
		strings.HasPrefix(string(name), corev1.ResourceRequestsHugePagesPrefix) || isRequestOfExtended(name)
}

func isRequestOfExtended(name corev1.ResourceName) bool {
	rest, request := strings.CutPrefix(string(name), corev1.DefaultResourceRequestsPrefix)
	return request && isExtended(corev1.ResourceName(rest))
}

// deviceClassPrefix is resource.k8s.io/v1's ResourceDeviceClassPrefix, without
// the size of that group.
const deviceClassPrefix = "deviceclass.resource.kubernetes.io/"

func isExtended(name corev1.ResourceName) bool {
	return strings.HasPrefix(string(name), deviceClassPrefix) ||
		strings.Contains(string(name), "/") && !strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix) &&
			!strings.HasPrefix(string(name), corev1.DefaultResourceRequestsPrefix)
}

// podUsage is, for a pod that has ended, nothing but that it exists.
func podUsage(obj store.Object, now time.Time) corev1.ResourceList {
	pod := obj.(*corev1.Pod)
	used := corev1.ResourceList{}
	if !hasEnded(pod, now) {
		options := podresource.PodResourcesOptions{UseStatusResources: true}
		used = compute(podresource.PodRequests(pod, options), podresource.PodLimits(pod, options))
	}
	used["count/pods"] = *one()
	return used
}

// hasEnded includes pods that should have ended, if their node were there.
func hasEnded(pod *corev1.Pod, now time.Time) bool {
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return true
	}
	if pod.DeletionTimestamp == nil || pod.DeletionGracePeriodSeconds == nil {
		return false
	}
	return now.After(pod.DeletionTimestamp.Add(time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second))
}

// compute is what requests and limits use.
func compute(requests, limits corev1.ResourceList) corev1.ResourceList {
	used := corev1.ResourceList{corev1.ResourcePods: *one()}
	for name, amount := range requests {
		switch {
		case name == corev1.ResourceCPU, name == corev1.ResourceMemory, name == corev1.ResourceEphemeralStorage,
			strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix):
			used[name] = amount
			used[corev1.DefaultResourceRequestsPrefix+name] = amount
		case isExtended(name):
			used[corev1.DefaultResourceRequestsPrefix+name] = amount
		}
	}
	for _, name := range [...]corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if amount, limited := limits[name]; limited {
			used["limits."+name] = amount
		}
	}
	return used
}

func podLacks(names []corev1.ResourceName, obj store.Object) error {
	pod := obj.(*corev1.Pod)
	if podresource.IsPodLevelResourcesSet(pod) {
		return nil
	}
	missing := map[corev1.ResourceName][]string{}
	for _, containers := range [...][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range containers {
			stated := compute(containers[i].Resources.Requests, containers[i].Resources.Limits)
			for _, name := range names {
				if _, ok := stated[name]; !ok && slices.Contains(needed, name) {
					missing[name] = append(missing[name], containers[i].Name)
				}
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		slices.Sort(missing[name])
		texts = append(texts, string(name)+" for: "+strings.Join(missing[name], ","))
	}
	return errors.New("must specify " + strings.Join(texts, "; "))
}

func isTerminating(pod *corev1.Pod) bool {
	return pod.Spec.ActiveDeadlineSeconds != nil && *pod.Spec.ActiveDeadlineSeconds >= 0
}

func isBestEffort(pod *corev1.Pod) bool {
	if pod.Status.QOSClass != "" {
		return pod.Status.QOSClass == corev1.PodQOSBestEffort
	}
	return defaulting.QOSClass(&pod.Spec) == corev1.PodQOSBestEffort
}

func podInScope(requirement *corev1.ScopedResourceSelectorRequirement, obj store.Object) bool {
	pod := obj.(*corev1.Pod)
	switch requirement.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return isTerminating(pod)
	case corev1.ResourceQuotaScopeNotTerminating:
		return !isTerminating(pod)
	case corev1.ResourceQuotaScopeBestEffort:
		return isBestEffort(pod)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !isBestEffort(pod)
	case corev1.ResourceQuotaScopePriorityClass:
		if pod.Spec.PriorityClassName == "" {
			return holds(requirement)
		}
		return holds(requirement, pod.Spec.PriorityClassName)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return looksIntoOtherNamespaces(pod.Spec.Affinity)
	}
	return false
}

func looksIntoOtherNamespaces(affinity *corev1.Affinity) bool {
	if affinity == nil {
		return false
	}
	var required []corev1.PodAffinityTerm
	var preferred []corev1.WeightedPodAffinityTerm
	if a := affinity.PodAffinity; a != nil {
		required = append(required, a.RequiredDuringSchedulingIgnoredDuringExecution...)
		preferred = append(preferred, a.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	if a := affinity.PodAntiAffinity; a != nil {
		required = append(required, a.RequiredDuringSchedulingIgnoredDuringExecution...)
		preferred = append(preferred, a.PreferredDuringSchedulingIgnoredDuringExecution...)
	}
	for i := range preferred {
		required = append(required, preferred[i].PodAffinityTerm)
	}
	return slices.ContainsFunc(required, func(term corev1.PodAffinityTerm) bool {
		return len(term.Namespaces) > 0 || term.NamespaceSelector != nil
	})
}
