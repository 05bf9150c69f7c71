package admission

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	podresource "k8s.io/component-helpers/resource"
)

// limitRangerAnnotation tells what a pod has got from its namespace's limits.
const limitRangerAnnotation = "kubernetes.io/limit-ranger"

// limitRanger gives containers the requests and limits that their namespace's
// LimitRanges have for those that state none, and refuses pods and claims
// outside of their bounds.
func limitRanger(look lookup) Plugin {
	each := func(ctx context.Context, r *Request, apply func(*corev1.LimitRange) error) error {
		if r.Old != nil && r.Old.GetDeletionTimestamp() != nil {
			return nil
		}
		ranges, err := list[*corev1.LimitRange](ctx, look, "limitranges", r.Namespace)
		if err != nil {
			return err
		}
		for _, limits := range ranges {
			if err := apply(limits); err != nil {
				return r.Forbidden(err)
			}
		}
		return nil
	}
	return Plugin{
		Name: "LimitRanger",
		Mutate: func(ctx context.Context, r *Request) error {
			pod, ok := r.limitedPod()
			if !ok {
				return nil
			}
			return each(ctx, r, func(limits *corev1.LimitRange) error {
				giveLimits(pod, limits)
				return nil
			})
		},
		Validate: func(ctx context.Context, r *Request) error {
			if pod, ok := r.limitedPod(); ok {
				return each(ctx, r, func(limits *corev1.LimitRange) error { return podWithin(pod, limits) })
			}
			if claim, ok := r.Object.(*corev1.PersistentVolumeClaim); ok && r.Subresource == "" {
				return each(ctx, r, func(limits *corev1.LimitRange) error { return claimWithin(claim, limits) })
			}
			return nil
		},
	}
}

// limitedPod returns the pod whose containers' resources a request sets.
func (r *Request) limitedPod() (*corev1.Pod, bool) {
	pod, ok := r.Object.(*corev1.Pod)
	return pod, ok && (r.Operation == Create && r.Subresource == "" || r.Operation == Update && r.Subresource == "resize")
}

func giveLimits(pod *corev1.Pod, limits *corev1.LimitRange) {
	requests, most := corev1.ResourceList{}, corev1.ResourceList{}
	for i := range limits.Spec.Limits {
		if limit := &limits.Spec.Limits[i]; limit.Type == corev1.LimitTypeContainer {
			maps.Copy(requests, limit.DefaultRequest)
			maps.Copy(most, limit.Default)
		}
	}
	var given []string
	for i := range pod.Spec.Containers {
		given = giveContainer(&pod.Spec.Containers[i], requests, most, "container", given)
	}
	for i := range pod.Spec.InitContainers {
		given = giveContainer(&pod.Spec.InitContainers[i], requests, most, "init container", given)
	}
	if len(given) > 0 {
		annotations := maps.Clone(pod.Annotations)
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[limitRangerAnnotation] = "LimitRanger plugin set: " + strings.Join(given, "; ")
		pod.Annotations = annotations
	}
}

// giveContainer completes a container's resources and appends to given what it
// has got.
func giveContainer(container *corev1.Container, requests, limits corev1.ResourceList, what string, given []string) []string {
	resources := &container.Resources
	if names := complete(&resources.Requests, requests); names != "" {
		given = append(given, names+" request for "+what+" "+container.Name)
	}
	if names := complete(&resources.Limits, limits); names != "" {
		given = append(given, names+" limit for "+what+" "+container.Name)
	}
	return given
}

