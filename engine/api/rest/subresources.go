package rest

import (
	"context"
	"errors"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/managed"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

var scaleKind = autoscalingv1.SchemeGroupVersion.WithKind("Scale")

// ScaleOf is the scale subresource of an object.
func ScaleOf(k *kind.Kind, obj store.Object) *autoscalingv1.Scale {
	scale := k.Scale.Get(obj)
	scale.SetGroupVersionKind(scaleKind)
	scale.ObjectMeta = metav1.ObjectMeta{
		Name:              obj.GetName(),
		Namespace:         obj.GetNamespace(),
		UID:               obj.GetUID(),
		ResourceVersion:   obj.GetResourceVersion(),
		CreationTimestamp: obj.GetCreationTimestamp(),
	}
	return scale
}

// UpdateScale changes an object's number of replicas.
func (o *Operations) UpdateScale(ctx context.Context, k *kind.Kind, namespace, name string,
	change func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error), opts WriteOptions) (*autoscalingv1.Scale, error) {
	write := managed.Write{Manager: opts.Manager, Subresource: "scale"}
	opts.recorded, opts.scale = true, true
	written, err := o.Update(ctx, k, namespace, name, Main, func(current store.Object) (store.Object, error) {
		scale, err := change(ScaleOf(k, current))
		if err != nil {
			return nil, err
		}
		next, err := scaled(k, current, scale)
		if err != nil {
			return nil, err
		}
		o.fields.UpdateScale(k, current, next, ScaleOf(k, current), scale, write)
		return next, nil
	}, opts)
	if err != nil {
		return nil, err
	}
	return ScaleOf(k, written), nil
}

// scaled is an object with the replicas of a Scale.
func scaled(k *kind.Kind, current store.Object, scale *autoscalingv1.Scale) (store.Object, error) {
	if scale.Spec.Replicas < 0 {
		return nil, apierrors.NewInvalid(scaleKind.GroupKind(), current.GetName(), field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0").WithOrigin("minimum")})
	}
	next := current.DeepCopyObject().(store.Object)
	k.Scale.Set(next, scale.Spec.Replicas)
	next.SetResourceVersion(scale.ResourceVersion)
	return next, nil
}

// Bind gives a pod its node (k8s.io/kubernetes/pkg/registry/core/pod/storage).
func (o *Operations) Bind(ctx context.Context, binding *corev1.Binding, opts WriteOptions) error {
	if errs := validation.Binding(binding); len(errs) > 0 {
		return errs.ToAggregate() // which is no Status, as upstream
	}
	pods := o.kinds["pods"]
	refuse := func(format string, values ...any) error {
		return apierrors.NewConflict(corev1.Resource("pods/binding"), binding.Name, fmt.Errorf(format, values...))
	}
	at := key(pods, binding.Namespace, binding.Name)
	for {
		current, err := o.store.Get(ctx, at)
		if err != nil {
			return statusError(err, pods, binding.Name)
		}
		pod := current.(*corev1.Pod)
		switch {
		case binding.UID != "" && binding.UID != pod.UID:
			return wrongUID(pods, pod.Name, binding.UID, pod.UID)
		case pod.DeletionTimestamp != nil:
			return refuse("pod %s is being deleted, cannot be assigned to a host", pod.Name)
		case pod.Spec.NodeName != "":
			return refuse("pod %v is already assigned to node %q", pod.Name, pod.Spec.NodeName)
		case len(pod.Spec.SchedulingGates) > 0:
			return refuse("pod %v has non-empty .spec.schedulingGates", pod.Name)
		}
		if opts.DryRun {
			return nil
		}
		next := *pod // everything below is replaced, not changed
		next.Spec.NodeName = binding.Target.Name
		next.Status.NominatedNodeName = ""
		next.Annotations = merged(pod.Annotations, binding.Annotations)
		next.Status.Conditions = withCondition(pod.Status.Conditions, corev1.PodCondition{
			Type:               corev1.PodScheduled,
			Status:             corev1.ConditionTrue,
			LastTransitionTime: o.now(),
			ObservedGeneration: pod.Generation,
		})
		_, err = o.store.Update(ctx, at, &next, store.RevisionOf(pod))
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		return statusError(err, pods, binding.Name)
	}
}

func merged(base, more map[string]string) map[string]string {
	if len(more) == 0 {
		return base
	}
	all := make(map[string]string, len(base)+len(more))
	for k, v := range base {
		all[k] = v
	}
	for k, v := range more {
		all[k] = v
	}
	return all
}

// withCondition sets a condition; one that has the status already keeps its
// time.
func withCondition(conditions []corev1.PodCondition, condition corev1.PodCondition) []corev1.PodCondition {
	next := make([]corev1.PodCondition, 0, len(conditions)+1)
	found := false
	for _, was := range conditions {
		if was.Type == condition.Type {
			if was.Status == condition.Status {
				condition.LastTransitionTime = was.LastTransitionTime
			}
			was, found = condition, true
		}
		next = append(next, was)
	}
	if !found {
		next = append(next, condition)
	}
	return next
}

// Finalize replaces a namespace's spec.finalizers; with the last of them a
// deleted namespace is gone.
func (o *Operations) Finalize(ctx context.Context, namespace *corev1.Namespace, opts WriteOptions) (store.Object, error) {
	namespaces := o.kinds["namespaces"]
	at := key(namespaces, "", namespace.Name)
	current, err := o.store.Get(ctx, at)
	if err != nil {
		return nil, statusError(err, namespaces, namespace.Name)
	}
	if namespace.ResourceVersion != "" && namespace.ResourceVersion != current.GetResourceVersion() {
		return nil, statusError(store.ErrConflict, namespaces, namespace.Name)
	}
	next := current.DeepCopyObject().(*corev1.Namespace)
	next.Spec.Finalizers = namespace.Spec.Finalizers
	o.record(namespaces, current, next, "finalize", opts)
	var written store.Object = next
	switch {
	case opts.DryRun:
	case next.DeletionTimestamp != nil && len(next.Spec.Finalizers) == 0 && len(next.Finalizers) == 0:
		written, err = o.store.Delete(ctx, at, store.RevisionOf(current))
	default:
		written, err = o.store.Update(ctx, at, next, store.RevisionOf(current))
	}
	return written, statusError(err, namespaces, namespace.Name)
}
