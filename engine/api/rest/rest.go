// Package rest is the Kubernetes API without HTTP: its verbs as operations on
// typed objects over a store. Whoever calls it, a handler that has decoded a
// request or a control loop in the same process, goes through the same
// defaulting, admission, validation and optimistic concurrency
// (k8s.io/apiserver/pkg/registry/generic/registry upstream).
//
// What lives here: operations and what every kind shares. What may not: HTTP,
// encodings, and anything of one kind alone, except for the few built-in
// subresources.
package rest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/custom"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/managed"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Operations serves the verbs of a set of kinds.
type Operations struct {
	store  store.Interface
	clock  clock.Clock
	random *rand.Rand
	kinds  map[string]*kind.Kind // by resource
	custom *custom.Definitions
	fields *managed.Tracker
	// services is held while a Service is written, so that no two get the same
	// address or port.
	services  sync.Mutex
	admission admission.Chain
	guards    []Guard
	tokens    Tokens
}

// New returns operations on kinds. random must be safe for concurrent use.
func New(s store.Interface, clock clock.Clock, random *rand.Rand, kinds []*kind.Kind) *Operations {
	o := &Operations{store: s, clock: clock, random: random, kinds: map[string]*kind.Kind{}, custom: custom.New(s, kinds), fields: managed.New(clock)}
	o.admission = admission.New(admission.Config{Store: s, Clock: clock, Random: random, Kinds: o.Kinds})
	for _, k := range kinds {
		o.kinds[k.Resource()] = k
	}
	return o
}

// Kind returns the kind that is served as a resource ("deployments.apps").
func (o *Operations) Kind(resource string) (*kind.Kind, bool) {
	if k, ok := o.kinds[resource]; ok {
		return k, true
	}
	return o.custom.Kind(resource)
}

// Kinds returns the served kinds in the order of their declaration, those of
// CustomResourceDefinitions last.
func (o *Operations) Kinds() []*kind.Kind {
	kinds, _ := o.custom.Kinds()
	return kinds
}

// Definitions are the served kinds as they change.
func (o *Operations) Definitions() *custom.Definitions { return o.custom }

// Store is where the objects are.
func (o *Operations) Store() store.Interface { return o.store }

// now is the time as objects show it: in whole seconds.
func (o *Operations) now() metav1.Time { return metav1.NewTime(o.clock.Now().Truncate(time.Second)) }

func key(k *kind.Kind, namespace, name string) store.Key {
	return store.Key{Resource: k.Resource(), Namespace: namespace, Name: name}
}

// Get returns the newest state of an object.
func (o *Operations) Get(ctx context.Context, k *kind.Kind, namespace, name string) (store.Object, error) {
	if k.Computed != nil {
		if obj, ok := k.Computed.Get(namespace, name); ok {
			return obj, nil
		}
		return nil, apierrors.NewNotFound(k.GroupResource(), name)
	}
	obj, err := o.store.Get(ctx, key(k, namespace, name))
	return obj, statusError(err, k, name)
}
