// Package stamp makes the times that control loops write into objects.
package stamp

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/clock"
)

// Now is the time in whole seconds, which is all that the API's JSON carries:
// an object must not change by being serialized.
func Now(clock clock.Clock) metav1.Time {
	return metav1.Time{Time: clock.Now().Truncate(time.Second)}
}
