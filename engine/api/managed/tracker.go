package managed

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Tracker keeps managedFields. It is safe for concurrent use.
type Tracker struct {
	clock clock.Clock

	mu      sync.Mutex
	kinds   map[*kind.Kind]*served
	changes cache[string, *change]
	owners  cache[ownerKey, *owner]
	known   cache[*metav1.FieldsV1, *owner]
	moves   cache[moveKey, *move]

	// Used again by each write.
	script, key []byte
}

// New returns a tracker of objects of any kinds.
func New(clock clock.Clock) *Tracker {
	return &Tracker{clock: clock, kinds: map[*kind.Kind]*served{}}
}

// Write says who writes, and how.
type Write struct {
	// Manager is who writes; "unknown" if it is empty.
	Manager string
	// Subresource that is written, empty for the object itself.
	Subresource string
	// Version is the apiVersion in which the object is written; empty: as it is
	// stored.
	Version string
}

func (w Write) identity(f *form, operation metav1.ManagedFieldsOperationType) identity {
	id := identity{manager: w.Manager, apiVersion: f.apiVersion, subresource: w.Subresource, operation: operation}
	if id.manager == "" {
		id.manager = "unknown"
	}
	return id
}

func (t *Tracker) now() *metav1.Time { return &metav1.Time{Time: t.clock.Now().UTC().Truncate(1e9)} }

// Update gives an object that is about to be written its managedFields, as
// FieldManager.UpdateNoErrors does upstream: next replaces live, which is nil
// for a new object. It is to be called before admission and before what clients
// may not set is reset: these have no manager.
func (t *Tracker) Update(k *kind.Kind, live, next store.Object, w Write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.form(k, w.Version)
	if f == nil {
		return
	}
	var had []metav1.ManagedFieldsEntry
	if live != nil {
		had = live.GetManagedFields()
	}
	given := next.GetManagedFields()
	if w.Subresource == "" && given != nil && !SameButTimes(given, had) {
		next.SetManagedFields(t.updateGiven(f, live, next, given, w))
		return
	}
	if live != nil && len(had) == 0 {
		next.SetManagedFields(nil) // nobody wants to know until somebody applies
		return
	}
	next.SetManagedFields(had)
	if updated, ok := t.move(f, live, next, had, w); ok {
		next.SetManagedFields(updated)
		return
	}
	next.SetManagedFields(t.updateAnyhow(f, live, next, had, w))
}

// updateGiven is Update for a client that itself changes managedFields.
func (t *Tracker) updateGiven(f *form, live, next store.Object, given []metav1.ManagedFieldsEntry, w Write) []metav1.ManagedFieldsEntry {
	if isReset(given) {
		if live == nil {
			return t.updateAnyhow(f, live, next, nil, w)
		}
		return nil
	}
	if decoded, err := decode(given); err == nil && len(decoded.fields) > 0 {
		return t.updateAnyhow(f, live, next, given, w)
	}
	if live == nil {
		return t.updateAnyhow(f, live, next, nil, w)
	}
	return t.updateAnyhow(f, live, next, live.GetManagedFields(), w)
}

// updateAnyhow is Update with all that structured-merge-diff can do. What goes
// wrong leaves the entries as they were.
func (t *Tracker) updateAnyhow(f *form, live, next store.Object, had []metav1.ManagedFieldsEntry, w Write) []metav1.ManagedFieldsEntry {
	managed, err := decode(had)
	if err != nil {
		managed = newEntries()
	}
	if len(managed.fields) == 0 && live != nil {
		return nil
	}
	if managed, err = t.update(f, live, next, managed, w); err != nil {
		return had
	}
	list, err := managed.encode()
	if err != nil {
		return had
	}
	return list
}

// change is a comparison as far as managers are concerned.
type change struct {
	// touched fields are no longer those of whoever had them, but the writer's;
	// owned are those of them that can have a manager.
	touched, owned, removed *fieldpath.Set
}

// cache remembers what has been used lately, and at least its latest n.
type cache[K comparable, V any] struct{ young, old map[K]V }

const cached = 4096

func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.put(k, v)
	}
	return v, ok
}

// get is cache.get for a text that need not be kept.
func get[V any](c *cache[string, V], k []byte) (V, bool) {
	if v, ok := c.young[string(k)]; ok {
		return v, true
	}
	return c.get(string(k))
}

func (c *cache[K, V]) put(k K, v V) {
	if c.young == nil || len(c.young) >= cached {
		c.old, c.young = c.young, map[K]V{}
	}
	c.young[k] = v
}
