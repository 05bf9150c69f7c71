// Package clock is how the engine knows time. Nothing in engine/ reads the wall
// clock: a Clock is passed in, a Virtual one in simulation and tests, a real
// one (engine/executor/concurrent) in a native control plane.
package clock

import "time"

// Clock tells the time and calls back later.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once, d from now, unless the timer is stopped before.
	// A virtual clock calls it in its turn on the one goroutine of the
	// simulation, a real clock on a goroutine of its own; so f must be short
	// and do its own locking.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a pending call of AfterFunc.
type Timer interface {
	// Stop prevents the call; it reports whether it was still pending.
	Stop() bool
}
