package kinds

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func pod() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("Pod"),
		Plural:                   "pods",
		Singular:                 "pod",
		ShortNames:               []string{"po"},
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.Pod{} },
		NewList:                  func() runtime.Object { return &corev1.PodList{} },
		Default:                  on(defaultPod),
		PrepareForCreate:         on(preparePod),
		PrepareForUpdate:         onUpdate(preparePodUpdate),
		PrepareForStatusUpdate:   onUpdate(preparePodStatusUpdate),
		Resets:                   map[string][][]string{"status": {{"spec"}, {"metadata", "deletionTimestamp"}, {"metadata", "ownerReferences"}}},
		Validate:                 validate(validation.Pod),
		ValidateUpdate:           validateUpdate(validation.PodUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.PodStatusUpdate),
		Parts:                    []kind.Part{podEphemeralContainers()},
		Warnings:                 warnings(podWarnings),
		AllowUnconditionalUpdate: true,
		GracePeriodSeconds:       podGracePeriod,
		Fields:                   selectable(podFields),
		Columns:                  podColumns(),
		Row:                      row(podRow),
	}
}

func defaultPod(p *corev1.Pod) {
	spec := &p.Spec
	if spec.TerminationGracePeriodSeconds != nil && *spec.TerminationGracePeriodSeconds < 0 {
		spec.TerminationGracePeriodSeconds = new(int64(1))
	}
	defaulting.ContainerRequests(spec)
	if spec.EnableServiceLinks == nil {
		spec.EnableServiceLinks = new(corev1.DefaultEnableServiceLinks)
	}
	defaulting.HostNetworkPorts(spec)
	defaulting.PodSpec(spec)
	defaulting.PodStatus(&p.Status)
}

func preparePod(p *corev1.Pod) {
	p.Generation = 1
	p.Status = corev1.PodStatus{Phase: corev1.PodPending}
	if len(p.Spec.SchedulingGates) > 0 {
		p.Status.Conditions = []corev1.PodCondition{{
			Type:    corev1.PodScheduled,
			Status:  corev1.ConditionFalse,
			Reason:  corev1.PodReasonSchedulingGated,
			Message: "Scheduling is blocked due to non-empty scheduling gates",
		}}
	}
	defaulting.DropGated(&p.Spec)
	mergeLabelKeys(p)
	defaulting.PodLevelResources(p)
	p.Status.QOSClass = defaulting.QOSClass(&p.Spec)
}

func preparePodUpdate(p, old *corev1.Pod) {
	p.Status = old.Status
	defaulting.DropGated(&p.Spec)
	if p.Spec.Resources == nil && old.Spec.Resources != nil {
		p.Spec.Resources = old.Spec.Resources
	}
	raiseGeneration(p, old)
}

func raiseGeneration(p, old *corev1.Pod) {
	if !equality.Semantic.DeepEqual(&p.Spec, &old.Spec) {
		p.Generation = old.Generation + 1
	}
}

// preparePodStatusUpdate keeps, besides the spec, what a kubelet may leave out
// of the status but not clear.
func preparePodStatusUpdate(p, old *corev1.Pod) {
	p.Spec = old.Spec
	p.DeletionTimestamp = old.DeletionTimestamp
	p.OwnerReferences = old.OwnerReferences
	status, was := &p.Status, &old.Status
	if status.QOSClass == "" {
		status.QOSClass = was.QOSClass
	}
	if status.ResourceClaimStatuses == nil {
		status.ResourceClaimStatuses = was.ResourceClaimStatuses
	}
	if status.ExtendedResourceClaimStatus == nil {
		status.ExtendedResourceClaimStatus = was.ExtendedResourceClaimStatus
	}
	if status.ObservedGeneration == 0 {
		status.ObservedGeneration = was.ObservedGeneration
	}
	keepObservedGenerations(status.Conditions, was.Conditions)
}

// keepObservedGenerations carries observedGeneration over to conditions that
// state none. Conditions of a type that occurs several times match in order.
func keepObservedGenerations(conditions, old []corev1.PodCondition) {
	for i := range conditions {
		if conditions[i].ObservedGeneration != 0 {
			continue
		}
		earlier := 0
		for j := range i {
			if conditions[j].Type == conditions[i].Type {
				earlier++
			}
		}
		for j := range old {
			if old[j].Type != conditions[i].Type {
				continue
			}
			if earlier == 0 {
				// Old's conditions may be the very same slice.
				if old[j].ObservedGeneration != 0 {
					conditions[i].ObservedGeneration = old[j].ObservedGeneration
				}
				break
			}
			earlier--
		}
	}
}

