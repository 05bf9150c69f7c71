// Package orphans keeps track, from the events of one resource, of the objects
// that no controller owns, so that a loop finds the few that it could adopt
// without looking at all objects of a namespace.
package orphans

import (
	"cmp"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

// Set holds the orphans of each namespace. The zero Set is empty.
type Set struct {
	mu         sync.Mutex
	namespaces map[string]map[string]store.Object
}

// Observe follows one change.
func (s *Set) Observe(event store.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, ok := s.namespaces[event.Key.Namespace]
	if event.Type == store.Deleted || metav1.GetControllerOfNoCopy(event.Object) != nil {
		delete(names, event.Key.Name)
		if ok && len(names) == 0 {
			delete(s.namespaces, event.Key.Namespace)
		}
		return
	}
	if !ok {
		names = map[string]store.Object{}
		if s.namespaces == nil {
			s.namespaces = map[string]map[string]store.Object{}
		}
		s.namespaces[event.Key.Namespace] = names
	}
	names[event.Key.Name] = event.Object
}

// In returns a namespace's orphans, ordered by name.
func (s *Set) In(namespace string) []store.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := s.namespaces[namespace]
	if len(names) == 0 {
		return nil
	}
	objects := make([]store.Object, 0, len(names))
	for _, obj := range names {
		objects = append(objects, obj)
	}
	slices.SortFunc(objects, func(a, b store.Object) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return objects
}
