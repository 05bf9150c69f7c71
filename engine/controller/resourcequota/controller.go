// Package resourcequota is the control loop that counts what a namespace's
// quotas limit (k8s.io/kubernetes/pkg/controller/resourcequota upstream).
//
// Admission charges a quota for what is created; this loop gives back what has
// gone, finds what was there before the quota, and takes over a changed spec.
package resourcequota

import (
	"context"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/quota"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "resourcequota-controller"

	resource = "resourcequotas"
	// resync is how often a quota is counted anew even if nothing has gone:
	// charges whose objects were then not created are found so
	// (kube-controller-manager --resource-quota-sync-period).
	resync = 5 * time.Minute
)

type loop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
	// counted are the resources whose objects quotas may limit.
	counted []string
}

// New returns the control loop for the served kinds.
func New(cache *cache.Cache, client client.Client, _ events.Recorder, clock clock.Clock, kinds []*kind.Kind) controller.Controller {
	l := &loop{cache: cache, client: client, clock: clock}
	watches := []controller.Watch{{Resource: resource, Map: l.forQuota}}
	for _, k := range kinds {
		if !k.Namespaced || quota.Ignored(k.Resource()) {
			continue
		}
		l.counted = append(l.counted, k.Resource())
		if k.Resource() != resource {
			watches = append(watches, controller.Watch{Resource: k.Resource(), Map: l.forFreed})
		}
	}
	return controller.Controller{Name: Name, Watches: watches, Reconciler: l, Workers: 5}
}

// forQuota requests a quota that is new or has another spec: its status is
// written by this loop and by admission. A quota that is gone has been counted
// by others.
func (l *loop) forQuota(event store.Event) []controller.Request {
	if event.Type == store.Deleted {
		return l.forFreed(event)
	}
	if event.Prev != nil && equality.Semantic.DeepEqual(event.Prev.(*corev1.ResourceQuota).Spec, event.Object.(*corev1.ResourceQuota).Spec) {
		return nil
	}
	return controller.ForObject(event)
}

// forFreed requests a namespace's quotas when something of it may use less.
func (l *loop) forFreed(event store.Event) []controller.Request {
	if event.Type != store.Deleted && (event.Prev == nil || !uses(event.Prev, event.Object)) {
		return nil
	}
	var requests []controller.Request
	for _, q := range cache.List[*corev1.ResourceQuota](l.cache, resource, event.Key.Namespace) {
		requests = append(requests, controller.Request{Namespace: q.Namespace, Name: q.Name})
	}
	return requests
}

// uses reports whether an update may change what an object uses.
func uses(old, obj store.Object) bool {
	switch obj := obj.(type) {
	case *corev1.Pod:
		return hasEnded(obj) && !hasEnded(old.(*corev1.Pod))
	case *corev1.Service:
		return obj.Spec.Type != old.(*corev1.Service).Spec.Type || len(obj.Spec.Ports) != len(old.(*corev1.Service).Spec.Ports)
	case *corev1.PersistentVolumeClaim:
		return !equality.Semantic.DeepEqual(obj.Status.AllocatedResources, old.(*corev1.PersistentVolumeClaim).Status.AllocatedResources)
	}
	return false
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	q, ok := cache.Get[*corev1.ResourceQuota](l.cache, resource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	used := corev1.ResourceList{}
	for name, amount := range q.Status.Used { // of what nothing here counts
		if _, limited := q.Spec.Hard[name]; limited {
			used[name] = amount
		}
	}
	for _, counted := range l.counted {
		if len(quota.Names(q.Spec.Hard, counted)) > 0 {
			maps.Copy(used, quota.Use(&q.Spec, counted, cache.List[store.Object](l.cache, counted, q.Namespace), l.clock.Now()))
		}
	}
	next := q.DeepCopy()
	next.Status = corev1.ResourceQuotaStatus{Hard: next.Spec.Hard, Used: used}
	if q.Status.Used != nil && equality.Semantic.DeepEqual(q.Status, next.Status) {
		return controller.Result{RequeueAfter: resync}, nil
	}
	_, err := l.client.UpdateStatus(ctx, resource, next)
	if errors.IsNotFound(err) {
		return controller.Result{}, nil
	}
	return controller.Result{RequeueAfter: resync}, err
}
