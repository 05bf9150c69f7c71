package statefulset

import (
	"context"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/controller/internal/history"
	"tidepool.dev/tidepool/engine/controller/internal/templatehash"
)

// revisionHashLabel is the label by which a revision says its own hash.
const revisionHashLabel = "controller.kubernetes.io/hash"

// findRevisions finds or makes the revision of the present template, and that
// which the rollout comes from.
func (t *turn) findRevisions(ctx context.Context) error {
	if t.set.Status.CollisionCount != nil {
		t.collisions = *t.set.Status.CollisionCount
	}
	history.Sort(t.revisions)
	patch, err := history.Patch(&t.set.Spec.Template)
	if err != nil {
		return err
	}
	var equal *appsv1.ControllerRevision
	for _, revision := range t.revisions {
		if history.Holds(revision, patch) {
			equal = revision
		}
	}
	switch {
	case equal == nil:
		t.next, err = t.create(ctx, patch)
	case equal != t.revisions[len(t.revisions)-1]:
		t.next, err = t.renumber(ctx, equal) // the template has been returned to
	default:
		t.next = equal
	}
	if err != nil {
		return err
	}
	t.current = t.next
	for _, revision := range t.revisions {
		if revision.Name == t.set.Status.CurrentRevision {
			t.current = revision
		}
	}
	if t.currentTemplate, err = history.Template(t.current.Data.Raw); err != nil {
		return err
	}
	t.nextTemplate, err = history.Template(t.next.Data.Raw)
	return err
}

func (t *turn) renumber(ctx context.Context, revision *appsv1.ControllerRevision) (*appsv1.ControllerRevision, error) {
	number := history.Next(t.revisions)
	renumbered := revision.DeepCopy()
	renumbered.Revision = number
	written, err := t.client.Update(ctx, history.Resource, renumbered)
	if err != nil {
		return nil, err
	}
	t.expected.Wrote(t.set, written)
	return written.(*appsv1.ControllerRevision), nil
}

// create makes a revision, with another name as long as others have its.
func (t *turn) create(ctx context.Context, patch []byte) (*appsv1.ControllerRevision, error) {
	labels := maps.Clone(t.set.Spec.Template.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[revisionHashLabel] = templatehash.OfRevision(patch, &t.collisions)
	prefix := t.set.Name
	if len(prefix) > longestPrefix {
		prefix = prefix[:longestPrefix]
	}
	for {
		name := prefix + "-" + templatehash.OfRevision(patch, &t.collisions)
		obj, err := t.client.Create(ctx, history.Resource, &appsv1.ControllerRevision{
			ObjectMeta: metav1.ObjectMeta{
				Name:            name,
				Namespace:       t.set.Namespace,
				Labels:          maps.Clone(labels),
				Annotations:     maps.Clone(t.set.Annotations),
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(t.set, kind)},
			},
			Data:     runtime.RawExtension{Raw: patch},
			Revision: history.Next(t.revisions),
		})
		if errors.IsAlreadyExists(err) {
			if obj, err = t.client.Get(ctx, history.Resource, t.set.Namespace, name); err == nil && !history.Holds(obj.(*appsv1.ControllerRevision), patch) {
				t.collisions++
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		t.expected.Wrote(t.set, obj)
		return obj.(*appsv1.ControllerRevision), nil
	}
}

// longestPrefix leaves room for the hash in the name of a revision.
const longestPrefix = 223

// trimHistory deletes the oldest revisions beyond the limit that are of no use.
func (t *turn) trimHistory(ctx context.Context) error {
	limit := int(*t.set.Spec.RevisionHistoryLimit)
	unused := slices.DeleteFunc(slices.Clone(t.revisions), func(revision *appsv1.ControllerRevision) bool {
		if revision.Name == t.current.Name || revision.Name == t.next.Name {
			return true
		}
		for _, pod := range t.pods {
			if revisionOf(pod) == revision.Name {
				return true
			}
		}
		return false
	})
	if limit < 0 || len(unused) <= limit {
		return nil
	}
	for _, revision := range unused[:len(unused)-limit] {
		if err := t.client.Delete(ctx, history.Resource, revision.Namespace, revision.Name, metav1.DeleteOptions{}); err != nil && !errors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
