package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"tidepool.dev/tidepool/engine/internal/ordered"
)

// DefaultHistory is how many writes a Memory store remembers.
const DefaultHistory = 50_000

// Memory is the store of browsers, simulations and tests. It is safe for
// concurrent use.
type Memory struct {
	mu       sync.RWMutex
	tables   map[string]ordered.Set[Object]
	history  history
	keep     int64
	watchers []*memoryWatcher
}

// NewMemory returns an empty store that remembers its latest writes, history of
// them (DefaultHistory if 0), and compacts what is older.
func NewMemory(history int) *Memory {
	if history == 0 {
		history = DefaultHistory
	}
	return &Memory{
		tables:  map[string]ordered.Set[Object]{},
		history: newHistory(1), // an empty etcd is at revision 1 too
		keep:    int64(history),
	}
}

func (m *Memory) table(resource string) ordered.Set[Object] {
	t, ok := m.tables[resource]
	if !ok {
		t = ordered.NewSet[Object]()
		m.tables[resource] = t
	}
	return t
}

func (m *Memory) Get(_ context.Context, key Key) (Object, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if t, ok := m.tables[key.Resource]; ok {
		if obj, ok := t.Get(key.Namespace, key.Name); ok {
			return obj, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", key, ErrNotFound)
}

func (m *Memory) Create(ctx context.Context, key Key, obj Object) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.table(key.Resource)
	if _, ok := t.Get(key.Namespace, key.Name); ok {
		return nil, fmt.Errorf("%s: %w", key, ErrExists)
	}
	m.write(ctx, Event{Type: Added, Key: key, Object: obj})
	t.Put(key.Namespace, key.Name, obj)
	return obj, nil
}

func (m *Memory) Update(ctx context.Context, key Key, obj Object, expected int64) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, prev, err := m.at(key, expected)
	if err != nil {
		return nil, err
	}
	m.write(ctx, Event{Type: Modified, Key: key, Object: obj, Prev: prev})
	t.Put(key.Namespace, key.Name, obj)
	return obj, nil
}

func (m *Memory) Delete(ctx context.Context, key Key, expected int64) (Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, prev, err := m.at(key, expected)
	if err != nil {
		return nil, err
	}
	last := prev.DeepCopyObject().(Object)
	m.write(ctx, Event{Type: Deleted, Key: key, Object: last, Prev: prev})
	t.Delete(key.Namespace, key.Name)
	return last, nil
}

// at finds the object that a write is about to replace.
func (m *Memory) at(key Key, expected int64) (ordered.Set[Object], Object, error) {
	t := m.table(key.Resource)
	prev, ok := t.Get(key.Namespace, key.Name)
	if !ok {
		return t, nil, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	if RevisionOf(prev) != expected {
		return t, nil, fmt.Errorf("%s: %w", key, ErrConflict)
	}
	return t, prev, nil
}

// write gives the event the next revision, remembers it and wakes the watchers.
func (m *Memory) write(ctx context.Context, event Event) {
	event.Revision = m.history.newest + 1
	event.Cause = CauseFrom(ctx)
	event.Object.SetResourceVersion(strconv.FormatInt(event.Revision, 10))
	m.history.append(event)
	m.history.compact(event.Revision - m.keep)
	for _, w := range m.watchers {
		if w.asleep && w.matches(&event) {
			w.asleep = false
			w.wake()
		}
	}
}

func (m *Memory) List(_ context.Context, resource, namespace string, opts ListOptions) (List, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	list := List{Revision: m.history.newest}
	t := m.tables[resource]
	if opts.Revision != 0 && opts.Revision != list.Revision {
		if err := m.history.check(opts.Revision); err != nil {
			return List{}, err
		}
		list.Revision = opts.Revision
	}
	visit := func(obj Object) bool {
		if opts.Limit > 0 && len(list.Items) == opts.Limit {
			list.Remaining++
			return true
		}
		list.Items = append(list.Items, obj)
		return true
	}
	if list.Revision == m.history.newest {
		ascend(t, namespace, opts.After, visit)
		return list, nil
	}
	// The present table, but for what has been written since.
	before, written := m.before(resource, list.Revision)
	var earlier []Object
	ascend(before, namespace, opts.After, func(obj Object) bool {
		earlier = append(earlier, obj)
		return true
	})
	ascend(t, namespace, opts.After, func(obj Object) bool {
		for len(earlier) > 0 && precedes(earlier[0], obj) {
			visit(earlier[0])
			earlier = earlier[1:]
		}
		if !written[Key{Namespace: obj.GetNamespace(), Name: obj.GetName()}] {
			visit(obj)
		}
		return true
	})
	for _, obj := range earlier {
		visit(obj)
	}
	return list, nil
}

// ascend visits objects behind another, or all if it is nil.
func ascend(t ordered.Set[Object], namespace string, after *Key, visit func(Object) bool) {
	if after != nil {
		t.AscendAfter(namespace, after.Namespace, after.Name, visit)
		return
	}
	t.Ascend(namespace, visit)
}

func precedes(a, b Object) bool {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName())) <= 0
}

