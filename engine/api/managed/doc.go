// Package managed keeps track of who has set which field of an object
// (metadata.managedFields) and merges what a manager wants into what there is:
// server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
//
// Merging is that of sigs.k8s.io/structured-merge-diff. What Kubernetes does
// around it, k8s.io/apimachinery/pkg/util/managedfields, is done here again: that
// package reads the wall clock, and by way of its OpenAPI models it would add
// more than a megabyte to the browser's engine. The tests of this package hold
// ours against it.
//
// The types' schemas come from the Go types themselves and from the small table
// openapi.Merging, which is made of the comments that they can't show. So there is
// nothing to parse when a cluster starts, and only kinds that are applied to ever
// have a schema made.
//
// Every write is tracked, as in Kubernetes, the control loops' writes too, which
// are many and take microseconds. That is affordable because they repeat one
// another: a comparison (compare) notes which fields differ without building a
// set, and what a difference of that shape does to those managers is worked out
// once (Tracker.move). Whatever that can't do is left to structured-merge-diff.
// Putting it all off until somebody reads managedFields would need every state
// that an object has had.
//
// Nothing here knows HTTP or the store.
package managed
