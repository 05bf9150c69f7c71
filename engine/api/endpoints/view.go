package endpoints

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// view is a second group version in which stored objects are served as objects
// of another type.
type view struct {
	kind schema.GroupVersionKind
	new  func() store.Object
	// show makes the served object of a stored one, read the stored one of a
	// served one.
	show, read func(store.Object) store.Object
	// field is what a selectable field of the view is called in the stored
	// kind.
	field func(string) string
}

// viewOf returns the view of a kind, nil if it has none.
func viewOf(k *kind.Kind) *view {
	if k.Resource() == "events" {
		return eventView
	}
	return nil
}

// shown is a stored object as the resource serves it.
func (r *resource) shown(obj store.Object) store.Object {
	if r.view == nil || obj == nil {
		return obj
	}
	return r.view.show(obj)
}

// empty is a new object of the served kind.
func (r *resource) empty() store.Object {
	if r.view == nil {
		return r.New()
	}
	return r.view.new()
}

// stored is a served object as the store has it.
func (r *resource) stored(obj store.Object) store.Object {
	if r.view == nil {
		return obj
	}
	return r.view.read(obj)
}