// before has the objects of a resource that have been written after a revision
// as they were then; written has the names of those and of the ones that did not
// exist.
func (m *Memory) before(resource string, revision int64) (before ordered.Set[Object], written map[Key]bool) {
	before, written = ordered.NewSet[Object](), map[Key]bool{}
	for r := m.history.newest; r > revision; r-- {
		event := m.history.at(r)
		if event.Key.Resource != resource {
			continue
		}
		namespace, name := event.Key.Namespace, event.Key.Name
		written[Key{Namespace: namespace, Name: name}] = true
		if event.Prev == nil {
			before.Delete(namespace, name)
		} else {
			before.Put(namespace, name, event.Prev)
		}
	}
	return before, written
}

func (m *Memory) Revision(context.Context) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.history.newest, nil
}

func (m *Memory) Compact(_ context.Context, revision int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.history.check(revision); err != nil {
		return err
	}
	m.history.compact(revision)
	return nil
}

func (m *Memory) Watch(resource, namespace string, from int64, wake func()) (Watcher, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.history.check(from); err != nil {
		return nil, err
	}
	if wake == nil {
		wake = func() {}
	}
	w := &memoryWatcher{store: m, resource: resource, namespace: namespace, revision: from, wake: wake}
	m.watchers = append(m.watchers, w)
	return w, nil
}

// memoryWatcher is a position in the history. It buffers nothing, so a watcher
// that nobody pulls costs nothing; if it falls behind the compaction its watch
// ends.
type memoryWatcher struct {
	store               *Memory
	resource, namespace string
	revision            int64
	wake                func()
	// asleep: Next has delivered everything, so that the next matching write
	// calls wake, once.
	asleep bool
}

func (w *memoryWatcher) matches(event *Event) bool {
	return (w.resource == "" || w.resource == event.Key.Resource) &&
		(w.namespace == "" || w.namespace == event.Key.Namespace)
}

// Next reads the store and changes the watcher alone, whose asleep only a write
// looks at besides.
func (w *memoryWatcher) Next(buffer []Event, limit int) ([]Event, error) {
	w.store.mu.RLock()
	defer w.store.mu.RUnlock()
	if err := w.store.history.check(w.revision); err != nil {
		return buffer, err
	}
	for w.revision < w.store.history.newest {
		if limit == 0 {
			return buffer, nil
		}
		w.revision++
		if event := w.store.history.at(w.revision); w.matches(event) {
			buffer = append(buffer, *event)
			limit--
		}
	}
	w.asleep = true
	return buffer, nil
}

func (w *memoryWatcher) Revision() int64 { return w.revision }

func (w *memoryWatcher) Stop() {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	w.asleep = false
	w.store.watchers = slices.DeleteFunc(w.store.watchers, func(other *memoryWatcher) bool { return other == w })
}
