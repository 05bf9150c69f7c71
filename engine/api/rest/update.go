package rest

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/managed"
	"tidepool.dev/tidepool/engine/store"
)

// Part is what of an object an update may change: that which the subresource of
// the same name shows. Others than these are in kind.Kind.Parts.
type Part string

const (
	// Main is everything but the status.
	Main Part = ""
	// Status is the status alone.
	Status Part = "status"
	// Approval is what decides about a request for a certificate.
	Approval Part = "approval"
)

// Change makes the new state of an object from the present one, which is
// immutable: it returns another object, or the present one for no change.
type Change func(current store.Object) (store.Object, error)

// Replace is the change to a given state.
func Replace(obj store.Object) Change {
	return func(store.Object) (store.Object, error) { return obj, nil }
}

// Update changes an object. A change that names the resourceVersion that it is
// based on fails with a conflict when the object has another; without one it is
// made again until it succeeds.
func (o *Operations) Update(ctx context.Context, k *kind.Kind, namespace, name string, part Part, change Change, opts WriteOptions) (store.Object, error) {
	at := key(k, namespace, name)
	for {
		current, err := o.store.Get(ctx, at)
		if errors.Is(err, store.ErrNotFound) && k.AllowCreateOnUpdate && part == Main {
			obj, err := change(nil)
			if err != nil {
				return nil, err
			}
			if opts.MayCreate != nil {
				if err := opts.MayCreate(); err != nil {
					return nil, err
				}
			}
			return o.Create(ctx, k, obj, opts)
		}
		if err != nil {
			return nil, statusError(err, k, name)
		}
		obj, err := change(current)
		if err != nil {
			return nil, err
		}
		if obj == current {
			return current, nil
		}
		based, managers := obj.GetResourceVersion(), obj.GetManagedFields()
		written, err := o.replace(ctx, k, at, obj, current, part, opts)
		if (based == "" || based == "0") && errors.Is(err, store.ErrConflict) {
			obj.SetResourceVersion("")
			obj.SetManagedFields(managers)
			continue // somebody was faster; the change holds for any state
		}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
			err = statusError(err, k, name)
		}
		return written, err
	}
}

// replace writes obj in the place of current. Errors of the store are as they
// come from it.
func (o *Operations) replace(ctx context.Context, k *kind.Kind, at store.Key, obj, current store.Object, part Part, opts WriteOptions) (store.Object, error) {
	defer o.lockServices(k)()
	switch obj.GetResourceVersion() {
	case current.GetResourceVersion():
	case "", "0":
		if !k.AllowUnconditionalUpdate && part == Main && !opts.scale {
			return nil, invalid(k, at.Name, field.ErrorList{
				field.Invalid(field.NewPath("metadata", "resourceVersion"), obj.GetResourceVersion(), "must be specified for an update")})
		}
		obj.SetResourceVersion(current.GetResourceVersion())
	default:
		return nil, store.ErrConflict
	}
	setKind(k, obj)
	declared := k.Part(string(part))
	if k.Default != nil && (part == Main || declared != nil) {
		k.Default(obj)
	}
	o.record(k, current, obj, string(part), opts)
	managers := obj.GetManagedFields()
	prepareMetaUpdate(obj, current)
	request := o.request(ctx, admission.Update, k, opts)
	request.Namespace, request.Name, request.Object, request.Old = at.Namespace, at.Name, obj, current
	request.Subresource = string(part)
	prepare, check := k.PrepareForUpdate, k.ValidateUpdate
	switch {
	case part == Status:
		prepare, check = k.PrepareForStatusUpdate, k.ValidateStatusUpdate
	case part == Approval:
		prepare, check = k.PrepareForApproval, k.ValidateApproval
	case declared != nil:
		prepare, check = declared.PrepareForUpdate, declared.ValidateUpdate
	}
	if opts.scale { // admission sees what the client has sent
		request.Subresource, request.Object, request.Old = "scale", ScaleOf(k, obj), ScaleOf(k, current)
	}
	if err := o.admission.Mutate(ctx, request); err != nil {
		return nil, err
	}
	if !opts.scale {
		obj = request.Object
	}
	if err := o.check(ctx, request); err != nil {
		return nil, err
	}
	if service, ok := obj.(*corev1.Service); ok && part == Main {
		if err := o.allocateService(ctx, service, current.(*corev1.Service)); err != nil {
			return nil, err
		}
	}
	if prepare != nil {
		prepare(obj, current)
	}
	if k.Stamp != nil {
		k.Stamp(obj, current, o.now())
	}
	obj.SetManagedFields(managers)
	errs := validateMetaUpdate(obj, current)
	if check != nil {
		errs = append(errs, check(obj, current)...)
	}
	if err := invalid(k, at.Name, errs); err != nil {
		return nil, err
	}
	if declared == nil {
		opts.warn(k, obj, current)
	}
	if err := o.admission.Validate(ctx, request); err != nil {
		return nil, err
	}
	if unchanged(obj, current) {
		return current, nil // as in Kubernetes, writing the same is no write
	}
	if opts.DryRun {
		return obj, nil
	}
	if finished(obj, current) {
		return o.store.Delete(ctx, at, store.RevisionOf(current))
	}
	return o.store.Update(ctx, at, obj, store.RevisionOf(current))
}

// unchanged says that there is nothing to write: that a manager has just set
// what was so before is not worth it.
func unchanged(obj, current store.Object) bool {
	managers, before := obj.GetManagedFields(), current.GetManagedFields()
	if !managed.SameButTimes(managers, before) {
		return false
	}
	obj.SetManagedFields(before)
	same := equal(obj, current)
	obj.SetManagedFields(managers)
	return same
}

// finished says that nothing keeps a deleted object any longer.
func finished(obj, current store.Object) bool {
	if current.GetDeletionTimestamp() == nil || len(obj.GetFinalizers()) > 0 {
		return false
	}
	if namespace, ok := obj.(*corev1.Namespace); ok && len(namespace.Spec.Finalizers) > 0 {
		return false
	}
	grace := current.GetDeletionGracePeriodSeconds()
	return grace == nil || *grace == 0
}
