//lint:file-ignore SA1019 the deprecated kind is served as before

// Package endpoints is the control loop that keeps, for each Service with a
// selector, an Endpoints object of its name, for those who read no
// EndpointSlices yet. It says in the older form what the slices of
// engine/controller/endpointslice say, so that pods are looked at only once
// (k8s.io/kubernetes/pkg/controller/endpoint upstream).
package endpoints

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes, and the label's value by which
	// the loop knows its objects.
	Name = "endpoint-controller"

	resource        = "endpoints"
	sliceResource   = "endpointslices.discovery.k8s.io"
	serviceResource = "services"

	managedBy = "endpoints.kubernetes.io/managed-by"
	ofSlices  = "endpointslice-controller.k8s.io"

	// coalesce is how long changes wait for more of them: an object holds all
	// endpoints of a Service.
	coalesce = 100 * time.Millisecond
	// capacity is how many addresses an object may hold.
	capacity = 1000
)

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder) controller.Controller {
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: controller.ForObject},
			{Resource: serviceResource, Map: controller.ForObject},
			{Resource: sliceResource, Map: forSlice},
		},
		Reconciler: &loop{cache, client, recorder},
		Delay:      coalesce,
	}
}

func forSlice(event store.Event) []controller.Request {
	name := event.Object.GetLabels()[discoveryv1.LabelServiceName]
	if name == "" || event.Object.GetLabels()[discoveryv1.LabelManagedBy] != ofSlices {
		return nil
	}
	return []controller.Request{{Namespace: event.Key.Namespace, Name: name}}
}

// Reconcile implements controller.Reconciler; requests name Services.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	present, exists := cache.Get[*corev1.Endpoints](l.cache, resource, request.Namespace, request.Name)
	service, ok := cache.Get[*corev1.Service](l.cache, serviceResource, request.Namespace, request.Name)
	if !ok {
		if !exists || present.Labels[managedBy] != Name {
			return controller.Result{}, nil
		}
		err := l.client.Delete(ctx, resource, request.Namespace, request.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &present.UID}})
		return controller.Result{}, ignoreStale(err)
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName || service.Spec.Selector == nil || service.DeletionTimestamp != nil {
		return controller.Result{}, nil
	}
	list, seen := l.slicesOf(service)
	if !seen {
		return controller.Result{}, nil // they come, and with them another turn
	}
	wanted := l.wanted(service, list)
	if !exists {
		_, err := l.client.Create(ctx, resource, wanted)
		return controller.Result{}, l.report(ctx, wanted, "FailedToCreateEndpoint", "Failed to create endpoint for service %v/%v: %v", err)
	}
	_, truncated := wanted.Annotations[corev1.EndpointsOverCapacity]
	_, wasTruncated := present.Annotations[corev1.EndpointsOverCapacity]
	if equality.Semantic.DeepEqual(present.Subsets, wanted.Subsets) && maps.Equal(present.Labels, wanted.Labels) && truncated == wasTruncated {
		return controller.Result{}, nil
	}
	next := present.DeepCopy()
	next.Subsets, next.Labels = wanted.Subsets, wanted.Labels
	delete(next.Annotations, corev1.EndpointsLastChangeTriggerTime)
	delete(next.Annotations, corev1.EndpointsOverCapacity)
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	maps.Copy(next.Annotations, wanted.Annotations)
	_, err := l.client.Update(ctx, resource, next)
	return controller.Result{}, l.report(ctx, present, "FailedToUpdateEndpoint", "Failed to update endpoint %v/%v: %v", err)
}

func (l *loop) report(ctx context.Context, about *corev1.Endpoints, reason, format string, err error) error {
	if ignoreStale(err) == nil || errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	l.recorder.Event(ctx, about, corev1.EventTypeWarning, reason, fmt.Sprintf(format, about.Namespace, about.Name, err))
	return err
}

// ignoreStale drops errors after which there is another turn anyway.
func ignoreStale(err error) error {
	if errors.IsNotFound(err) || errors.IsConflict(err) || errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// slicesOf are those of the Service's first family of addresses; false while
// there are none at all.
func (l *loop) slicesOf(service *corev1.Service) (list []*discoveryv1.EndpointSlice, seen bool) {
	family := discoveryv1.AddressTypeIPv4
	if len(service.Spec.IPFamilies) > 0 && service.Spec.IPFamilies[0] == corev1.IPv6Protocol {
		family = discoveryv1.AddressTypeIPv6
	}
	for _, slice := range cache.List[*discoveryv1.EndpointSlice](l.cache, sliceResource, service.Namespace) {
		if slice.Labels[discoveryv1.LabelServiceName] != service.Name || slice.Labels[discoveryv1.LabelManagedBy] != ofSlices {
			continue
		}
		seen = true
		if slice.AddressType == family {
			list = append(list, slice)
		}
	}
	return list, seen
}

// wanted is the Service's Endpoints.
func (l *loop) wanted(service *corev1.Service, list []*discoveryv1.EndpointSlice) *corev1.Endpoints {
	e := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{
		Namespace: service.Namespace, Name: service.Name, Annotations: map[string]string{}, Labels: map[string]string{},
	}}
	maps.Copy(e.Labels, service.Labels)
	delete(e.Labels, corev1.IsHeadlessService)
	if service.Spec.ClusterIP == corev1.ClusterIPNone || service.Spec.ClusterIP == "" {
		e.Labels[corev1.IsHeadlessService] = ""
	}
	e.Labels[managedBy] = Name
	for _, slice := range list {
		if at := slice.Annotations[corev1.EndpointsLastChangeTriggerTime]; at > e.Annotations[corev1.EndpointsLastChangeTriggerTime] {
			e.Annotations[corev1.EndpointsLastChangeTriggerTime] = at
		}
	}
	e.Subsets = subsets(list, service.Spec.PublishNotReadyAddresses)
	if truncate(e.Subsets) {
		e.Annotations[corev1.EndpointsOverCapacity] = "truncated"
	}
	return e
}
