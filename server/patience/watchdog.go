package patience

import (
	"sync"
	"time"
)

// watchdog ends what takes too long. To set a connection's deadline for each
// piece, and to take it back, costs more than to send the piece; so a deadline is
// set, in the past, when one has been waited for long enough.
type watchdog struct {
	limit    time.Duration
	deadline func(time.Time)

	mu    sync.Mutex
	timer *time.Timer
	armed bool      // the timer will look
	since time.Time // when what is waited for began; zero: nothing is
	ended bool
}

func (d *watchdog) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Now()
	switch {
	case d.armed:
	case d.timer == nil:
		d.timer = time.AfterFunc(d.limit, d.look)
	default:
		d.timer.Reset(d.limit)
	}
	d.armed = true
}

// pause says that nothing is waited for at present.
func (d *watchdog) pause() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Time{}
}

// end is the end of the request, whose connection may not be touched any more.
func (d *watchdog) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *watchdog) look() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = false
	if d.ended || d.since.IsZero() {
		return
	}
	if left := d.limit - time.Since(d.since); left > 0 {
		d.armed = true
		d.timer.Reset(left)
		return
	}
	d.deadline(time.Now().Add(-time.Second))
}
