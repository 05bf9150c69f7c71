// Package serviceaccount is the control loop that gives each namespace the
// ServiceAccount "default", which pods run as unless they name another.
package serviceaccount

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "service-account-controller"

	resource          = "serviceaccounts"
	namespaceResource = "namespaces"
	account           = "default"
)

type loop struct {
	cache  *cache.Cache
	client client.Client
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, _ events.Recorder, _ clock.Clock) controller.Controller {
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: namespaceResource, Map: controller.ForObject},
			{Resource: resource, Map: forAccount},
		},
		Reconciler: &loop{cache, client},
	}
}

// forAccount puts the account back when it has been deleted.
func forAccount(event store.Event) []controller.Request {
	if event.Type != store.Deleted || event.Key.Name != account {
		return nil
	}
	return []controller.Request{{Name: event.Key.Namespace}}
}

// Reconcile implements controller.Reconciler; requests name namespaces.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	ns, ok := cache.Get[*corev1.Namespace](l.cache, namespaceResource, "", request.Name)
	if !ok || ns.Status.Phase != corev1.NamespaceActive {
		return controller.Result{}, nil
	}
	if _, ok := cache.Get[*corev1.ServiceAccount](l.cache, resource, ns.Name, account); ok {
		return controller.Result{}, nil
	}
	_, err := l.client.Create(ctx, resource, &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns.Name, Name: account},
	})
	if errors.IsAlreadyExists(err) || errors.IsNotFound(err) || errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		err = nil
	}
	return controller.Result{}, err
}
