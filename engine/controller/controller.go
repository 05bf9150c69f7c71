// Package controller defines what a control loop is; each loop is a package
// below it. A loop declares which changes concern it (Watches) and reconciles
// one key at a time: level-triggered (the request carries only a name, never
// what happened), idempotent, reading engine/cache and writing through
// engine/client with optimistic concurrency.
//
// Loops know nothing of how they are run: engine/executor/sequential runs them
// one by one under virtual time, engine/executor/concurrent with workers in
// real time.
package controller

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/store"
)

// Request names the object to reconcile, in the loop's own key space.
type Request struct {
	Namespace, Name string
}

// Result asks for another turn after a while; the zero Result does not. It
// replaces what an earlier turn of the same request asked for.
type Result struct {
	RequeueAfter time.Duration
}

// Reconciler brings the cluster one step nearer to what one object asks for.
// It returns an error to be tried again later, with back-off. A conflict with
// another writer is such an error: the change that caused it leads to a new
// request anyway.
type Reconciler interface {
	Reconcile(ctx context.Context, request Request) (Result, error)
}

// ReconcilerFunc makes a function a Reconciler.
type ReconcilerFunc func(ctx context.Context, request Request) (Result, error)

func (f ReconcilerFunc) Reconcile(ctx context.Context, request Request) (Result, error) {
	return f(ctx, request)
}

// Watch maps the changes of one resource to requests. Map sees every event in
// order, also one (Added) for each object that exists at the start; the cache
// already shows the event's state or a newer one. It must be quick and never
// write to the API, but may update state of the loop's own (under its own
// lock).
type Watch struct {
	Resource string
	Map      func(event store.Event) []Request
}

// Custom is the Resource of a Watch of all resources that are not Kubernetes'
// own, which come and go with their CustomResourceDefinitions.
const Custom = "*"

// Controller declares one control loop to an executor.
type Controller struct {
	// Name is the component's name in events and causes, for instance
	// "deployment-controller".
	Name string
	// Watches are the changes that concern the loop. The first one's resource
	// is that of the objects which the loop's requests name.
	Watches []Watch
	Reconciler
	// Source, if set, is called once before anything runs, with a function
	// that requests a turn from outside of any watch (a container runtime's
	// completions, timers). That function may be called from anywhere.
	Source func(enqueue func(Request))
	// Delay is how long a request waits, so that a burst of changes to the
	// same key costs one turn. 0 is at once.
	Delay time.Duration
	// Workers bounds how many keys the concurrent executor reconciles at the
	// same time; 0 means 1. No executor runs one key twice at a time.
	Workers int
}

// Subscribed are those, of the subscriptions by Watch.Resource, that an event
// concerns.
func Subscribed[T any](watching map[string][]T, event *store.Event) []T {
	if _, custom := event.Object.(runtime.Unstructured); custom {
		return watching[Custom]
	}
	return watching[event.Key.Resource]
}

// ForObject requests the changed object itself.
func ForObject(event store.Event) []Request {
	return []Request{{event.Key.Namespace, event.Key.Name}}
}

// ForOwner requests the controlling owner, if it is of the kind, of the object
// before and after the change.
func ForOwner(kind string) func(store.Event) []Request {
	return func(event store.Event) []Request {
		var requests []Request
		for _, obj := range [...]store.Object{event.Prev, event.Object} {
			if obj == nil {
				continue
			}
			ref := metav1.GetControllerOfNoCopy(obj)
			if ref == nil || ref.Kind != kind {
				continue
			}
			request := Request{obj.GetNamespace(), ref.Name}
			if len(requests) == 0 || requests[0] != request {
				requests = append(requests, request)
			}
		}
		return requests
	}
}
