// Package written lets a loop wait until the cache shows what it has written
// itself: acting on less would only lead to conflicts, or to doing things twice.
package written

import (
	"strconv"
	"sync"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

// Log holds the revision of the newest write on behalf of each request. The
// zero Log is empty.
type Log struct {
	mu        sync.Mutex
	revisions map[controller.Request]int64
}

// Note remembers an object as written.
func (l *Log) Note(request controller.Request, obj store.Object) {
	revision, err := strconv.ParseInt(obj.GetResourceVersion(), 10, 64)
	if err != nil {
		return // not an object of our store: nothing to wait for
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.revisions == nil {
		l.revisions = map[controller.Request]int64{}
	}
	l.revisions[request] = max(l.revisions[request], revision)
}

// Pending reports whether something that was written is newer than what the
// cache shows, which is up to a revision. What is not pending is forgotten.
func (l *Log) Pending(request controller.Request, shown int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	revision, ok := l.revisions[request]
	if ok && revision <= shown {
		delete(l.revisions, request)
	}
	return revision > shown
}
