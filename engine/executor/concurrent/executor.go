// Package concurrent runs control loops in real time, each with workers of its
// own: the executor of a native control plane. It is the one place below
// engine/ that starts goroutines and reads the wall clock.
package concurrent

import (
	"context"
	"sync"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

// Executor runs control loops until its context ends.
type Executor struct {
	cache    *cache.Cache
	wake     <-chan struct{}
	loops    []*loop
	watching map[string][]subscription
	report   func(controller string, request controller.Request, err error)
}

type loop struct {
	controller.Controller
	queue *queue

	mu       sync.Mutex
	failures map[controller.Request]int
}

type subscription struct {
	loop  *loop
	mapTo func(store.Event) []controller.Request
}

// Waker returns a channel and a function that makes it ready, for the cache's
// wake and New.
func Waker() (<-chan struct{}, func()) {
	wake := make(chan struct{}, 1)
	return wake, func() {
		select {
		case wake <- struct{}{}:
		default: // it is ready already
		}
	}
}

// New returns an executor of the loops. wake is ready whenever the cache may
// have something to sync. report is told of every turn that failed, from any
// goroutine; it may be nil.
func New(clock clock.Clock, cache *cache.Cache, wake <-chan struct{}, loops []controller.Controller,
	report func(controller string, request controller.Request, err error)) *Executor {
	if report == nil {
		report = func(string, controller.Request, error) {}
	}
	e := &Executor{cache: cache, wake: wake, watching: map[string][]subscription{}, report: report}
	for _, declared := range loops {
		l := &loop{Controller: declared, queue: newQueue(clock), failures: map[controller.Request]int{}}
		e.loops = append(e.loops, l)
		for _, watch := range declared.Watches {
			e.watching[watch.Resource] = append(e.watching[watch.Resource], subscription{l, watch.Map})
		}
	}
	for _, l := range e.loops {
		if l.Source != nil {
			l.Source(func(request controller.Request) { l.queue.add(request, l.Delay) })
		}
	}
	return e
}

// Run returns when the context ends and every turn that was running is over, or
// with an error when the store can't be watched.
func (e *Executor) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for _, l := range e.loops {
		for range max(l.Workers, 1) {
			workers.Go(func() { e.work(ctx, l) })
		}
	}
	err := e.dispatch(ctx)
	for _, l := range e.loops {
		l.queue.close()
	}
	workers.Wait()
	return err
}

// dispatch hands the store's news to the loops.
func (e *Executor) dispatch(ctx context.Context) error {
	for {
		for {
			events, err := e.cache.Sync(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			if len(events) == 0 {
				break
			}
			for i := range events {
				for _, s := range controller.Subscribed(e.watching, &events[i]) {
					for _, request := range s.mapTo(events[i]) {
						s.loop.queue.add(request, s.loop.Delay)
					}
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		}
	}
}

func (e *Executor) work(ctx context.Context, l *loop) {
	for {
		request, ok := l.queue.next()
		if !ok {
			return
		}
		result, err := l.Turn(ctx, request, e.cache.Revision())
		again := result.RequeueAfter
		l.mu.Lock()
		if err != nil {
			l.failures[request]++
			again = controller.Backoff(l.failures[request])
		} else {
			delete(l.failures, request)
		}
		l.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			e.report(l.Name, request, err)
		}
		if again > 0 {
			l.queue.add(request, again)
		}
		l.queue.done(request)
	}
}
