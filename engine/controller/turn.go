package controller

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"tidepool.dev/tidepool/engine/store"
)

// The back-off after errors is client-go's default: 5 ms doubling to 1000 s.
const (
	firstBackoff = 5 * time.Millisecond
	lastBackoff  = 1000 * time.Second
)

// Backoff is how long a request waits after it failed the nth time in a row.
func Backoff(failures int) time.Duration {
	if failures > 18 { // 5 ms << 18 exceeds lastBackoff
		return lastBackoff
	}
	return min(firstBackoff<<max(failures-1, 0), lastBackoff)
}

// Turn reconciles one request on behalf of an executor. What the loop writes
// carries it as the cause; a panic becomes an error, so that one bad object
// can't stop the others.
func (c *Controller) Turn(ctx context.Context, request Request, revision int64) (result Result, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	cause := store.Cause{Actor: c.Name, TriggerRevision: revision}
	if len(c.Watches) > 0 {
		cause.Trigger = store.Key{Resource: c.Watches[0].Resource, Namespace: request.Namespace, Name: request.Name}
	}
	return c.Reconcile(store.WithCause(ctx, cause), request)
}
