// Package endpointslice is the control loop that lists, for each Service with a
// selector, the pods behind it in EndpointSlices of up to 100 endpoints.
//
// How traffic finds its way to them is not its business (see engine/network).
package endpointslice

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "endpoint-slice-controller"

	resource        = "endpointslices.discovery.k8s.io"
	serviceResource = "services"
	podResource     = "pods"
	nodeResource    = "nodes"

	// managedBy marks the slices of this loop.
	managedBy = "endpointslice-controller.k8s.io"

	// coalesce is how long changes of a Service's pods wait for more of them;
	// perPod is that for each of its pods, since a turn looks at all of them.
	coalesce = 20 * time.Millisecond
	perPod   = 20 * time.Microsecond
	// nodeWait is when to look again for a node that a pod names.
	nodeWait = 10 * time.Second
	workers  = 5 // as kube-controller-manager's --concurrent-service-endpoint-syncs
)

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	members  *members

	mu       sync.Mutex
	services map[controller.Request]memory
}

// memory is what the loop remembers of a Service.
type memory struct {
	wrote int64     // revision of the newest write to its slices
	next  time.Time // when its next turn may be
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock, members: newMembers(), services: map[controller.Request]memory{}}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: serviceResource, Map: l.forService},
			{Resource: podResource, Map: l.members.observePod},
			{Resource: resource, Map: l.forSlice},
		},
		Reconciler: l,
		Delay:      coalesce,
		Workers:    workers,
	}
}

func matches(selector, set map[string]string) bool {
	for key, value := range selector {
		if actual, ok := set[key]; !ok || actual != value {
			return false
		}
	}
	return true
}

// hasEndpoints reports whether the Service's endpoints are this loop's.
func hasEndpoints(service *corev1.Service) bool {
	return service.Spec.Type != corev1.ServiceTypeExternalName && len(service.Spec.Selector) > 0
}

func endpointChanged(a, b *corev1.Pod) bool {
	if (a.DeletionTimestamp == nil) != (b.DeletionTimestamp == nil) ||
		podutil.Ready(a) != podutil.Ready(b) ||
		podutil.Terminal(a) != podutil.Terminal(b) ||
		a.Spec.Hostname != b.Spec.Hostname || a.Spec.Subdomain != b.Spec.Subdomain ||
		len(a.Status.PodIPs) != len(b.Status.PodIPs) {
		return true
	}
	for i := range a.Status.PodIPs {
		if a.Status.PodIPs[i] != b.Status.PodIPs[i] {
			return true
		}
	}
	return false
}

// forSlice has slices put right that somebody else has changed or deleted.
func (l *loop) forSlice(event store.Event) []controller.Request {
	slice := event.Object.(*discoveryv1.EndpointSlice)
	var requests []controller.Request
	if managed(slice) && event.Cause.Actor != Name {
		requests = append(requests, controller.Request{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]})
	}
	if prev, ok := event.Prev.(*discoveryv1.EndpointSlice); ok && managed(prev) &&
		prev.Labels[discoveryv1.LabelServiceName] != slice.Labels[discoveryv1.LabelServiceName] {
		requests = append(requests, controller.Request{Namespace: prev.Namespace, Name: prev.Labels[discoveryv1.LabelServiceName]})
	}
	return requests
}

func managed(slice *discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == managedBy
}

// Reconcile implements controller.Reconciler; requests name Services.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	service, ok := cache.Get[*corev1.Service](l.cache, serviceResource, request.Namespace, request.Name)
	if !ok {
		l.mu.Lock()
		delete(l.services, request)
		l.mu.Unlock()
		return controller.Result{}, nil
	}
	if !hasEndpoints(service) {
		return controller.Result{}, nil
	}
	l.mu.Lock()
	known := l.services[request]
	l.mu.Unlock()
	if known.wrote > l.cache.Revision() {
		return controller.Result{RequeueAfter: coalesce}, nil // the cache does not show it yet
	}
	now := l.clock.Now()
	if wait := known.next.Sub(now); wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	p := l.plan(service)
	err := l.carryOut(ctx, service, &p)
	l.mu.Lock()
	l.services[request] = memory{wrote: max(p.wrote, known.wrote), next: now.Add(time.Duration(p.pods) * perPod)}
	l.mu.Unlock()
	if errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return controller.Result{}, nil
	}
	if err != nil {
		l.recorder.Event(ctx, service, corev1.EventTypeWarning, "FailedToUpdateEndpointSlices",
			fmt.Sprintf("Error updating Endpoint Slices for Service %s/%s: %v", service.Namespace, service.Name, err))
		return controller.Result{}, err
	}
	if p.nodesMissing {
		return controller.Result{RequeueAfter: nodeWait}, nil
	}
	return controller.Result{}, nil
}

// slices returns the Service's present slices, but those that are going.
func (l *loop) slices(service *corev1.Service) []*discoveryv1.EndpointSlice {
	var present []*discoveryv1.EndpointSlice
	selector := map[string]string{discoveryv1.LabelServiceName: service.Name, discoveryv1.LabelManagedBy: managedBy}
	for _, slice := range cache.List[*discoveryv1.EndpointSlice](l.cache, resource, service.Namespace) {
		if slice.DeletionTimestamp == nil && matches(selector, slice.Labels) {
			present = append(present, slice)
		}
	}
	return present
}
