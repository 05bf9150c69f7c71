package rest

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// Delete begins or completes the end of an object and returns its last state.
// gone is false while something keeps it: a grace period, in which its
// component ends it, or finalizers.
func (o *Operations) Delete(ctx context.Context, k *kind.Kind, namespace, name string, opts metav1.DeleteOptions) (last store.Object, gone bool, err error) {
	at := key(k, namespace, name)
	dryRun := len(opts.DryRun) > 0
	for {
		current, err := o.store.Get(ctx, at)
		if err != nil {
			return nil, false, statusError(err, k, name)
		}
		if err := checkPreconditions(k, name, opts.Preconditions, current); err != nil {
			return nil, false, err
		}
		request := o.request(ctx, admission.Delete, k, WriteOptions{DryRun: dryRun})
		request.Namespace, request.Name, request.Old = namespace, name, current
		if err := o.admission.Admit(ctx, request); err != nil {
			return nil, false, err
		}
		obj, kept := o.lingering(k, current, opts)
		switch {
		case kept && (obj == current || dryRun):
			return obj, false, nil
		case kept:
			last, err = o.store.Update(ctx, at, obj, store.RevisionOf(current))
		case dryRun:
			return current, true, nil
		default:
			last, err = o.store.Delete(ctx, at, store.RevisionOf(current))
		}
		if errors.Is(err, store.ErrConflict) {
			continue // what is to be deleted is the object, whatever its state
		}
		return last, !kept, statusError(err, k, name)
	}
}

func checkPreconditions(k *kind.Kind, name string, want *metav1.Preconditions, obj store.Object) error {
	if want == nil {
		return nil
	}
	if want.UID != nil && *want.UID != obj.GetUID() {
		return wrongUID(k, name, *want.UID, obj.GetUID())
	}
	if want.ResourceVersion != nil && *want.ResourceVersion != obj.GetResourceVersion() {
		return wrongRevision(k, name, *want.ResourceVersion, obj.GetResourceVersion())
	}
	return nil
}

// lingering returns the object as it is to stay until its component or its
// finalizers are done; kept is false when nothing holds it.
func (o *Operations) lingering(k *kind.Kind, current store.Object, opts metav1.DeleteOptions) (obj store.Object, kept bool) {
	finalizers := propagationFinalizers(k, current, opts)
	if current.GetDeletionTimestamp() == nil {
		finalizers = append(finalizers, k.DeleteFinalizers...)
	}
	grace := int64(0)
	if k.GracePeriodSeconds != nil {
		grace = k.GracePeriodSeconds(current, opts.GracePeriodSeconds)
	}
	namespace, _ := current.(*corev1.Namespace) // has finalizers of its own kind as well
	if grace == 0 && len(finalizers) == 0 && (namespace == nil || len(namespace.Spec.Finalizers) == 0) {
		return current, false
	}
	deleted := current.GetDeletionTimestamp()
	if deleted != nil && current.GetDeletionGracePeriodSeconds() != nil && *current.GetDeletionGracePeriodSeconds() <= grace &&
		slices.Equal(finalizers, current.GetFinalizers()) {
		return current, true // asked for before, with no more patience
	}
	obj = current.DeepCopyObject().(store.Object)
	obj.SetFinalizers(finalizers)
	now := o.clock.Now().Truncate(time.Second)
	end := metav1.NewTime(now.Add(time.Duration(grace) * time.Second))
	if deleted == nil {
		if obj.GetGeneration() > 0 {
			obj.SetGeneration(obj.GetGeneration() + 1)
		}
	} else {
		if was := current.GetDeletionGracePeriodSeconds(); was != nil {
			grace = min(grace, *was)
			began := deleted.Add(-time.Duration(*was) * time.Second)
			end = metav1.NewTime(began.Add(time.Duration(grace) * time.Second))
			if end.Time.Before(now) { // all the time that remains has passed
				end, grace = metav1.NewTime(now), min(grace, 1)
			}
		}
	}
	if namespace != nil {
		obj.(*corev1.Namespace).Status.Phase = corev1.NamespaceTerminating
	}
	obj.SetDeletionTimestamp(&end)
	obj.SetDeletionGracePeriodSeconds(&grace)
	if deleted == nil && k.PrepareForDelete != nil {
		k.PrepareForDelete(obj, metav1.NewTime(now))
	}
	return obj, true
}

// propagationFinalizers are the object's finalizers with those by which the
// garbage collector learns what becomes of its dependents.
func propagationFinalizers(k *kind.Kind, obj store.Object, opts metav1.DeleteOptions) []string {
	finalizers := obj.GetFinalizers()
	policy := k.DefaultPropagation
	//lint:ignore SA1019 clients still send it
	orphan := opts.OrphanDependents
	switch {
	case opts.PropagationPolicy != nil:
		policy = *opts.PropagationPolicy
	case orphan != nil && *orphan:
		policy = metav1.DeletePropagationOrphan
	case orphan != nil:
		policy = metav1.DeletePropagationBackground
	case slices.Contains(finalizers, metav1.FinalizerOrphanDependents):
		policy = metav1.DeletePropagationOrphan
	case slices.Contains(finalizers, metav1.FinalizerDeleteDependents):
		policy = metav1.DeletePropagationForeground
	}
	others := slices.DeleteFunc(slices.Clone(finalizers), func(f string) bool {
		return f == metav1.FinalizerOrphanDependents || f == metav1.FinalizerDeleteDependents
	})
	switch policy {
	case metav1.DeletePropagationOrphan:
		return append(others, metav1.FinalizerOrphanDependents)
	case metav1.DeletePropagationForeground:
		return append(others, metav1.FinalizerDeleteDependents)
	}
	return others
}

// DeleteCollection deletes what a list would show, and returns it.
func (o *Operations) DeleteCollection(ctx context.Context, k *kind.Kind, namespace string, list ListOptions, opts metav1.DeleteOptions) (List, error) {
	page, err := o.List(ctx, k, namespace, list)
	if err != nil {
		return List{}, err
	}
	for i, obj := range page.Items {
		last, _, err := o.Delete(ctx, k, obj.GetNamespace(), obj.GetName(), opts)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return List{}, err
		}
		page.Items[i] = last
	}
	return page, nil
}
