package endpoints

import "tidepool.dev/tidepool/engine/store"

// shown is a stored object as the resource serves it.
func (r *resource) shown(obj store.Object) store.Object {
	if r.version == nil || obj == nil {
		return obj
	}
	return r.version.Show(obj)
}

// empty is a new object of the served kind.
func (r *resource) empty() store.Object {
	if r.version == nil {
		return r.New()
	}
	return r.version.New()
}

// apiVersion is that of the objects that clients send.
func (r *resource) apiVersion() string { return r.served.GroupVersion().String() }

// stored is a served object as the store has it.
func (r *resource) stored(obj store.Object) store.Object {
	if r.version == nil {
		return obj
	}
	return r.version.Read(obj)
}
