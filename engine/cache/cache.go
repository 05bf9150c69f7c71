// Package cache is the shared state that reconcilers read: every object of the
// cluster in memory, indexed, kept from the store's watch. It is the engine's
// counterpart of client-go's informers. Objects are immutable and shared.
//
// An executor drives it: Sync pulls what the store has written since and hands
// each event to the control loops. Nothing here writes.
package cache

import (
	"context"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/internal/volumes"
	"tidepool.dev/tidepool/engine/store"
)

// Index names a way to find objects other than by their name.
type Index uint8

const (
	// ByController finds the objects whose controlling owner has a UID.
	ByController Index = iota
	// ByOwner finds the objects that name a UID in any owner reference.
	ByOwner
	// ByNode finds the pods bound to a node (all kinds but pods are absent).
	ByNode
	// ByClaim finds the pods that use a PersistentVolumeClaim, by
	// "NAMESPACE/NAME".
	ByClaim
	// ByUID finds the one object that has a UID.
	ByUID
)

// appendIndexValues adds the values under which an index has an object, which may
// be nil.
func appendIndexValues(values []string, index Index, obj store.Object) []string {
	if obj == nil {
		return values
	}
	switch index {
	case ByController:
		if ref := metav1.GetControllerOfNoCopy(obj); ref != nil {
			values = append(values, string(ref.UID))
		}
	case ByOwner:
		for _, ref := range obj.GetOwnerReferences() {
			values = append(values, string(ref.UID))
		}
	case ByNode:
		if pod, ok := obj.(*corev1.Pod); ok && pod.Spec.NodeName != "" {
			values = append(values, pod.Spec.NodeName)
		}
	case ByClaim:
		if pod, ok := obj.(*corev1.Pod); ok {
			return claimsOf(pod)
		}
	}
	return values
}

func claimsOf(pod *corev1.Pod) []string {
	var claims []string
	for i := range pod.Spec.Volumes {
		if claim := volumes.ClaimOf(pod, &pod.Spec.Volumes[i]); claim != "" {
			claims = append(claims, pod.Namespace+"/"+claim)
		}
	}
	return claims
}

// Cache holds the objects of every resource. All but Sync is safe for
// concurrent use.
type Cache struct {
	store     store.Interface
	resources []string
	more      func() []string // further resources, nil for none
	wake      func()
	watcher   store.Watcher
	initial   []store.Event // of the objects at the start, until Sync returns them
	buffer    []store.Event

	mu       sync.RWMutex
	tables   map[string]*table
	revision int64
}

// New returns a cache of the resources, in this order; it is empty until Sync
// is called. wake is called whenever Sync may have something to do (see
// store.Interface.Watch).
func New(ctx context.Context, s store.Interface, resources []string, wake func()) (*Cache, error) {
	c := &Cache{store: s, resources: resources, wake: wake, tables: map[string]*table{}}
	return c, c.start(ctx)
}

// Follow has the cache hold further resources, which may come and go; it is
// called before the first Sync.
func (c *Cache) Follow(more func() []string) { c.more = more }

// all are the resources that the cache holds at present.
func (c *Cache) all() []string {
	if c.more == nil {
		return c.resources
	}
	return append(slices.Clip(c.resources), c.more()...)
}

// Get returns an object by name.
func Get[T store.Object](c *Cache, resource, namespace, name string) (T, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var none T
	t := c.tables[resource]
	if t == nil {
		return none, false
	}
	obj, ok := t.get(namespace, name)
	if !ok {
		return none, false
	}
	return obj.(T), true
}

// List returns a namespace's objects of a resource (every namespace's if it is
// empty), ordered by namespace and name.
func List[T store.Object](c *Cache, resource, namespace string) []T {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var items []T
	if t := c.tables[resource]; t != nil {
		t.ascend(namespace, func(obj store.Object) { items = append(items, obj.(T)) })
	}
	return items
}

// Find returns the objects that an index has under a value, ordered by
// namespace and name.
func Find[T store.Object](c *Cache, resource string, index Index, value string) []T {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var items []T
	if t := c.tables[resource]; t != nil {
		t.find(index, value, func(obj store.Object) { items = append(items, obj.(T)) })
	}
	return items
}

// Revision is that of the newest write that the cache shows.
func (c *Cache) Revision() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.revision
}
