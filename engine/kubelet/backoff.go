package kubelet

import "time"

// Both back-offs, of crashing containers and of failing image pulls, are 10 s
// doubling to 300 s, and start again after twice the maximum without need.
const (
	firstBackoff = 10 * time.Second
	lastBackoff  = 300 * time.Second
	resetBackoff = 2 * lastBackoff
)

// crashBackoff delays the restarts of one container.
type crashBackoff struct {
	delay   time.Duration // 0: it has not been restarted yet
	updated time.Time
}

// until returns when a container that ended may be restarted, and whether that
// is in the future.
func (b *crashBackoff) until(ended, now time.Time) (time.Time, bool) {
	if b.delay == 0 || ended.Sub(b.updated) > resetBackoff {
		return time.Time{}, false
	}
	until := ended.Add(b.delay)
	return until, now.Before(until)
}

// next counts a restart of a container that ended.
func (b *crashBackoff) next(ended, now time.Time) {
	if b.delay == 0 || ended.Sub(b.updated) > resetBackoff {
		b.delay = firstBackoff
	} else {
		b.delay = min(2*b.delay, lastBackoff)
	}
	b.updated = now
}
