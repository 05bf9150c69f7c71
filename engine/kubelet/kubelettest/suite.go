// Package kubelettest is the kubelet's behavioural test-suite. It is written
// against kubelet.Runtime, so that every runtime passes the same one: each case
// starts pods of small, well-known images and looks at what the API shows of
// them.
package kubelettest

import (
	"testing"
	"time"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/executor/concurrent"
	"tidepool.dev/tidepool/engine/kubelet"
)

// NewRuntime makes a runtime for one test. It may register its clean-up.
type NewRuntime func(t testing.TB, clock clock.Clock) kubelet.Runtime

// Run tests a runtime that lives in the time of the clock it is given, under
// both executors.
func Run(t *testing.T, newRuntime NewRuntime) {
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Run("sequential", func(t *testing.T) { sequentially(t, newRuntime, test.test) })
			t.Run("concurrent", func(t *testing.T) {
				t.Parallel()
				concurrently(t, fastClock{time.Now()}, speed, newRuntime, test.test)
			})
		})
	}
}

// RunReal tests a runtime that lives in real time.
func RunReal(t *testing.T, newRuntime NewRuntime) {
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			concurrently(t, concurrent.Clock{}, 1, newRuntime, test.test)
		})
	}
}
