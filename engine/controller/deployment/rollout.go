package deployment

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/store"
)

// rollout is one turn on one Deployment.
type rollout struct {
	*loop
	// d is the turn's own copy, at the newest revision that it has written.
	d *appsv1.Deployment
	// current is the ReplicaSet of the present template, nil if there is none;
	// old are the others. They are shared with the cache.
	current *appsv1.ReplicaSet
	old     []*appsv1.ReplicaSet
	// nextCheck is when to look again even if nothing changes; 0 is never.
	nextCheck time.Duration
}

// begin finds the Deployment's ReplicaSets, adopting and releasing what must be.
func (l *loop) begin(ctx context.Context, stored *appsv1.Deployment) (*rollout, error) {
	selector, err := metav1.LabelSelectorAsSelector(stored.Spec.Selector)
	if err != nil {
		return nil, err
	}
	owner := &claim.Owner{Object: stored, Resource: resource, Kind: kind}
	owned := cache.Find[*appsv1.ReplicaSet](l.cache, replicaSetResource, cache.ByController, string(stored.UID))
	kept, adopted, err := claim.Select(ctx, l.client, owner, replicaSetResource, selector, owned, l.orphans.In(stored.Namespace))
	if err != nil {
		return nil, err
	}
	r := &rollout{loop: l, d: stored.DeepCopy(), old: append(kept, adopted...)}
	r.findCurrent()
	return r, nil
}

// findCurrent separates the ReplicaSet of the Deployment's template from the
// old ones. Should there be several, the oldest one is it.
func (r *rollout) findCurrent() {
	slices.SortFunc(r.old, byCreation)
	i := slices.IndexFunc(r.old, func(rs *appsv1.ReplicaSet) bool { return sameTemplate(&rs.Spec.Template, &r.d.Spec.Template) })
	if i >= 0 {
		r.current = r.old[i]
		r.old = slices.Delete(r.old, i, i+1)
	}
}

// all are the old ReplicaSets and the current one.
func (r *rollout) all() []*appsv1.ReplicaSet {
	if r.current == nil {
		return r.old
	}
	return append(slices.Clip(r.old), r.current)
}

// note remembers that the cache has to show a write before the next turn.
func (r *rollout) note(obj store.Object) {
	r.written.Note(controller.Request{Namespace: r.d.Namespace, Name: r.d.Name}, obj)
}

// replace puts a ReplicaSet as written in the place of what it was before.
func (r *rollout) replace(rs *appsv1.ReplicaSet) {
	r.note(rs)
	if r.current != nil && r.current.UID == rs.UID {
		r.current = rs
	}
	for i := range r.old {
		if r.old[i].UID == rs.UID {
			r.old[i] = rs
		}
	}
}

// sameTemplate compares two templates but for the hash label.
func sameTemplate(a, b *corev1.PodTemplateSpec) bool {
	x, y := *a, *b
	x.Labels, y.Labels = withoutHash(a.Labels), withoutHash(b.Labels)
	return equality.Semantic.DeepEqual(&x, &y)
}

func withoutHash(labels map[string]string) map[string]string {
	if _, ok := labels[appsv1.DefaultDeploymentUniqueLabelKey]; !ok {
		return labels
	}
	labels = maps.Clone(labels)
	delete(labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return labels
}

func byCreation(a, b *appsv1.ReplicaSet) int {
	return cmp.Or(a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

// active are those that have, or ought to have, pods.
func active(sets []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	var filtered []*appsv1.ReplicaSet
	for _, rs := range sets {
		if *rs.Spec.Replicas > 0 {
			filtered = append(filtered, rs)
		}
	}
	return filtered
}

func sum(sets []*appsv1.ReplicaSet, of func(*appsv1.ReplicaSet) int32) int32 {
	total := int32(0)
	for _, rs := range sets {
		total += of(rs)
	}
	return total
}

func wanted(rs *appsv1.ReplicaSet) int32    { return *rs.Spec.Replicas }
func actual(rs *appsv1.ReplicaSet) int32    { return rs.Status.Replicas }
func ready(rs *appsv1.ReplicaSet) int32     { return rs.Status.ReadyReplicas }
func available(rs *appsv1.ReplicaSet) int32 { return rs.Status.AvailableReplicas }
