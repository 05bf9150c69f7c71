package garbagecollector

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/store"
)

func (l *loop) process(ctx context.Context, it item) error {
	switch {
	case waitsForOrphaning(it):
		return l.orphan(ctx, it)
	case waitsForDependents(it):
		return l.awaitDependents(ctx, it)
	case it.GetDeletionTimestamp() != nil:
		return nil // on its way: its dependents' turn comes when it has gone
	}
	return l.collect(ctx, it)
}

// orphan frees the dependents and then lets the owner go.
func (l *loop) orphan(ctx context.Context, owner item) error {
	for _, dependent := range l.dependents(owner) {
		if err := l.removeReferences(ctx, dependent, []types.UID{owner.GetUID()}); err != nil {
			return fmt.Errorf("orphaning %s %s/%s failed: %w", dependent.resource, dependent.GetNamespace(), dependent.GetName(), err)
		}
	}
	return l.removeFinalizer(ctx, owner, metav1.FinalizerOrphanDependents)
}

// awaitDependents lets the owner go once nothing that blocks it is left.
func (l *loop) awaitDependents(ctx context.Context, owner item) error {
	blocked := false
	for _, dependent := range l.dependents(owner) {
		if !slices.ContainsFunc(dependent.GetOwnerReferences(), func(ref metav1.OwnerReference) bool {
			return ref.UID == owner.GetUID() && blocks(ref)
		}) {
			continue
		}
		blocked = true
		if !waitsForDependents(dependent) {
			l.enqueue(request(dependent.resource, dependent.GetNamespace(), dependent.GetName()))
		}
	}
	if blocked {
		return nil
	}
	return l.removeFinalizer(ctx, owner, metav1.FinalizerDeleteDependents)
}

// collect deletes an object that has had owners and has none left.
func (l *loop) collect(ctx context.Context, cached item) error {
	fresh, err := l.client.Get(ctx, cached.resource, cached.GetNamespace(), cached.GetName())
	if errors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if fresh.GetUID() != cached.GetUID() || fresh.GetDeletionTimestamp() != nil {
		return nil
	}
	it := item{fresh, cached.resource}
	owners, err := l.classify(ctx, it)
	if err != nil || owners.unknown || len(it.GetOwnerReferences()) == 0 {
		return err
	}
	switch {
	case owners.solid:
		return l.removeReferences(ctx, it, append(owners.dangling, owners.waiting...))
	case len(owners.waiting) > 0:
		if dependents := l.dependents(it); len(dependents) > 0 {
			if slices.ContainsFunc(dependents, func(dependent item) bool { return waitsForDependents(dependent) }) {
				// Perhaps a cycle, in which all would wait for each other.
				if it.Object, err = l.unblock(ctx, it); err != nil || it.Object == nil {
					return err
				}
			}
			return l.delete(ctx, it, metav1.DeletePropagationForeground)
		}
	}
	return l.delete(ctx, it, policy(it))
}

// policy honours what an earlier deletion asked for.
func policy(obj store.Object) metav1.DeletionPropagation {
	switch {
	case slices.Contains(obj.GetFinalizers(), metav1.FinalizerOrphanDependents):
		return metav1.DeletePropagationOrphan
	case slices.Contains(obj.GetFinalizers(), metav1.FinalizerDeleteDependents):
		return metav1.DeletePropagationForeground
	}
	return metav1.DeletePropagationBackground
}

// owners is how an object's owners are.
type owners struct {
	solid    bool        // one exists and keeps the object
	dangling []types.UID // these do not exist
	waiting  []types.UID // these wait for the object to go
	unknown  bool        // one can't be judged: leave the object alone
}

func (l *loop) classify(ctx context.Context, it item) (owners, error) {
	var o owners
	for _, ref := range it.GetOwnerReferences() {
		k, ok := l.kind(ref)
		if !ok || (k.Namespaced && it.GetNamespace() == "") {
			o.unknown = true
			l.reportNamespace(ctx, it, ref)
			continue
		}
		owner, err := l.find(ctx, it.GetNamespace(), ref)
		switch {
		case err != nil:
			return owners{}, err
		case owner == nil:
			o.dangling = append(o.dangling, ref.UID)
			l.reportNamespace(ctx, it, ref)
		case waitsForDependents(owner):
			o.waiting = append(o.waiting, ref.UID)
		default:
			o.solid = true
		}
	}
	return o, nil
}

