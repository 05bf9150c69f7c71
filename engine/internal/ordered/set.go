// Package ordered keeps objects in the order in which Kubernetes lists them, by
// namespace and then name. The store and the cache are built on it.
package ordered

import "github.com/google/btree"

const degree = 32

type entry[T any] struct {
	namespace, name string
	value           T
}

func less[T any](a, b entry[T]) bool {
	if a.namespace != b.namespace {
		return a.namespace < b.namespace
	}
	return a.name < b.name
}

// Set is an ordered map from (namespace, name). It is not safe for concurrent
// writing.
type Set[T any] struct {
	tree *btree.BTreeG[entry[T]]
}

// NewSet returns an empty set.
func NewSet[T any]() Set[T] {
	return Set[T]{btree.NewG(degree, less[T])}
}

// Get returns the value of a name.
func (s Set[T]) Get(namespace, name string) (T, bool) {
	e, ok := s.tree.Get(entry[T]{namespace: namespace, name: name})
	return e.value, ok
}

// Put sets the value of a name.
func (s Set[T]) Put(namespace, name string, value T) {
	s.tree.ReplaceOrInsert(entry[T]{namespace, name, value})
}

// Delete removes a name.
func (s Set[T]) Delete(namespace, name string) {
	s.tree.Delete(entry[T]{namespace: namespace, name: name})
}

// Len counts the values.
func (s Set[T]) Len() int { return s.tree.Len() }

// Ascend visits a namespace's values in order, or every namespace's if it is
// empty, until visit returns false.
func (s Set[T]) Ascend(namespace string, visit func(T) bool) {
	if namespace == "" {
		s.tree.Ascend(func(e entry[T]) bool { return visit(e.value) })
		return
	}
	s.tree.AscendGreaterOrEqual(entry[T]{namespace: namespace}, func(e entry[T]) bool {
		return e.namespace == namespace && visit(e.value)
	})
}

// AscendAfter visits, in order, the values behind a name, which need not exist,
// within a namespace unless within is empty.
func (s Set[T]) AscendAfter(within, namespace, name string, visit func(T) bool) {
	s.tree.AscendGreaterOrEqual(entry[T]{namespace: namespace, name: name + "\x00"}, func(e entry[T]) bool {
		return (within == "" || e.namespace == within) && visit(e.value)
	})
}
