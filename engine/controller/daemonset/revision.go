package daemonset

import (
	"context"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/controller/internal/history"
	"tidepool.dev/tidepool/engine/controller/internal/templatehash"
	"tidepool.dev/tidepool/engine/store"
)

// revisions finds or makes the revision of the present template, whose hash it
// notes, and returns the old ones. The hash stays empty when the name was taken
// by another template's: the next turn will try another.
func (t *turn) revisions(ctx context.Context, owner *claim.Owner, selector labels.Selector) ([]*appsv1.ControllerRevision, error) {
	owned := cache.Find[*appsv1.ControllerRevision](t.cache, history.Resource, cache.ByController, string(t.ds.UID))
	kept, adopted, err := claim.Select(ctx, t.client, owner, history.Resource, selector, owned, t.revOrphans.In(t.ds.Namespace))
	if err != nil {
		return nil, err
	}
	patch, err := history.Patch(&t.ds.Spec.Template)
	if err != nil {
		return nil, err
	}
	var current, old []*appsv1.ControllerRevision
	for _, revision := range append(kept, adopted...) {
		if history.Holds(revision, patch) {
			current = append(current, revision)
		} else {
			old = append(old, revision)
		}
	}
	number := history.Next(old)
	var present *appsv1.ControllerRevision
	if len(current) == 0 {
		present, err = t.snapshot(ctx, patch, number)
	} else {
		present, err = t.single(ctx, current, number)
	}
	if present != nil {
		t.hash = present.Labels[history.HashLabel]
	}
	return old, err
}

func (t *turn) note(obj store.Object) {
	t.written.Note(controller.Request{Namespace: t.ds.Namespace, Name: t.ds.Name}, obj)
}

// single leaves one of several equal revisions, with a number not lower than
// the next one: a template that is returned to is a new revision.
func (t *turn) single(ctx context.Context, equal []*appsv1.ControllerRevision, number int64) (*appsv1.ControllerRevision, error) {
	keep := slices.MaxFunc(equal, func(a, b *appsv1.ControllerRevision) int { return int(a.Revision - b.Revision) })
	if len(equal) > 1 {
		if err := t.relabel(ctx, keep.Labels[history.HashLabel]); err != nil {
			return nil, err
		}
	}
	for _, revision := range equal {
		if revision == keep {
			continue
		}
		if err := t.client.Delete(ctx, history.Resource, revision.Namespace, revision.Name, metav1.DeleteOptions{}); err != nil && !errors.IsNotFound(err) {
			return nil, err
		}
	}
	if keep.Revision >= number {
		return keep, nil
	}
	next := keep.DeepCopy()
	next.Revision = number
	written, err := t.client.Update(ctx, history.Resource, next)
	if err != nil {
		return nil, err
	}
	t.note(written)
	return written.(*appsv1.ControllerRevision), nil
}

// relabel makes all pods name one of several equal revisions.
func (t *turn) relabel(ctx context.Context, hash string) error {
	for i, pod := range t.pods {
		if pod.Labels[history.HashLabel] == hash {
			continue
		}
		written, err := client.Modify(ctx, t.client, podResource, pod.Namespace, pod.Name, t.client.Update, func(fresh *corev1.Pod) bool {
			fresh.Labels = maps.Clone(fresh.Labels)
			fresh.Labels[history.HashLabel] = hash
			return fresh.UID == pod.UID
		})
		if err != nil {
			return err
		}
		t.loop.pods.Wrote(t.ds, written)
		t.pods[i] = written
	}
	return nil
}

func (t *turn) snapshot(ctx context.Context, patch []byte, number int64) (*appsv1.ControllerRevision, error) {
	hash := templatehash.Of(&t.ds.Spec.Template, t.ds.Status.CollisionCount)
	tags := maps.Clone(t.ds.Spec.Template.Labels)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[history.HashLabel] = hash
	revision := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name:            t.ds.Name + "-" + hash,
			Namespace:       t.ds.Namespace,
			Labels:          tags,
			Annotations:     maps.Clone(t.ds.Annotations),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(t.ds, kind)},
		},
		Data:     runtime.RawExtension{Raw: patch},
		Revision: number,
	}
	name := revision.Name
	created, err := t.client.Create(ctx, history.Resource, revision)
	switch {
	case errors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil, nil // nothing can be created there any more, and nothing need be
	case errors.IsAlreadyExists(err):
		return t.taken(ctx, name, patch)
	case err != nil:
		return nil, err
	}
	t.note(created)
	return created.(*appsv1.ControllerRevision), nil
}

// taken returns the revision that has the name, if it holds the template, and
// otherwise makes the next turn hash to another name.
func (t *turn) taken(ctx context.Context, name string, patch []byte) (*appsv1.ControllerRevision, error) {
	obj, err := t.client.Get(ctx, history.Resource, t.ds.Namespace, name)
	if err != nil {
		return nil, err
	}
	if revision := obj.(*appsv1.ControllerRevision); history.Holds(revision, patch) {
		return revision, nil
	}
	next := t.ds.DeepCopy()
	count := int32(1)
	if next.Status.CollisionCount != nil {
		count += *next.Status.CollisionCount
	}
	next.Status.CollisionCount = &count
	written, err := t.client.UpdateStatus(ctx, resource, next)
	if err == nil {
		t.note(written)
	}
	return nil, err
}

// trimHistory deletes the oldest revisions beyond the limit that no pod is of.
func (t *turn) trimHistory(ctx context.Context, old []*appsv1.ControllerRevision) error {
	limit := t.ds.Spec.RevisionHistoryLimit
	if limit == nil || len(old) <= int(*limit) {
		return nil
	}
	excess := len(old) - int(*limit)
	history.Sort(old)
	for _, revision := range old {
		if excess == 0 {
			break
		}
		hash := revision.Labels[history.HashLabel]
		if slices.ContainsFunc(t.pods, func(pod *corev1.Pod) bool { return hash != "" && pod.Labels[history.HashLabel] == hash }) {
			continue
		}
		if err := t.client.Delete(ctx, history.Resource, revision.Namespace, revision.Name, metav1.DeleteOptions{}); err != nil && !errors.IsNotFound(err) {
			return err
		}
		excess--
	}
	return nil
}