// find returns the owner that a reference names, nil if there is none: the
// cache may be behind, so the API has the last word on absence.
func (l *loop) find(ctx context.Context, namespace string, ref metav1.OwnerReference) (store.Object, error) {
	if owner := l.cached(namespace, ref); owner != nil {
		return owner, nil
	}
	k, ok := l.kind(ref)
	if !ok {
		return nil, nil // it has gone with all its objects
	}
	if !k.Namespaced {
		namespace = ""
	}
	owner, err := l.client.Get(ctx, k.Resource(), namespace, ref.Name)
	if errors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || owner.GetUID() != ref.UID {
		return nil, err
	}
	return owner, nil
}

// reportNamespace warns when the owner exists, but where the object can't have
// it.
func (l *loop) reportNamespace(ctx context.Context, it item, ref metav1.OwnerReference) {
	resource := l.resource(ref)
	if resource == "" {
		return
	}
	for _, owner := range cache.Find[store.Object](l.cache, resource, cache.ByUID, string(ref.UID)) {
		if owner.GetNamespace() != "" && owner.GetNamespace() != it.GetNamespace() {
			l.recorder.Event(ctx, it.Object, corev1.EventTypeWarning, "OwnerRefInvalidNamespace", fmt.Sprintf(
				"ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in namespace %q",
				ref.APIVersion, ref.Kind, it.GetNamespace(), ref.Name, ref.UID, it.GetNamespace()))
		}
	}
}

// delete removes the object as it was judged: if it has changed since, it is
// judged again.
func (l *loop) delete(ctx context.Context, it item, policy metav1.DeletionPropagation) error {
	uid, revision := it.GetUID(), it.GetResourceVersion()
	err := l.client.Delete(ctx, it.resource, it.GetNamespace(), it.GetName(), metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &revision},
		PropagationPolicy: &policy,
	})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}

func (l *loop) removeReferences(ctx context.Context, it item, uids []types.UID) error {
	if len(uids) == 0 {
		return nil
	}
	_, err := l.modify(ctx, it, func(obj store.Object) bool {
		kept := slices.DeleteFunc(obj.GetOwnerReferences(), func(ref metav1.OwnerReference) bool { return slices.Contains(uids, ref.UID) })
		changed := len(kept) < len(obj.GetOwnerReferences())
		if len(kept) == 0 {
			kept = nil
		}
		obj.SetOwnerReferences(kept)
		return changed
	})
	return err
}

// unblock makes the object's references such that no owner waits for it.
func (l *loop) unblock(ctx context.Context, it item) (store.Object, error) {
	return l.modify(ctx, it, func(obj store.Object) bool {
		changed := false
		refs := obj.GetOwnerReferences()
		for i := range refs {
			if blocks(refs[i]) {
				refs[i].BlockOwnerDeletion = new(bool)
				changed = true
			}
		}
		obj.SetOwnerReferences(refs)
		return changed
	})
}

func (l *loop) removeFinalizer(ctx context.Context, it item, finalizer string) error {
	_, err := l.modify(ctx, it, func(obj store.Object) bool {
		kept := slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(f string) bool { return f == finalizer })
		changed := len(kept) < len(obj.GetFinalizers())
		obj.SetFinalizers(kept)
		return changed
	})
	return err
}

// modify edits the newest state of the object; it returns nil if it is gone.
func (l *loop) modify(ctx context.Context, it item, change func(store.Object) bool) (store.Object, error) {
	obj, err := client.Modify(ctx, l.client, it.resource, it.GetNamespace(), it.GetName(), l.client.Update, func(obj store.Object) bool {
		return obj.GetUID() == it.GetUID() && change(obj)
	})
	if errors.IsNotFound(err) {
		return nil, nil
	}
	return obj, err
}
