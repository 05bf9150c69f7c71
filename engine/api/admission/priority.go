package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"

	"tidepool.dev/tidepool/engine/api/validation"
)

// priority gives pods the number that their PriorityClass stands for, and keeps
// the default class unique.
func priority(look lookup) Plugin {
	return Plugin{
		Name: "Priority",
		Mutate: func(ctx context.Context, r *Request) error {
			pod, ok := r.Object.(*corev1.Pod)
			if !ok || r.Subresource != "" {
				return nil
			}
			if r.Operation == Update {
				keepPriority(pod, r.Old.(*corev1.Pod))
				return nil
			}
			class, err := classOf(ctx, look, pod)
			if err != nil {
				return err
			}
			if class == nil && pod.Spec.PriorityClassName != "" {
				return r.Forbidden(fmt.Errorf("no PriorityClass with name %s was found", pod.Spec.PriorityClassName))
			}
			return givePriority(r, pod, class)
		},
		Validate: func(ctx context.Context, r *Request) error {
			if r.Operation == Delete {
				return keepSystemClass(r)
			}
			class, ok := r.Object.(*schedulingv1.PriorityClass)
			if !ok || !class.GlobalDefault {
				return nil
			}
			other, err := defaultClass(ctx, look)
			if err != nil {
				return err
			}
			if other != nil && (r.Operation == Create || other.Name != class.Name) {
				return r.Forbidden(fmt.Errorf("PriorityClass %v is already marked as default. Only one default can exist", other.Name))
			}
			return nil
		},
	}
}

// keepSystemClass keeps the classes that every cluster has (upstream that is not
// this plugin's work but the resource's:
// k8s.io/kubernetes/pkg/registry/scheduling/priorityclass/storage).
func keepSystemClass(r *Request) error {
	class, ok := r.Old.(*schedulingv1.PriorityClass)
	if ok && slices.ContainsFunc(validation.SystemPriorityClasses(), func(system *schedulingv1.PriorityClass) bool { return system.Name == class.Name }) {
		return r.Forbidden(errors.New("this is a system priority class and cannot be deleted"))
	}
	return nil
}

// keepPriority lets updates leave out what validation forbids to change.
func keepPriority(pod, old *corev1.Pod) {
	if pod.Spec.Priority == nil {
		pod.Spec.Priority = old.Spec.Priority
	}
	if pod.Spec.PreemptionPolicy == nil {
		pod.Spec.PreemptionPolicy = old.Spec.PreemptionPolicy
	}
}

// noClass is what pods have where there is neither a class nor a default one.
var noClass = &schedulingv1.PriorityClass{PreemptionPolicy: new(corev1.PreemptLowerPriority)}

func givePriority(r *Request, pod *corev1.Pod, class *schedulingv1.PriorityClass) error {
	if class == nil {
		class = noClass
	}
	pod.Spec.PriorityClassName = class.Name
	if pod.Spec.Priority != nil && *pod.Spec.Priority != class.Value {
		return r.Forbidden(fmt.Errorf(
			"the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name",
			*pod.Spec.Priority, class.Value))
	}
	pod.Spec.Priority = &class.Value
	if class.PreemptionPolicy == nil {
		return nil
	}
	if pod.Spec.PreemptionPolicy != nil && *pod.Spec.PreemptionPolicy != *class.PreemptionPolicy {
		return r.Forbidden(fmt.Errorf(
			"the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name",
			*pod.Spec.PreemptionPolicy, *class.PreemptionPolicy))
	}
	pod.Spec.PreemptionPolicy = class.PreemptionPolicy
	return nil
}

// classOf returns the class that a pod names, or the default one; nil if there
// is none.
func classOf(ctx context.Context, look lookup, pod *corev1.Pod) (*schedulingv1.PriorityClass, error) {
	if pod.Spec.PriorityClassName == "" {
		return defaultClass(ctx, look)
	}
	class, ok, err := get[*schedulingv1.PriorityClass](ctx, look, "priorityclasses.scheduling.k8s.io", "", pod.Spec.PriorityClassName)
	if err != nil || !ok {
		return nil, err
	}
	return class, nil
}

// defaultClass is, should there be several, the one of the lowest value.
func defaultClass(ctx context.Context, look lookup) (*schedulingv1.PriorityClass, error) {
	classes, err := list[*schedulingv1.PriorityClass](ctx, look, "priorityclasses.scheduling.k8s.io", "")
	var found *schedulingv1.PriorityClass
	for _, class := range classes {
		if class.GlobalDefault && (found == nil || found.Value > class.Value) {
			found = class
		}
	}
	return found, err
}
