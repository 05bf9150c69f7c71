// Package namespace is the control loop that empties a deleted namespace, says
// in its conditions what is in the way, and lets it go when nothing is left.
//
// What is in a namespace is known from the list of kinds that is passed in;
// nothing here knows one of them but pods, which go first.
package namespace

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "namespace-controller"

	resource    = "namespaces"
	podResource = "pods"
	workers     = 10 // as kube-controller-manager's --concurrent-namespace-syncs
)

type loop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
	kinds  []*kind.Kind // the namespaced ones that can be deleted, pods first
	custom func() []*kind.Kind
}

// New returns the control loop over the namespaced ones of the kinds, and of those
// that custom returns at the time.
func New(cache *cache.Cache, client client.Client, _ events.Recorder, clock clock.Clock, kinds []*kind.Kind, custom func() []*kind.Kind) controller.Controller {
	l := &loop{cache: cache, client: client, clock: clock, custom: custom}
	watches := []controller.Watch{{Resource: resource, Map: forNamespace}, {Resource: controller.Custom, Map: l.forContent}}
	for _, k := range kinds {
		if !k.Namespaced || slices.Contains(k.NoVerbs, "delete") {
			continue
		}
		watches = append(watches, controller.Watch{Resource: k.Resource(), Map: l.forContent})
		if k.Resource() == podResource {
			l.kinds = slices.Insert(l.kinds, 0, k)
		} else {
			l.kinds = append(l.kinds, k)
		}
	}
	return controller.Controller{Name: Name, Watches: watches, Reconciler: l, Workers: workers}
}

func forNamespace(event store.Event) []controller.Request {
	if event.Type == store.Deleted || event.Object.GetDeletionTimestamp() == nil {
		return nil
	}
	return controller.ForObject(event)
}

// forContent looks again when something has gone from a deleted namespace.
func (l *loop) forContent(event store.Event) []controller.Request {
	if event.Type != store.Deleted {
		return nil
	}
	ns, ok := cache.Get[*corev1.Namespace](l.cache, resource, "", event.Key.Namespace)
	if !ok || ns.DeletionTimestamp == nil {
		return nil
	}
	return []controller.Request{{Name: ns.Name}}
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	ns, ok := cache.Get[*corev1.Namespace](l.cache, resource, "", request.Name)
	if !ok || ns.DeletionTimestamp == nil || len(ns.Spec.Finalizers) == 0 {
		return controller.Result{}, nil
	}
	result, err := l.finish(ctx, ns)
	if errors.IsNotFound(err) {
		err = nil // it has gone meanwhile
	}
	return result, err
}

func (l *loop) finish(ctx context.Context, ns *corev1.Namespace) (controller.Result, error) {
	left := l.deleteContent(ctx, ns)
	next := ns.DeepCopy()
	next.Status.Phase = corev1.NamespaceTerminating
	if l.setConditions(&next.Status, left) || ns.Status.Phase != next.Status.Phase {
		written, err := l.client.UpdateStatus(ctx, resource, next)
		if err != nil {
			return controller.Result{}, err
		}
		next = written.(*corev1.Namespace).DeepCopy()
	}
	if left.err != nil {
		return controller.Result{}, left.err
	}
	if left.wait > 0 {
		return controller.Result{RequeueAfter: time.Duration(left.wait/2+1) * time.Second}, nil
	}
	next.Spec.Finalizers = slices.DeleteFunc(next.Spec.Finalizers, func(f corev1.FinalizerName) bool { return f == corev1.FinalizerKubernetes })
	_, err := l.client.Finalize(ctx, next)
	return controller.Result{}, err
}
