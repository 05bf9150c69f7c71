package rest

import (
	"context"
	"errors"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/managed"
	"tidepool.dev/tidepool/engine/store"
)

// Configuration is what a manager applies.
type Configuration struct {
	// Object has the fields that the manager wants to be set; it is not changed.
	Object *unstructured.Unstructured
	// Force takes fields over from other managers.
	Force bool
	// Check may refuse or complete the merged object.
	Check func(store.Object) error
}

// Apply merges a configuration into an object, or creates the object of it
// (server-side apply).
func (o *Operations) Apply(ctx context.Context, k *kind.Kind, namespace, name string, part Part, config Configuration, opts WriteOptions) (obj store.Object, created bool, err error) {
	at := key(k, namespace, name)
	write := managed.Write{Manager: opts.Manager, Subresource: string(part), Version: opts.Version}
	opts.recorded = true
	for {
		current, err := o.store.Get(ctx, at)
		absent := errors.Is(err, store.ErrNotFound)
		if err != nil && (!absent || part != Main) {
			return nil, false, statusError(err, k, name)
		}
		next, err := o.fields.Apply(k, current, config.Object, config.Force, write)
		if err != nil {
			return nil, false, err
		}
		if absent {
			obj, err = o.createApplied(ctx, k, name, next, config, opts)
			if apierrors.IsAlreadyExists(err) && !opts.DryRun {
				continue // somebody was faster
			}
			return obj, true, err
		}
		if err := config.Check(next); err != nil {
			return nil, false, err
		}
		written, err := o.replace(ctx, k, at, next, current, part, opts)
		if errors.Is(err, store.ErrConflict) && config.Object.GetResourceVersion() == "" {
			continue
		}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
			err = statusError(err, k, name)
		}
		return written, false, err
	}
}

func (o *Operations) createApplied(ctx context.Context, k *kind.Kind, name string, obj store.Object, config Configuration, opts WriteOptions) (store.Object, error) {
	if uid := obj.GetUID(); uid != "" {
		return nil, apierrors.NewConflict(k.GroupResource(), name,
			fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
	}
	if err := config.Check(obj); err != nil {
		return nil, err
	}
	if opts.MayCreate != nil {
		if err := opts.MayCreate(); err != nil {
			return nil, err
		}
	}
	obj.SetResourceVersion("")
	return o.Create(ctx, k, obj, opts)
}

// ApplyScale applies to an object's Scale.
func (o *Operations) ApplyScale(ctx context.Context, k *kind.Kind, namespace, name string, config Configuration, opts WriteOptions) (*autoscalingv1.Scale, error) {
	opts.recorded = true
	write := managed.Write{Manager: opts.Manager, Subresource: "scale"}
	written, err := o.Update(ctx, k, namespace, name, Main, func(current store.Object) (store.Object, error) {
		scale, managers, err := o.fields.ApplyScale(k, current, ScaleOf(k, current), config.Object, config.Force, write)
		if err != nil {
			return nil, err
		}
		if err := config.Check(scale); err != nil {
			return nil, err
		}
		next, err := scaled(k, current, scale)
		if err != nil {
			return nil, err
		}
		next.SetManagedFields(managers)
		if config.Object.GetResourceVersion() == "" {
			next.SetResourceVersion("")
		}
		return next, nil
	}, opts)
	if err != nil {
		return nil, err
	}
	return ScaleOf(k, written), nil
}
