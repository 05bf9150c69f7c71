//lint:file-ignore SA1019 the deprecated kind is served as before

// Package endpointslicemirroring is the control loop that shows the Endpoints
// that somebody has written for a Service without a selector as EndpointSlices,
// which alone are read by those who route traffic
// (k8s.io/kubernetes/pkg/controller/endpointslicemirroring upstream).
package endpointslicemirroring

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "endpoint-slice-mirroring-controller"

	resource        = "endpoints"
	sliceResource   = "endpointslices.discovery.k8s.io"
	serviceResource = "services"

	// managedBy marks the slices of this loop.
	managedBy = "endpointslicemirroring-controller.k8s.io"
	// leader marks Endpoints of old that are no more than a lock.
	leader = "control-plane.alpha.kubernetes.io/leader"

	coalesce = 20 * time.Millisecond
	// perSubset is how many addresses of a subset are mirrored.
	perSubset = 1000
)

type loop struct {
	cache  *cache.Cache
	client client.Client
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client) controller.Controller {
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: controller.ForObject},
			{Resource: serviceResource, Map: controller.ForObject},
			{Resource: sliceResource, Map: forSlice},
		},
		Reconciler: &loop{cache, client},
		Delay:      coalesce,
	}
}

func forSlice(event store.Event) []controller.Request {
	labels := event.Object.GetLabels()
	if labels[discoveryv1.LabelManagedBy] != managedBy {
		return nil
	}
	return []controller.Request{{Namespace: event.Key.Namespace, Name: labels[discoveryv1.LabelServiceName]}}
}

// Reconcile implements controller.Reconciler; requests name Endpoints.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	var present []*discoveryv1.EndpointSlice
	for _, slice := range cache.List[*discoveryv1.EndpointSlice](l.cache, sliceResource, request.Namespace) {
		if slice.Labels[discoveryv1.LabelServiceName] == request.Name && slice.Labels[discoveryv1.LabelManagedBy] == managedBy {
			present = append(present, slice)
		}
	}
	for _, wanted := range l.wanted(request) {
		at := slices.IndexFunc(present, func(slice *discoveryv1.EndpointSlice) bool { return sameKind(slice, wanted) })
		if at < 0 {
			if _, err := l.client.Create(ctx, sliceResource, wanted); ignoreStale(err) != nil {
				return controller.Result{}, err
			}
			continue
		}
		slice := present[at]
		present = slices.Delete(present, at, at+1)
		if equality.Semantic.DeepEqual(slice.Endpoints, wanted.Endpoints) && maps.Equal(slice.Labels, wanted.Labels) && maps.Equal(slice.Annotations, wanted.Annotations) {
			continue
		}
		next := slice.DeepCopy()
		next.Endpoints, next.Labels, next.Annotations = wanted.Endpoints, wanted.Labels, wanted.Annotations
		if _, err := l.client.Update(ctx, sliceResource, next); ignoreStale(err) != nil {
			return controller.Result{}, err
		}
	}
	for _, slice := range present {
		err := l.client.Delete(ctx, sliceResource, slice.Namespace, slice.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &slice.UID}})
		if ignoreStale(err) != nil {
			return controller.Result{}, err
		}
	}
	return controller.Result{}, nil
}

// sameKind: slices of one kind of address with the same ports may hold the same
// endpoints.
func sameKind(a, b *discoveryv1.EndpointSlice) bool {
	return a.AddressType == b.AddressType && equality.Semantic.DeepEqual(a.Ports, b.Ports)
}

// ignoreStale drops errors after which there is another turn anyway, or nothing
// left to do.
func ignoreStale(err error) error {
	if errors.IsNotFound(err) || errors.IsConflict(err) || errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}

// wanted are the slices that mirror Endpoints; none if they are not to be.
func (l *loop) wanted(request controller.Request) []*discoveryv1.EndpointSlice {
	e, ok := cache.Get[*corev1.Endpoints](l.cache, resource, request.Namespace, request.Name)
	if !ok || e.DeletionTimestamp != nil || e.Labels[discoveryv1.LabelSkipMirror] == "true" {
		return nil
	}
	if _, lock := e.Annotations[leader]; lock {
		return nil
	}
	service, ok := cache.Get[*corev1.Service](l.cache, serviceResource, request.Namespace, request.Name)
	if !ok || service.Spec.Selector != nil {
		return nil
	}
	var list []*discoveryv1.EndpointSlice
	for i := range e.Subsets {
		subset := &e.Subsets[i]
		room := perSubset
		for _, of := range []struct {
			addresses []corev1.EndpointAddress
			ready     bool
		}{{subset.Addresses, true}, {subset.NotReadyAddresses, false}} {
			for j := range of.addresses[:min(room, len(of.addresses))] {
				list = add(list, e, subset.Ports, &of.addresses[j], of.ready)
				room--
			}
		}
	}
	return list
}

// add puts an address into the slice of its kind, which may be new.
func add(list []*discoveryv1.EndpointSlice, e *corev1.Endpoints, ports []corev1.EndpointPort, address *corev1.EndpointAddress, ready bool) []*discoveryv1.EndpointSlice {
	ip, err := netip.ParseAddr(address.IP)
	if err != nil {
		return list
	}
	family := discoveryv1.AddressTypeIPv4
	if ip.Is6() && !ip.Is4In6() {
		family = discoveryv1.AddressTypeIPv6
	}
	slice := newSlice(e, family, ports)
	if at := slices.IndexFunc(list, func(other *discoveryv1.EndpointSlice) bool { return sameKind(other, slice) }); at >= 0 {
		slice = list[at]
	} else {
		list = append(list, slice)
	}
	endpoint := discoveryv1.Endpoint{
		Addresses: []string{ip.Unmap().String()}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		TargetRef: address.TargetRef, NodeName: address.NodeName,
	}
	if address.Hostname != "" {
		endpoint.Hostname = &address.Hostname
	}
	slice.Endpoints = append(slice.Endpoints, endpoint)
	return list
}

func newSlice(e *corev1.Endpoints, family discoveryv1.AddressType, ports []corev1.EndpointPort) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: e.Namespace, GenerateName: e.Name + "-", Labels: map[string]string{}, Annotations: map[string]string{},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(e, corev1.SchemeGroupVersion.WithKind("Endpoints"))},
		},
		AddressType: family, Endpoints: []discoveryv1.Endpoint{}, Ports: []discoveryv1.EndpointPort{},
	}
	if len(apivalidation.NameIsDNSSubdomain(slice.GenerateName, true)) > 0 {
		slice.GenerateName = e.Name
	}
	maps.Copy(slice.Labels, e.Labels)
	slice.Labels[discoveryv1.LabelServiceName], slice.Labels[discoveryv1.LabelManagedBy] = e.Name, managedBy
	maps.Copy(slice.Annotations, e.Annotations)
	delete(slice.Annotations, corev1.EndpointsLastChangeTriggerTime)
	delete(slice.Annotations, corev1.LastAppliedConfigAnnotation)
	for i := range ports {
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{
			Name: &ports[i].Name, Port: &ports[i].Port, Protocol: &ports[i].Protocol, AppProtocol: ports[i].AppProtocol,
		})
	}
	return slice
}