// complete adds to a copy of a list what it lacks and returns the names.
func complete(amounts *corev1.ResourceList, defaults corev1.ResourceList) string {
	var names []string
	for name := range defaults {
		if _, has := (*amounts)[name]; !has {
			names = append(names, string(name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	completed := corev1.ResourceList{}
	maps.Copy(completed, defaults)
	maps.Copy(completed, *amounts)
	*amounts = completed
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// podWithin collects what of a pod is outside of the bounds.
func podWithin(pod *corev1.Pod, limits *corev1.LimitRange) error {
	var errs []error
	for i := range limits.Spec.Limits {
		limit := &limits.Spec.Limits[i]
		switch limit.Type {
		case corev1.LimitTypeContainer:
			for _, containers := range [...][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
				for j := range containers {
					resources := &containers[j].Resources
					errs = append(errs, within(limit, resources.Requests, resources.Limits)...)
				}
			}
		case corev1.LimitTypePod:
			bare := &corev1.Pod{Spec: pod.Spec}
			bare.Spec.Overhead = nil
			errs = append(errs, within(limit,
				podresource.PodRequests(bare, podresource.PodResourcesOptions{}),
				podresource.PodLimits(bare, podresource.PodResourcesOptions{}))...)
		}
	}
	return utilerrors.NewAggregate(errs)
}

// claimWithin collects how a claim's size is outside of the bounds; a claim's
// limits mean nothing.
func claimWithin(claim *corev1.PersistentVolumeClaim, limits *corev1.LimitRange) error {
	var errs []error
	requests := claim.Spec.Resources.Requests
	for i := range limits.Spec.Limits {
		limit := &limits.Spec.Limits[i]
		if limit.Type != corev1.LimitTypePersistentVolumeClaim {
			continue
		}
		for _, name := range sortedNames(limit.Min) {
			errs = appendError(errs, atLeast(limit.Type, name, limit.Min[name], requests, nil))
		}
		for _, name := range sortedNames(limit.Max) {
			most, got := limit.Max[name], requests[name]
			if _, has := requests[name]; !has {
				errs = append(errs, fmt.Errorf("maximum %s usage per %s is %s.  No request is specified", name, limit.Type, most.String()))
			} else if got.Cmp(most) > 0 {
				errs = append(errs, fmt.Errorf("maximum %s usage per %s is %s, but request is %s", name, limit.Type, most.String(), got.String()))
			}
		}
	}
	return utilerrors.NewAggregate(errs)
}

// within checks requests and limits against one item of a LimitRange.
func within(limit *corev1.LimitRangeItem, requests, limits corev1.ResourceList) []error {
	var errs []error
	for _, name := range sortedNames(limit.Min) {
		errs = appendError(errs, atLeast(limit.Type, name, limit.Min[name], requests, limits))
	}
	for _, name := range sortedNames(limit.Max) {
		errs = appendError(errs, atMost(limit.Type, name, limit.Max[name], requests, limits))
	}
	for _, name := range sortedNames(limit.MaxLimitRequestRatio) {
		errs = appendError(errs, withinRatio(limit.Type, name, limit.MaxLimitRequestRatio[name], requests, limits))
	}
	return errs
}

func appendError(errs []error, err error) []error {
	if err == nil {
		return errs
	}
	return append(errs, err)
}

func atLeast(of corev1.LimitType, name corev1.ResourceName, least resource.Quantity, requests, limits corev1.ResourceList) error {
	request, requested := requests[name]
	limit, limited := limits[name]
	switch {
	case !requested:
		return fmt.Errorf("minimum %s usage per %s is %s.  No request is specified", name, of, least.String())
	case request.Cmp(least) < 0:
		return fmt.Errorf("minimum %s usage per %s is %s, but request is %s", name, of, least.String(), request.String())
	case limited && limit.Cmp(least) < 0:
		return fmt.Errorf("minimum %s usage per %s is %s, but limit is %s", name, of, least.String(), limit.String())
	}
	return nil
}

func atMost(of corev1.LimitType, name corev1.ResourceName, most resource.Quantity, requests, limits corev1.ResourceList) error {
	request, requested := requests[name]
	limit, limited := limits[name]
	switch {
	case !limited:
		return fmt.Errorf("maximum %s usage per %s is %s.  No limit is specified", name, of, most.String())
	case limit.Cmp(most) > 0:
		return fmt.Errorf("maximum %s usage per %s is %s, but limit is %s", name, of, most.String(), limit.String())
	case requested && request.Cmp(most) > 0:
		return fmt.Errorf("maximum %s usage per %s is %s, but request is %s", name, of, most.String(), request.String())
	}
	return nil
}

func withinRatio(of corev1.LimitType, name corev1.ResourceName, most resource.Quantity, requests, limits corev1.ResourceList) error {
	request, limit := requests[name], limits[name]
	switch {
	case request.IsZero():
		return fmt.Errorf("%s max limit to request ratio per %s is %s, but no request is specified or request is 0", name, of, most.String())
	case limit.IsZero():
		return fmt.Errorf("%s max limit to request ratio per %s is %s, but no limit is specified or limit is 0", name, of, most.String())
	}
	ratio := float64(scaled(limit, request)) / float64(scaled(request, limit))
	if ratio*1000 > float64(most.MilliValue()) {
		return fmt.Errorf("%s max limit to request ratio per %s is %s, but provided ratio is %f", name, of, most.String(), ratio)
	}
	return nil
}

// scaled is a quantity in thousandths, or in whole units where it or the other
// one is too large for that.
func scaled(q, other resource.Quantity) int64 {
	if q.Value() <= resource.MaxMilliValue && other.Value() <= resource.MaxMilliValue {
		return q.MilliValue()
	}
	return q.Value()
}

func sortedNames(amounts corev1.ResourceList) []corev1.ResourceName {
	return slices.Sorted(maps.Keys(amounts))
}
