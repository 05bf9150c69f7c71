// Package daemonset is the control loop that runs one pod of each DaemonSet on
// every node that should have one, follows nodes as they come, go and change
// their labels and taints, and rolls out new templates node by node, keeping
// their history.
//
// Which node a pod is for is written into its node affinity; the scheduler
// binds it there.
package daemonset

import (
	"context"
	"maps"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/controller/internal/history"
	"tidepool.dev/tidepool/engine/controller/internal/orphans"
	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/controller/internal/written"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "daemonset-controller"

	resource     = "daemonsets.apps"
	podResource  = "pods"
	nodeResource = "nodes"

	// coalesce is how long changes of pods and nodes wait for more of them.
	coalesce = 10 * time.Millisecond
	workers  = 2 // as kube-controller-manager's --concurrent-daemonset-syncs
	burst    = 250
)

var kind = appsv1.SchemeGroupVersion.WithKind("DaemonSet")

type loop struct {
	cache      *cache.Cache
	client     client.Client
	recorder   events.Recorder
	clock      clock.Clock
	pods       *podcontrol.Control
	podOrphans orphans.Set
	revOrphans orphans.Set
	written    written.Log
	failedPods backoff
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock, pods: podcontrol.New(cache, client, recorder)}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: l.forDaemonSet},
			{Resource: history.Resource, Map: func(event store.Event) []controller.Request { return l.forOwned(&l.revOrphans, event) }},
			{Resource: podResource, Map: func(event store.Event) []controller.Request { return l.forOwned(&l.podOrphans, event) }},
			{Resource: nodeResource, Map: l.forNode},
		},
		Reconciler: l,
		Delay:      coalesce,
		Workers:    workers,
	}
}

func (l *loop) forDaemonSet(event store.Event) []controller.Request {
	if event.Type == store.Deleted {
		l.pods.Forget(event.Object.GetUID())
		l.failedPods.forget(event.Object.GetUID())
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
	for _, ds := range cache.List[*appsv1.DaemonSet](l.cache, resource, event.Key.Namespace) {
		if selector, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector); err == nil && claim.Adoptable(event.Object, selector) {
			requests = append(requests, controller.Request{Namespace: ds.Namespace, Name: ds.Name})
		}
	}
	return requests
}

// forNode asks every DaemonSet to look when a node comes or goes or may have
// become another one's place.
func (l *loop) forNode(event store.Event) []controller.Request {
	if event.Type == store.Modified {
		was, is := event.Prev.(*corev1.Node), event.Object.(*corev1.Node)
		if maps.Equal(was.Labels, is.Labels) && equality.Semantic.DeepEqual(was.Spec.Taints, is.Spec.Taints) {
			return nil
		}
	}
	var requests []controller.Request
	for _, ds := range cache.List[*appsv1.DaemonSet](l.cache, resource, "") {
		requests = append(requests, controller.Request{Namespace: ds.Namespace, Name: ds.Name})
	}
	return requests
}

// turn is what one turn on a DaemonSet knows.
type turn struct {
	*loop
	ds          *appsv1.DaemonSet
	hash        string // of the present template's revision
	nodes       []*corev1.Node
	tolerations []corev1.Toleration
	affinity    nodeaffinity.RequiredNodeAffinity
	pods        []*corev1.Pod
	nextCheck   time.Duration // when to look again even if nothing changes; 0 is never
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if l.written.Pending(request, l.cache.Revision()) {
		return controller.Result{}, nil // its event will lead to another turn
	}
	ds, ok := cache.Get[*appsv1.DaemonSet](l.cache, resource, request.Namespace, request.Name)
	if !ok || ds.DeletionTimestamp != nil {
		return controller.Result{}, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(ds.Spec.Selector)
	if err != nil {
		return controller.Result{}, err
	}
	owner := &claim.Owner{Object: ds, Resource: resource, Kind: kind}
	pods, err := l.claimPods(ctx, owner, selector)
	if err != nil {
		return controller.Result{}, err
	}
	t := &turn{
		loop: l, ds: ds, pods: pods,
		nodes:       cache.List[*corev1.Node](l.cache, nodeResource, ""),
		tolerations: daemonTolerations(&ds.Spec.Template.Spec),
		affinity:    nodeaffinity.NewRequiredNodeAffinity(ds.Spec.Template.Spec.NodeSelector, ds.Spec.Template.Spec.Affinity),
	}
	old, err := t.revisions(ctx, owner, selector)
	if err != nil || t.hash == "" {
		return controller.Result{}, err
	}
	if !l.pods.Settled(ds) {
		return controller.Result{}, t.updateStatus(ctx, false)
	}
	err = t.update(ctx, old)
	if statusErr := t.updateStatus(ctx, true); err == nil {
		err = statusErr
	}
	return controller.Result{RequeueAfter: t.nextCheck}, err
}

func (l *loop) claimPods(ctx context.Context, owner *claim.Owner, selector labels.Selector) ([]*corev1.Pod, error) {
	ds := owner.Object
	owned := cache.Find[*corev1.Pod](l.cache, podResource, cache.ByController, string(ds.GetUID()))
	kept, adopted, err := claim.Select(ctx, l.client, owner, podResource, selector, owned, l.podOrphans.In(ds.GetNamespace()))
	for _, pod := range adopted {
		l.pods.Wrote(ds, pod)
	}
	return append(kept, adopted...), err
}

// update brings pods to nodes, rolls out the template and trims its history.
func (t *turn) update(ctx context.Context, old []*appsv1.ControllerRevision) error {
	if err := t.manage(ctx); err != nil {
		return err
	}
	if t.ds.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType && t.loop.pods.Settled(t.ds) {
		if err := t.roll(ctx); err != nil {
			return err
		}
	}
	return t.trimHistory(ctx, old)
}

// checkAfter asks for another turn within a time.
func (t *turn) checkAfter(wait time.Duration) {
	if wait > 0 && (t.nextCheck == 0 || wait < t.nextCheck) {
		t.nextCheck = wait
	}
}
