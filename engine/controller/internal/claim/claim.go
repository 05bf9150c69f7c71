// Package claim lets an owner take and give up control of objects: it adopts
// orphans that its selector matches and releases objects that it no longer
// matches, as Kubernetes' controller reference managers do.
package claim

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/store"
)

// Owner is who claims.
type Owner struct {
	Object   store.Object
	Resource string
	Kind     schema.GroupVersionKind
	// Finalizer, if set, is put on what the owner adopts and taken from what it
	// releases.
	Finalizer string

	rechecked bool
	refusal   error
}

// Reference is the owner reference of what the owner controls.
func (o *Owner) Reference() metav1.OwnerReference {
	return *metav1.NewControllerRef(o.Object, o.Kind)
}

// mayAdopt asks the API whether the owner still exists and is not being
// deleted: the cache may not show it yet, and an owner that is going must not
// take others with it.
func (o *Owner) mayAdopt(ctx context.Context, c client.Client) error {
	if o.rechecked {
		return o.refusal
	}
	o.rechecked = true
	name := o.Object.GetNamespace() + "/" + o.Object.GetName()
	fresh, err := c.Get(ctx, o.Resource, o.Object.GetNamespace(), o.Object.GetName())
	switch {
	case err != nil:
		o.refusal = fmt.Errorf("can't recheck DeletionTimestamp: %w", err)
	case fresh.GetUID() != o.Object.GetUID():
		o.refusal = fmt.Errorf("original %s %s is gone: got uid %s, wanted %s", o.Kind.Kind, name, fresh.GetUID(), o.Object.GetUID())
	case fresh.GetDeletionTimestamp() != nil:
		o.refusal = fmt.Errorf("%s has just been deleted at %s", name, fresh.GetDeletionTimestamp())
	}
	return o.refusal
}

// Adopt makes the owner the controller of an orphan. It returns the object as
// written, or nil if the object is gone or another owner was faster.
func (o *Owner) Adopt(ctx context.Context, c client.Client, resource string, obj store.Object) (store.Object, error) {
	if err := o.mayAdopt(ctx, c); err != nil {
		return nil, fmt.Errorf("can't adopt %s %s/%s: %w", resource, obj.GetNamespace(), obj.GetName(), err)
	}
	return changeReferences(ctx, c, resource, obj, func(refs []metav1.OwnerReference) ([]metav1.OwnerReference, bool) {
		kept := make([]metav1.OwnerReference, 0, len(refs)+1)
		for _, ref := range refs {
			if ref.Controller != nil && *ref.Controller {
				return nil, false
			}
			if ref.UID != o.Object.GetUID() {
				kept = append(kept, ref)
			}
		}
		return append(kept, o.Reference()), true
	}, func(finalizers []string) []string {
		if o.Finalizer == "" || slices.Contains(finalizers, o.Finalizer) {
			return finalizers
		}
		return append(slices.Clone(finalizers), o.Finalizer)
	})
}

// Release gives up control of an object.
func (o *Owner) Release(ctx context.Context, c client.Client, resource string, obj store.Object) error {
	_, err := changeReferences(ctx, c, resource, obj, func(refs []metav1.OwnerReference) ([]metav1.OwnerReference, bool) {
		return without(refs, o.Object.GetUID())
	}, func(finalizers []string) []string {
		return slices.DeleteFunc(slices.Clone(finalizers), func(name string) bool { return name == o.Finalizer })
	})
	return err
}

func without(refs []metav1.OwnerReference, uid types.UID) ([]metav1.OwnerReference, bool) {
	var kept []metav1.OwnerReference
	for _, ref := range refs {
		if ref.UID != uid {
			kept = append(kept, ref)
		}
	}
	return kept, len(kept) < len(refs)
}

// changeReferences edits the newest owner references of the object and, if that
// has anything to do, its finalizers. It returns nil when the object is gone, or
// there is nothing to do.
func changeReferences(ctx context.Context, c client.Client, resource string, obj store.Object,
	change func([]metav1.OwnerReference) ([]metav1.OwnerReference, bool), finalizers func([]string) []string) (store.Object, error) {
	changed := false
	written, err := client.Modify(ctx, c, resource, obj.GetNamespace(), obj.GetName(), c.Update, func(fresh store.Object) bool {
		changed = false
		if fresh.GetUID() != obj.GetUID() {
			return false
		}
		var refs []metav1.OwnerReference
		refs, changed = change(fresh.GetOwnerReferences())
		if changed {
			fresh.SetOwnerReferences(refs)
			fresh.SetFinalizers(finalizers(fresh.GetFinalizers()))
		}
		return changed
	})
	if errors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || !changed {
		return nil, err
	}
	return written, nil
}
