package concurrent

import (
	"time"

	"tidepool.dev/tidepool/engine/clock"
)

// Clock is the wall clock.
type Clock struct{}

func (Clock) Now() time.Time { return time.Now() }

func (Clock) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }
