package replicaset

import (
	"context"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/store"
)

// observation is what a turn acts on.
type observation struct {
	counts
	labelled, available int
	nextCheck           time.Duration // until another pod becomes available
	settled             bool          // everything that the loop has written is counted
}

// observe counts the ReplicaSet's pods, after it has adopted and released what
// must be. The ledger's counts do, unless the pods' labels differ or it matters
// how long they have been ready.
func (l *loop) observe(ctx context.Context, rs *appsv1.ReplicaSet, selector labels.Selector) (observation, error) {
	sum := l.ledger.read(rs.UID)
	alike := sum.uniform && (sum.pods == 0 || selector.Matches(labels.Set(sum.labels)))
	var owned, active, terminating []*corev1.Pod
	if !alike || rs.Spec.MinReadySeconds > 0 {
		owned = cache.Find[*corev1.Pod](l.cache, podResource, cache.ByController, string(rs.UID))
	}
	for _, pod := range owned {
		switch {
		case podutil.Active(pod):
			active = append(active, pod)
		case podutil.Terminating(pod) && selector.Matches(labels.Set(pod.Labels)):
			terminating = append(terminating, pod)
		}
	}
	orphans := slices.DeleteFunc(l.orphans.In(rs.Namespace), func(obj store.Object) bool {
		return !podutil.Active(obj.(*corev1.Pod))
	})
	owner := &claim.Owner{Object: rs, Resource: l.Resource, Kind: l.Kind}
	active, adopted, err := claim.Select(ctx, l.client, owner, podResource, selector, active, orphans)
	for _, pod := range adopted {
		l.ledger.wrote(rs.UID, pod)
	}
	if err != nil {
		return observation{}, err
	}
	template := labels.SelectorFromValidatedSet(rs.Spec.Template.Labels)
	o := observation{settled: sum.settled && len(adopted) == 0}
	if owned == nil && alike {
		o.counts, o.available = sum.counts, sum.ready
		if template.Matches(labels.Set(sum.labels)) {
			o.labelled = sum.active
		}
		return o, nil
	}
	o.terminating = len(terminating)
	now, minReady := l.clock.Now(), time.Duration(rs.Spec.MinReadySeconds)*time.Second
	for _, pod := range active {
		o.counts.add(pod, +1)
		if template.Matches(labels.Set(pod.Labels)) {
			o.labelled++
		}
		available, wait := podutil.Available(pod, minReady, now)
		if available {
			o.available++
		} else if wait > 0 && (o.nextCheck == 0 || wait < o.nextCheck) {
			o.nextCheck = wait
		}
	}
	return o, nil
}
