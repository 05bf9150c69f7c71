// Package garbagecollector is the control loop that follows owner references:
// it deletes what no owner is left of (background deletion), lets an owner wait
// for the dependents that block it (foreground deletion), and sets dependents
// free whose owner is deleted without them (orphaning).
//
// It works alike on every kind that is passed in and knows none of them.
package garbagecollector

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/about"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "garbage-collector-controller"

	workers = 20 // as kube-controller-manager's --concurrent-gc-syncs

	eventResource = "events" // never collected: events expire
)

type loop struct {
	cache     *cache.Cache
	client    client.Client
	recorder  events.Recorder
	resources []string
	// kinds finds a kind by the apiVersion and kind of an owner reference.
	kinds map[[2]string]*kind.Kind
	// custom are the kinds that come and go.
	custom  func() []*kind.Kind
	enqueue func(controller.Request)
}

// New returns the control loop over the kinds, and over those that custom returns
// at the time.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, _ clock.Clock, kinds []*kind.Kind, custom func() []*kind.Kind) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, kinds: map[[2]string]*kind.Kind{}, custom: custom}
	c := controller.Controller{
		Name:       Name,
		Reconciler: l,
		Source:     func(enqueue func(controller.Request)) { l.enqueue = enqueue },
		Workers:    workers,
		Watches:    []controller.Watch{{Resource: controller.Custom, Map: l.forObject}},
	}
	for _, k := range kinds {
		l.kinds[[2]string{k.GroupVersion().String(), k.Kind}] = k
		if k.Resource() == eventResource || slices.Contains(k.NoVerbs, "delete") {
			continue
		}
		l.resources = append(l.resources, k.Resource())
		c.Watches = append(c.Watches, controller.Watch{Resource: k.Resource(), Map: l.forObject})
	}
	return c
}

// A request's name carries the resource too, for the loop has all of them:
// "deployments.apps/web".
func request(resource, namespace, name string) controller.Request {
	return controller.Request{Namespace: namespace, Name: resource + "/" + name}
}

func (l *loop) forObject(event store.Event) []controller.Request {
	switch event.Type {
	case store.Added:
		if l.suspicious(event.Object) {
			return []controller.Request{request(event.Key.Resource, event.Key.Namespace, event.Key.Name)}
		}
	case store.Modified:
		return l.forChange(event)
	case store.Deleted:
		return append(l.forDependents(event.Object), l.forWaitingOwners(event.Object)...)
	}
	return nil
}

// suspicious reports whether an object may need something done as it is.
func (l *loop) suspicious(obj store.Object) bool {
	if obj.GetDeletionTimestamp() != nil {
		return waits(obj)
	}
	return slices.ContainsFunc(obj.GetOwnerReferences(), func(ref metav1.OwnerReference) bool {
		owner := l.cached(obj.GetNamespace(), ref)
		return owner == nil || waitsForDependents(owner)
	})
}

func (l *loop) forChange(event store.Event) []controller.Request {
	var requests []controller.Request
	obj, prev := event.Object, event.Prev
	self := request(event.Key.Resource, event.Key.Namespace, event.Key.Name)
	if waits(obj) && !waits(prev) {
		requests = append(requests, self)
		if waitsForDependents(obj) {
			requests = append(requests, l.forDependents(obj)...)
		}
	}
	if !sameReferences(obj.GetOwnerReferences(), prev.GetOwnerReferences()) {
		if l.suspicious(obj) {
			requests = append(requests, self)
		}
		requests = append(requests, l.forWaitingOwners(prev)...)
	}
	return requests
}

// forDependents requests everything that names the object as an owner.
func (l *loop) forDependents(obj store.Object) []controller.Request {
	var requests []controller.Request
	for _, dependent := range l.dependents(obj) {
		requests = append(requests, request(dependent.resource, dependent.GetNamespace(), dependent.GetName()))
	}
	return requests
}

// forWaitingOwners requests the owners that wait for their dependents to go.
func (l *loop) forWaitingOwners(obj store.Object) []controller.Request {
	var requests []controller.Request
	for _, ref := range obj.GetOwnerReferences() {
		if owner := l.cached(obj.GetNamespace(), ref); owner != nil && waitsForDependents(owner) {
			requests = append(requests, request(l.resource(ref), owner.GetNamespace(), owner.GetName()))
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, r controller.Request) (controller.Result, error) {
	resource, name, _ := strings.Cut(r.Name, "/")
	obj, ok := cache.Get[store.Object](l.cache, resource, r.Namespace, name)
	if !ok {
		return controller.Result{}, nil
	}
	return controller.Result{}, l.process(about.Object(ctx, resource, r.Namespace, name), item{obj, resource})
}

// item is an object with its resource.
type item struct {
	store.Object
	resource string
}

// dependents are the objects that name obj as an owner.
func (l *loop) dependents(obj store.Object) []item {
	var items []item
	resources := l.resources
	for _, k := range l.custom() {
		resources = append(slices.Clip(resources), k.Resource())
	}
	for _, resource := range resources {
		for _, dependent := range cache.Find[store.Object](l.cache, resource, cache.ByOwner, string(obj.GetUID())) {
			items = append(items, item{dependent, resource})
		}
	}
	return items
}

// kind is that of a reference.
func (l *loop) kind(ref metav1.OwnerReference) (*kind.Kind, bool) {
	if k, ok := l.kinds[[2]string{ref.APIVersion, ref.Kind}]; ok {
		return k, true
	}
	for _, k := range l.custom() {
		if k.Kind != ref.Kind {
			continue
		}
		if k.GroupVersion().String() == ref.APIVersion || slices.ContainsFunc(k.Versions, func(v kind.Version) bool {
			return v.GroupVersion().String() == ref.APIVersion
		}) {
			return k, true
		}
	}
	return nil, false
}

// resource is that of a reference's kind; empty if it is not served.
func (l *loop) resource(ref metav1.OwnerReference) string {
	if k, ok := l.kind(ref); ok {
		return k.Resource()
	}
	return ""
}

// cached returns the owner that a reference names, or nil if the cache has none
// of this name and UID where a dependent in the namespace may have it.
func (l *loop) cached(namespace string, ref metav1.OwnerReference) store.Object {
	k, ok := l.kind(ref)
	if !ok {
		return nil
	}
	if !k.Namespaced {
		namespace = ""
	}
	owner, ok := cache.Get[store.Object](l.cache, k.Resource(), namespace, ref.Name)
	if !ok || owner.GetUID() != ref.UID {
		return nil
	}
	return owner
}

func sameReferences(a, b []metav1.OwnerReference) bool {
	return slices.EqualFunc(a, b, func(x, y metav1.OwnerReference) bool {
		return x.UID == y.UID && x.Name == y.Name && x.Kind == y.Kind && x.APIVersion == y.APIVersion && blocks(x) == blocks(y)
	})
}

func blocks(ref metav1.OwnerReference) bool {
	return ref.BlockOwnerDeletion != nil && *ref.BlockOwnerDeletion
}

// waits reports whether an object that is being deleted waits for this loop.
func waits(obj store.Object) bool {
	return waitsForDependents(obj) || waitsForOrphaning(obj)
}

func waitsForDependents(obj store.Object) bool {
	return obj.GetDeletionTimestamp() != nil && slices.Contains(obj.GetFinalizers(), metav1.FinalizerDeleteDependents)
}

func waitsForOrphaning(obj store.Object) bool {
	return obj.GetDeletionTimestamp() != nil && slices.Contains(obj.GetFinalizers(), metav1.FinalizerOrphanDependents)
}
