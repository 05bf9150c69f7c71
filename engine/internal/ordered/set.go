// Package ordered keeps objects in the order in which Kubernetes lists them, by
// namespace and then name. The store and the cache are built on it.
package ordered

import "github.com/google/btree"

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
	tree    *btree.BTreeG[*entry[T]]
}

// NewSet returns an empty set.
func NewSet[T any]() Set[T] {
	return Set[T]{map[key]*entry[T]{}, btree.NewG(degree, less[T])}
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
	s.tree.ReplaceOrInsert(e)
}

// Delete removes a name.
func (s Set[T]) Delete(namespace, name string) {
	at := key{namespace, name}
	if e, ok := s.entries[at]; ok {
		delete(s.entries, at)
		s.tree.Delete(e)
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
		s.tree.Ascend(func(e *entry[T]) bool { return visit(e.value) })
		return
	}
	s.tree.AscendGreaterOrEqual(&entry[T]{key: key{namespace: namespace}}, func(e *entry[T]) bool {
		return e.namespace == namespace && visit(e.value)
	})
}

// AscendAfter visits, in order, the values behind a name, which need not exist,
// within a namespace unless within is empty.
func (s Set[T]) AscendAfter(within, namespace, name string, visit func(T) bool) {
	if len(s.entries) == 0 {
		return
	}
	s.tree.AscendGreaterOrEqual(&entry[T]{key: key{namespace, name + "\x00"}}, func(e *entry[T]) bool {
		return (within == "" || e.namespace == within) && visit(e.value)
	})
}
