// Package statefulset is the control loop that gives each StatefulSet its pods,
// which have numbers, names and claims of their own that outlive them: it
// creates and deletes them in order (or all at once), rolls out new templates
// from the last to the first, and keeps the history of templates.
package statefulset

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/controller/internal/history"
	"tidepool.dev/tidepool/engine/controller/internal/orphans"
	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "statefulset-controller"

	resource      = "statefulsets.apps"
	podResource   = "pods"
	claimResource = "persistentvolumeclaims"

	workers = 5 // as kube-controller-manager's --concurrent-statefulset-syncs
)

var (
	kind    = appsv1.SchemeGroupVersion.WithKind("StatefulSet")
	podKind = corev1.SchemeGroupVersion.WithKind("Pod")
)

type loop struct {
	cache      *cache.Cache
	client     client.Client
	recorder   events.Recorder
	clock      clock.Clock
	expected   *podcontrol.Control
	podOrphans orphans.Set
	revOrphans orphans.Set
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock, expected: podcontrol.New(cache, client, recorder)}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: l.forSet},
			{Resource: history.Resource, Map: func(event store.Event) []controller.Request { return l.forOwned(&l.revOrphans, event) }},
			{Resource: podResource, Map: func(event store.Event) []controller.Request { return l.forOwned(&l.podOrphans, event) }},
		},
		Reconciler: l,
		Workers:    workers,
	}
}

func (l *loop) forSet(event store.Event) []controller.Request {
	if event.Type == store.Deleted {
		l.expected.Forget(event.Object.GetUID())
	}
	return controller.ForObject(event)
}

var forOwner = controller.ForOwner(kind.Kind)

func (l *loop) forOwned(set *orphans.Set, event store.Event) []controller.Request {
	set.Observe(event)
	requests := forOwner(event)
	if event.Type == store.Deleted || metav1.GetControllerOfNoCopy(event.Object) != nil {
		return requests
	}
	for _, sts := range cache.List[*appsv1.StatefulSet](l.cache, resource, event.Key.Namespace) {
		if selector, err := metav1.LabelSelectorAsSelector(sts.Spec.Selector); err == nil && claim.Adoptable(event.Object, selector) {
			requests = append(requests, controller.Request{Namespace: sts.Namespace, Name: sts.Name})
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	stored, ok := cache.Get[*appsv1.StatefulSet](l.cache, resource, request.Namespace, request.Name)
	if !ok || !l.expected.Settled(stored) {
		return controller.Result{}, nil // an event to come will lead to another turn
	}
	t, err := l.begin(ctx, stored)
	if err == nil {
		err = t.update(ctx)
	}
	switch {
	case errors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return controller.Result{}, nil // nothing can be created there any more, and nothing need be
	case err != nil:
		return controller.Result{}, err
	}
	return controller.Result{RequeueAfter: t.nextCheck}, nil
}

// turn is one turn on one StatefulSet.
type turn struct {
	*loop
	set  *appsv1.StatefulSet
	pods []*corev1.Pod
	// revisions are all, the oldest first; current is that which the rollout
	// comes from and next that of the present template.
	revisions     []*appsv1.ControllerRevision
	current, next *appsv1.ControllerRevision
	collisions    int32
	// templates of the two revisions.
	currentTemplate, nextTemplate *corev1.PodTemplateSpec
	// replicas are the pods that the set has or is to have, by their place;
	// condemned are those beyond, the last first.
	replicas, condemned []*corev1.Pod
	rolled              int32         // current pods that the turn has deleted for the next revision
	nextCheck           time.Duration // when to look again even if nothing changes; 0 is never
}

// begin finds the set's pods and revisions, adopting and releasing what must be.
func (l *loop) begin(ctx context.Context, stored *appsv1.StatefulSet) (*turn, error) {
	selector, err := metav1.LabelSelectorAsSelector(stored.Spec.Selector)
	if err != nil {
		return nil, err
	}
	t := &turn{loop: l, set: stored}
	owner := &claim.Owner{Object: stored, Resource: resource, Kind: kind}
	ownedRevisions := cache.Find[*appsv1.ControllerRevision](l.cache, history.Resource, cache.ByController, string(stored.UID))
	kept, adopted, err := claim.Select(ctx, l.client, owner, history.Resource, selector, ownedRevisions, l.revOrphans.In(stored.Namespace))
	if err != nil {
		return nil, err
	}
	for _, revision := range adopted {
		l.expected.Wrote(stored, revision)
	}
	t.revisions = append(kept, adopted...)
	// Only pods with a name of the set's are its members.
	var strangers []*corev1.Pod
	owned := cache.Find[*corev1.Pod](l.cache, podResource, cache.ByController, string(stored.UID))
	members := owned[:0:0]
	for _, pod := range owned {
		if isMember(stored, pod) {
			members = append(members, pod)
		} else {
			strangers = append(strangers, pod)
		}
	}
	var candidates []store.Object
	for _, orphan := range l.podOrphans.In(stored.Namespace) {
		if isMember(stored, orphan) {
			candidates = append(candidates, orphan)
		}
	}
	pods, adoptedPods, err := claim.Select(ctx, l.client, owner, podResource, selector, members, candidates)
	if err != nil {
		return nil, err
	}
	for _, pod := range adoptedPods {
		l.expected.Wrote(stored, pod)
	}
	t.pods = append(pods, adoptedPods...)
	if stored.DeletionTimestamp == nil {
		for _, pod := range strangers {
			if err := owner.Release(ctx, l.client, podResource, pod); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// checkAfter asks for another turn within a time.
func (t *turn) checkAfter(wait time.Duration) {
	if wait > 0 && (t.nextCheck == 0 || wait < t.nextCheck) {
		t.nextCheck = wait
	}
}
