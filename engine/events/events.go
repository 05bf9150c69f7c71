// Package events records Kubernetes Events about objects, with the aggregation
// that client-go's recorder does: a repeated event raises the count of the one
// that exists.
package events

import (
	"context"

	"tidepool.dev/tidepool/engine/store"
)

// Recorder writes the events of one component.
type Recorder interface {
	// Event records that something happened to obj: eventType is
	// corev1.EventTypeNormal or EventTypeWarning, reason a CamelCase word for
	// machines, message a sentence for people.
	Event(ctx context.Context, obj store.Object, eventType, reason, message string)
}
