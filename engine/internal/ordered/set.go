// Package ordered keeps objects in the order in which Kubernetes lists them, by
// namespace and then name. The store and the cache are built on it.
package ordered

import (
	"sync"

	"github.com/google/btree"
)

const degree = 32

type key struct{ namespace, name string }

// entry is shared by the map and the tree, so that a new value for a known name,
// by far the most frequent change, does not touch the tree.
type entry[T any] struct {
	key
	value T
}

func less[T any](a, b *entry[T]) bool {
	if a.namespace != b.namespace {
		return a.namespace < b.namespace
	}
	return a.name < b.name
}

// Set is an ordered map from (namespace, name). It is not safe for concurrent
// writing. The zero Set is empty, and can only be read.
type Set[T any] struct {
	entries map[key]*entry[T]
	order   *order[T]
}

// order is made when it is asked for: most objects, events above all, are never
// listed before they are gone.
type order[T any] struct {
	mu      sync.Mutex // for readers: the first of them has new ones put in their places
	tree    *btree.BTreeG[*entry[T]]
	waiting []*entry[T]
}

func (o *order[T]) settled() *btree.BTreeG[*entry[T]] {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tree == nil {
		o.tree = btree.NewG(degree, less[T])
	}
	for i, e := range o.waiting {
		o.tree.ReplaceOrInsert(e)
		o.waiting[i] = nil
	}
	o.waiting = o.waiting[:0]
	return o.tree
}

// NewSet returns an empty set.
func NewSet[T any]() Set[T] {
	return Set[T]{map[key]*entry[T]{}, &order[T]{}}
}

// Get returns the value of a name.
func (s Set[T]) Get(namespace, name string) (value T, ok bool) {
	e, ok := s.entries[key{namespace, name}]
	if ok {
		value = e.value
	}
	return value, ok
}

// Put sets the value of a name.
func (s Set[T]) Put(namespace, name string, value T) {
	at := key{namespace, name}
	if e, ok := s.entries[at]; ok {
		e.value = value
		return
	}
	e := &entry[T]{at, value}
	s.entries[at] = e
	s.order.waiting = append(s.order.waiting, e)
}

// Delete removes a name.
func (s Set[T]) Delete(namespace, name string) {
	at := key{namespace, name}
	if e, ok := s.entries[at]; ok {
		delete(s.entries, at)
		s.order.settled().Delete(e)
	}
}

// Len counts the values.
func (s Set[T]) Len() int { return len(s.entries) }

// Ascend visits a namespace's values in order, or every namespace's if it is
// empty, until visit returns false.
func (s Set[T]) Ascend(namespace string, visit func(T) bool) {
	if len(s.entries) == 0 {
		return
	}
	if namespace == "" {
		s.order.settled().Ascend(func(e *entry[T]) bool { return visit(e.value) })
		return
	}
	s.order.settled().AscendGreaterOrEqual(&entry[T]{key: key{namespace: namespace}}, func(e *entry[T]) bool {
		return e.namespace == namespace && visit(e.value)
	})
}

// AscendAfter visits, in order, the values behind a name, which need not exist,
// within a namespace unless within is empty.
func (s Set[T]) AscendAfter(within, namespace, name string, visit func(T) bool) {
	if len(s.entries) == 0 {
		return
	}
	s.order.settled().AscendGreaterOrEqual(&entry[T]{key: key{namespace, name + "\x00"}}, func(e *entry[T]) bool {
		return (within == "" || e.namespace == within) && visit(e.value)
	})
}