// podWarnings are for new pods only: updates come mostly from components.
func podWarnings(p, old *corev1.Pod) []string {
	if old != nil {
		return nil
	}
	return validation.PodWarnings(p)
}

// podGracePeriod lets a pod that runs on a node end by itself; others go at
// once.
func podGracePeriod(obj store.Object, requested *int64) int64 {
	p := obj.(*corev1.Pod)
	period := int64(0)
	if requested != nil {
		period = *requested
	} else if p.Spec.TerminationGracePeriodSeconds != nil {
		period = *p.Spec.TerminationGracePeriodSeconds
	}
	if p.Spec.NodeName == "" || p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded {
		return 0
	}
	if period < 0 {
		return 1
	}
	return period
}

func podFields(p *corev1.Pod) fields.Set {
	ip := ""
	if len(p.Status.PodIPs) > 0 {
		ip = p.Status.PodIPs[0].IP
	}
	return fields.Set{
		"spec.nodeName":            p.Spec.NodeName,
		"spec.restartPolicy":       string(p.Spec.RestartPolicy),
		"spec.schedulerName":       p.Spec.SchedulerName,
		"spec.serviceAccountName":  p.Spec.ServiceAccountName,
		"spec.hostNetwork":         strconv.FormatBool(p.Spec.HostNetwork),
		"status.phase":             string(p.Status.Phase),
		"status.podIP":             ip,
		"status.nominatedNodeName": p.Status.NominatedNodeName,
	}
}

// mergeLabelKeys completes affinity terms and spread constraints with the
// pod's own values of the labels that their (mis)matchLabelKeys name. What it
// changes it copies first, as it may be shared with a template.
func mergeLabelKeys(p *corev1.Pod) {
	if !hasLabelKeys(&p.Spec) {
		return
	}
	p.Spec.Affinity = p.Spec.Affinity.DeepCopy()
	if affinity := p.Spec.Affinity; affinity != nil {
		if a := affinity.PodAffinity; a != nil {
			mergeTermKeys(p, a.PreferredDuringSchedulingIgnoredDuringExecution, a.RequiredDuringSchedulingIgnoredDuringExecution)
		}
		if a := affinity.PodAntiAffinity; a != nil {
			mergeTermKeys(p, a.PreferredDuringSchedulingIgnoredDuringExecution, a.RequiredDuringSchedulingIgnoredDuringExecution)
		}
	}
	p.Spec.TopologySpreadConstraints = slices.Clone(p.Spec.TopologySpreadConstraints)
	for i := range p.Spec.TopologySpreadConstraints {
		constraint := &p.Spec.TopologySpreadConstraints[i]
		constraint.LabelSelector = constraint.LabelSelector.DeepCopy()
		requireLabels(constraint.LabelSelector, constraint.MatchLabelKeys, metav1.LabelSelectorOpIn, p.Labels)
	}
}

func hasLabelKeys(spec *corev1.PodSpec) bool {
	for i := range spec.TopologySpreadConstraints {
		if len(spec.TopologySpreadConstraints[i].MatchLabelKeys) > 0 {
			return true
		}
	}
	return spec.Affinity != nil && (spec.Affinity.PodAffinity != nil || spec.Affinity.PodAntiAffinity != nil)
}

func mergeTermKeys(p *corev1.Pod, preferred []corev1.WeightedPodAffinityTerm, required []corev1.PodAffinityTerm) {
	merge := func(term *corev1.PodAffinityTerm) {
		requireLabels(term.LabelSelector, term.MatchLabelKeys, metav1.LabelSelectorOpIn, p.Labels)
		requireLabels(term.LabelSelector, term.MismatchLabelKeys, metav1.LabelSelectorOpNotIn, p.Labels)
	}
	for i := range preferred {
		merge(&preferred[i].PodAffinityTerm)
	}
	for i := range required {
		merge(&required[i])
	}
}

// requireLabels leaves a missing selector, which selects nothing, as it is.
func requireLabels(selector *metav1.LabelSelector, keys []string, operator metav1.LabelSelectorOperator, labels map[string]string) {
	if selector == nil {
		return
	}
	for _, key := range keys {
		if value, has := labels[key]; has {
			selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{
				Key: key, Operator: operator, Values: []string{value},
			})
		}
	}
}
