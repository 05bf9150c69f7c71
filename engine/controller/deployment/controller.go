// Package deployment is the control loop that brings a Deployment's pods to its
// template: it keeps one ReplicaSet per revision of the template, rolls from
// the old ones to the new one within the strategy's limits, scales them, keeps
// the history and reports progress.
//
// It never touches pods; that is package replicaset's business.
package deployment

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	Name = "deployment-controller"

	resource           = "deployments.apps"
	replicaSetResource = "replicasets.apps"
	podResource        = "pods"

	workers = 5 // as kube-controller-manager's --concurrent-deployment-syncs
)

var kind = appsv1.SchemeGroupVersion.WithKind("Deployment")

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	orphans  orphans.Set
	written  written.Log
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: controller.ForObject},
			{Resource: replicaSetResource, Map: l.forReplicaSet},
			{Resource: podResource, Map: l.forPod},
		},
		Reconciler: l,
		Workers:    workers,
	}
}

var forOwner = controller.ForOwner(kind.Kind)

func (l *loop) forReplicaSet(event store.Event) []controller.Request {
	l.orphans.Observe(event)
	requests := forOwner(event)
	if event.Type == store.Deleted || metav1.GetControllerOfNoCopy(event.Object) != nil {
		return requests
	}
	for _, d := range cache.List[*appsv1.Deployment](l.cache, resource, event.Key.Namespace) {
		if selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector); err == nil && claim.Adoptable(event.Object, selector) {
			requests = append(requests, controller.Request{Namespace: d.Namespace, Name: d.Name})
		}
	}
	return requests
}

// forPod wakes a Deployment that recreates its pods when an old one is gone.
func (l *loop) forPod(event store.Event) []controller.Request {
	if event.Type != store.Deleted {
		return nil
	}
	ref := metav1.GetControllerOfNoCopy(event.Object)
	if ref == nil || ref.Kind != "ReplicaSet" {
		return nil
	}
	rs, ok := cache.Get[*appsv1.ReplicaSet](l.cache, replicaSetResource, event.Key.Namespace, ref.Name)
	if !ok || rs.UID != ref.UID {
		return nil
	}
	ref = metav1.GetControllerOfNoCopy(rs)
	if ref == nil || ref.Kind != kind.Kind {
		return nil
	}
	d, ok := cache.Get[*appsv1.Deployment](l.cache, resource, event.Key.Namespace, ref.Name)
	if !ok || d.UID != ref.UID || d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		return nil
	}
	return []controller.Request{{Namespace: d.Namespace, Name: d.Name}}
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if l.written.Pending(request, l.cache.Revision()) {
		return controller.Result{}, nil // its event will lead to another turn
	}
	stored, ok := cache.Get[*appsv1.Deployment](l.cache, resource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	r, err := l.begin(ctx, stored)
	if err == nil {
		err = r.proceed(ctx)
	}
	if errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return controller.Result{}, nil // nothing can be created there any more, and nothing need be
	}
	if err != nil {
		return controller.Result{}, err
	}
	return controller.Result{RequeueAfter: r.nextCheck}, nil
}

// proceed takes the next step that the Deployment's state asks for.
func (r *rollout) proceed(ctx context.Context) error {
	if r.d.DeletionTimestamp != nil {
		if err := r.syncRevision(ctx); err != nil {
			return err
		}
		return r.writeStatus(ctx, r.calculateStatus())
	}
	if err := r.notePause(ctx); err != nil {
		return err
	}
	if !r.d.Spec.Paused {
		if revision, ok := rollbackTo(r.d); ok {
			return r.rollback(ctx, revision)
		}
	}
	if err := r.syncRevision(ctx); err != nil {
		return err
	}
	if r.d.Spec.Paused || r.resized() {
		return r.resize(ctx)
	}
	switch r.d.Spec.Strategy.Type {
	case appsv1.RecreateDeploymentStrategyType:
		return r.recreate(ctx)
	case appsv1.RollingUpdateDeploymentStrategyType:
		return r.roll(ctx)
	}
	return fmt.Errorf("unexpected deployment strategy type: %s", r.d.Spec.Strategy.Type)
}
