package cache

import (
	"context"
	"errors"
	"maps"
	"slices"

	"tidepool.dev/tidepool/engine/internal/ordered"
	"tidepool.dev/tidepool/engine/store"
)

// table is one resource's objects with their indexes.
type table struct {
	objects ordered.Set[store.Object]
	uids    map[string]store.Object // the index ByUID, of one object each
	index   [ByUID]map[string]ordered.Set[store.Object]
}

func newTable() *table {
	t := &table{objects: ordered.NewSet[store.Object](), uids: map[string]store.Object{}}
	for i := range t.index {
		t.index[i] = map[string]ordered.Set[store.Object]{}
	}
	return t
}

func (t *table) get(namespace, name string) (store.Object, bool) {
	return t.objects.Get(namespace, name)
}

func (t *table) ascend(namespace string, visit func(store.Object)) {
	t.objects.Ascend(namespace, func(obj store.Object) bool { visit(obj); return true })
}

func (t *table) find(index Index, value string, visit func(store.Object)) {
	if index == ByUID {
		if obj, ok := t.uids[value]; ok {
			visit(obj)
		}
		return
	}
	if set, ok := t.index[index][value]; ok {
		set.Ascend("", func(obj store.Object) bool { visit(obj); return true })
	}
}

// replace puts obj, which may be nil, in the place of prev, which may be nil.
func (t *table) replace(prev, obj store.Object) {
	if prev != nil && obj != nil && prev.GetUID() != obj.GetUID() {
		t.replace(prev, nil)
		prev = nil
	}
	if obj == nil {
		t.objects.Delete(prev.GetNamespace(), prev.GetName())
		delete(t.uids, string(prev.GetUID()))
	} else {
		t.objects.Put(obj.GetNamespace(), obj.GetName(), obj)
		t.uids[string(obj.GetUID())] = obj
	}
	for i := range t.index {
		t.reindex(Index(i), prev, obj)
	}
}

func (t *table) reindex(index Index, prev, obj store.Object) {
	var room [2][4]string
	before, after := appendIndexValues(room[0][:0], index, prev), appendIndexValues(room[1][:0], index, obj)
	for _, value := range before {
		if slices.Contains(after, value) {
			continue
		}
		set := t.index[index][value]
		set.Delete(prev.GetNamespace(), prev.GetName())
		if set.Len() == 0 {
			delete(t.index[index], value)
		}
	}
	for _, value := range after {
		set, ok := t.index[index][value]
		if !ok {
			set = ordered.NewSet[store.Object]()
			t.index[index][value] = set
		}
		set.Put(obj.GetNamespace(), obj.GetName(), obj)
	}
}

const batch = 4096

// Sync brings the cache up to the store and returns what changed, in order; the
// slice is valid until the next call. The first call returns an Added event for
// each object that there was at the start. It must not be called concurrently.
func (c *Cache) Sync(ctx context.Context) ([]store.Event, error) {
	events := c.initial
	c.initial = nil
	if events == nil {
		var err error
		c.buffer, err = c.watcher.Next(c.buffer[:0], batch)
		if errors.Is(err, store.ErrCompacted) {
			return c.resync(ctx)
		}
		if err != nil {
			return nil, err
		}
		events = c.buffer
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range events {
		c.apply(&events[i])
	}
	c.revision = c.watcher.Revision()
	return events, nil
}

func (c *Cache) apply(event *store.Event) {
	t := c.tables[event.Key.Resource]
	if t == nil {
		if !slices.Contains(c.resources, event.Key.Resource) && (c.more == nil || !slices.Contains(c.more(), event.Key.Resource)) {
			return
		}
		t = newTable()
		c.tables[event.Key.Resource] = t
	}
	prev, known := t.get(event.Key.Namespace, event.Key.Name)
	switch {
	case event.Type != store.Deleted:
		t.replace(prev, event.Object)
	case known:
		t.replace(prev, nil)
	}
}

// start lists every resource at one revision and watches from there; the
// objects become the cache's first events.
func (c *Cache) start(ctx context.Context) error {
	revision, err := c.store.Revision(ctx)
	if err != nil {
		return err
	}
	c.watcher, err = c.store.Watch("", "", revision, c.wake)
	if err != nil {
		return err
	}
	c.initial = []store.Event{}
	for _, resource := range c.all() {
		list, err := c.store.List(ctx, resource, "", store.ListOptions{Revision: revision})
		if err != nil {
			return err
		}
		for _, obj := range list.Items {
			key := store.Key{Resource: resource, Namespace: obj.GetNamespace(), Name: obj.GetName()}
			c.initial = append(c.initial, store.Event{Type: store.Added, Revision: revision, Key: key, Object: obj})
		}
	}
	return nil
}

// resync starts again after the watch fell behind the store's compaction, and
// returns the differences as if they had been watched.
func (c *Cache) resync(ctx context.Context) ([]store.Event, error) {
	c.watcher.Stop()
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	current := c.initial
	c.initial = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	var changes []store.Event
	seen := map[store.Key]bool{}
	for _, event := range current {
		seen[event.Key] = true
		if t := c.tables[event.Key.Resource]; t != nil {
			if prev, ok := t.get(event.Key.Namespace, event.Key.Name); ok {
				if prev == event.Object {
					continue
				}
				event.Type, event.Prev = store.Modified, prev
			}
		}
		changes = append(changes, event)
	}
	for _, resource := range slices.Sorted(maps.Keys(c.tables)) {
		if t := c.tables[resource]; t != nil {
			t.ascend("", func(obj store.Object) {
				key := store.Key{Resource: resource, Namespace: obj.GetNamespace(), Name: obj.GetName()}
				if !seen[key] {
					changes = append(changes, store.Event{Type: store.Deleted, Revision: c.watcher.Revision(), Key: key, Object: obj, Prev: obj})
				}
			})
		}
	}
	for i := range changes {
		c.apply(&changes[i])
	}
	c.revision = c.watcher.Revision()
	return changes, nil
}
