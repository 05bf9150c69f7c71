// Package eventttl forgets events an hour after they last happened, as
// kube-apiserver's --event-ttl has etcd do it. A store without leases needs a
// loop for that.
package eventttl

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "event-ttl-controller"

	// TTL is kube-apiserver's default.
	TTL = time.Hour
	// period bounds how much longer than TTL an event can last.
	period   = time.Minute
	resource = "events"
)

type reconciler struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
}

// New returns the loop. Its one request stands for all events.
func New(cache *cache.Cache, client client.Client, clock clock.Clock) controller.Controller {
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{{Resource: resource, Map: func(event store.Event) []controller.Request {
			if event.Type != store.Added {
				return nil
			}
			return []controller.Request{{}}
		}}},
		Reconciler: &reconciler{cache, client, clock},
		Delay:      period,
	}
}

func (r *reconciler) Reconcile(ctx context.Context, _ controller.Request) (controller.Result, error) {
	events := cache.List[*corev1.Event](r.cache, resource, "")
	left := len(events)
	for _, event := range events {
		if r.clock.Now().Sub(lastHappened(event)) < TTL {
			continue
		}
		version := event.ResourceVersion
		err := r.client.Delete(ctx, resource, event.Namespace, event.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{ResourceVersion: &version}, // it may be happening again
		})
		if err != nil && !errors.IsNotFound(err) && !errors.IsConflict(err) {
			return controller.Result{}, err
		}
		left--
	}
	if left == 0 {
		return controller.Result{}, nil
	}
	return controller.Result{RequeueAfter: period}, nil
}

func lastHappened(event *corev1.Event) time.Time {
	switch {
	case event.Series != nil:
		return event.Series.LastObservedTime.Time
	case !event.LastTimestamp.IsZero():
		return event.LastTimestamp.Time
	case !event.EventTime.IsZero():
		return event.EventTime.Time
	}
	return event.CreationTimestamp.Time
}
