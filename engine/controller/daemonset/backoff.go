package daemonset

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// The waits after pods that fail on the same node, as upstream's.
const (
	firstWait = time.Second
	lastWait  = 15 * time.Minute
)

type backoffKey struct {
	daemonSet  types.UID
	generation int64
	node       string
}

// backoff spaces out what is done for the same key; the zero backoff is ready.
type backoff struct {
	mu      sync.Mutex
	entries map[backoffKey]entry
}

type entry struct {
	wait time.Duration
	last time.Time
}

// wait is how long it takes until the key's next turn; 0 is now.
func (b *backoff) wait(key backoffKey, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.entries[key]
	if !ok {
		return 0
	}
	return max(e.wait-now.Sub(e.last), 0)
}

// next notes a turn and doubles the wait after it, unless the last one was long
// ago.
func (b *backoff) next(key backoffKey, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries == nil {
		b.entries = map[backoffKey]entry{}
	}
	e, ok := b.entries[key]
	if !ok || now.Sub(e.last) > 2*lastWait {
		e.wait = firstWait
	} else {
		e.wait = min(2*e.wait, lastWait)
	}
	e.last = now
	b.entries[key] = e
}

func (b *backoff) forget(daemonSet types.UID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.entries {
		if key.daemonSet == daemonSet {
			delete(b.entries, key)
		}
	}
}
