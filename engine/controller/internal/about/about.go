// Package about names the object that a turn is about, for loops whose requests
// do not name it by themselves.
package about

import (
	"context"

	"tidepool.dev/tidepool/engine/store"
)

// Object returns a context whose writes carry the object as what triggered
// them.
func Object(ctx context.Context, resource, namespace, name string) context.Context {
	cause := store.CauseFrom(ctx)
	cause.Trigger = store.Key{Resource: resource, Namespace: namespace, Name: name}
	return store.WithCause(ctx, cause)
}
