// Package replicaset is the control loop that keeps as many pods of each
// ReplicaSet as it asks for: it creates what is missing, deletes what is too
// many, adopts orphans that match, releases pods that no longer do, and counts.
//
// What pods look like once they exist (scheduling, starting, readiness) is not
// its business; which template is the right one is that of package deployment.
package replicaset

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/controller/internal/orphans"
	"tidepool.dev/tidepool/engine/controller/internal/written"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "replicaset-controller"

	podResource = "pods"

	// coalesce is how long the changes of a ReplicaSet's pods wait for more of
	// them, so that a thousand pods that become ready cost a few status writes.
	coalesce = 10 * time.Millisecond
	workers  = 5 // as kube-controller-manager's --concurrent-replicaset-syncs
)

// Workload is a kind that this loop runs: its objects, seen as ReplicaSets.
type Workload struct {
	// Name is the component in events and causes.
	Name     string
	Resource string
	Kind     schema.GroupVersionKind
	// Show makes an object a ReplicaSet that keeps the object's own kind and
	// shares its parts; Restore makes it an object again, with the ReplicaSet's
	// status.
	Show    func(store.Object) *appsv1.ReplicaSet
	Restore func(*appsv1.ReplicaSet) store.Object
	// CountsTerminating says whether the status tells of terminating pods.
	CountsTerminating bool
}

type loop struct {
	Workload
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	ledger   *ledger
	orphans  orphans.Set
	written  written.Log
}

// New returns the control loop of ReplicaSets.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	return NewFor(Workload{
		Name:              Name,
		Resource:          "replicasets.apps",
		Kind:              appsv1.SchemeGroupVersion.WithKind("ReplicaSet"),
		Show:              func(obj store.Object) *appsv1.ReplicaSet { return obj.(*appsv1.ReplicaSet) },
		Restore:           func(rs *appsv1.ReplicaSet) store.Object { return rs },
		CountsTerminating: true,
	}, cache, client, recorder, clock)
}

// NewFor returns the control loop of another kind that works alike.
func NewFor(workload Workload, cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{Workload: workload, cache: cache, client: client, recorder: recorder, clock: clock, ledger: newLedger(workload.Kind.Kind)}
	return controller.Controller{
		Name: workload.Name,
		Watches: []controller.Watch{
			{Resource: workload.Resource, Map: l.forReplicaSet},
			{Resource: podResource, Map: l.forPod},
		},
		Reconciler: l,
		Delay:      coalesce,
		Workers:    workers,
	}
}

func (l *loop) forReplicaSet(event store.Event) []controller.Request {
	if event.Type == store.Deleted {
		l.ledger.forget(event.Object.GetUID())
	}
	return controller.ForObject(event)
}

func (l *loop) forPod(event store.Event) []controller.Request {
	l.orphans.Observe(event)
	if l.ledger.observe(event) {
		if requests := controller.ForOwner(l.Kind.Kind)(event); requests != nil {
			return requests
		}
	}
	if event.Type == store.Deleted || metav1.GetControllerOfNoCopy(event.Object) != nil {
		return nil
	}
	var requests []controller.Request
	for _, obj := range cache.List[store.Object](l.cache, l.Resource, event.Key.Namespace) {
		rs := l.Show(obj)
		if selector, err := metav1.LabelSelectorAsSelector(rs.Spec.Selector); err == nil && claim.Adoptable(event.Object, selector) {
			requests = append(requests, controller.Request{Namespace: rs.Namespace, Name: rs.Name})
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if l.written.Pending(request, l.cache.Revision()) {
		return controller.Result{}, nil // its event will lead to another turn
	}
	obj, ok := cache.Get[store.Object](l.cache, l.Resource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	rs := l.Show(obj)
	selector, err := metav1.LabelSelectorAsSelector(rs.Spec.Selector)
	if err != nil {
		return controller.Result{}, err
	}
	observed, err := l.observe(ctx, rs, selector)
	if err != nil {
		return controller.Result{}, err
	}
	var manageErr error
	if observed.settled && rs.DeletionTimestamp == nil {
		manageErr = l.manage(ctx, rs, selector, observed.active)
	}
	err = l.updateStatus(ctx, rs, observed, manageErr)
	if manageErr != nil {
		err = manageErr
	}
	return controller.Result{RequeueAfter: observed.nextCheck}, err
}
