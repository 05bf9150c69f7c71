// Package sequential runs control loops one turn at a time under a virtual
// clock, on the goroutine of the caller: the executor of simulations. The order
// of everything is a pure function of what the caller does and when (in virtual
// time), so a run can be repeated exactly.
package sequential

import (
	"container/heap"
	"context"
	"time"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

// Executor runs control loops. It is not safe for concurrent use.
type Executor struct {
	clock *clock.Virtual
	cache *cache.Cache
	loops []*loop
	// watching maps a resource to the loops that watch it.
	watching map[string][]subscription
	due      turnHeap
	count    uint64
	report   func(controller string, request controller.Request, err error)
}

type loop struct {
	controller.Controller
	// waiting holds each request's one pending turn.
	waiting  map[controller.Request]*turn
	failures map[controller.Request]int
}

type subscription struct {
	loop  *loop
	mapTo func(store.Event) []controller.Request
}

// New returns an executor of the loops. report is told of every turn that
// failed; it may be nil.
func New(clock *clock.Virtual, cache *cache.Cache, loops []controller.Controller,
	report func(controller string, request controller.Request, err error)) *Executor {
	if report == nil {
		report = func(string, controller.Request, error) {}
	}
	e := &Executor{clock: clock, cache: cache, watching: map[string][]subscription{}, report: report}
	for _, declared := range loops {
		l := &loop{
			Controller: declared,
			waiting:    map[controller.Request]*turn{},
			failures:   map[controller.Request]int{},
		}
		e.loops = append(e.loops, l)
		for _, watch := range declared.Watches {
			e.watching[watch.Resource] = append(e.watching[watch.Resource], subscription{l, watch.Map})
		}
	}
	for _, l := range e.loops {
		if l.Source != nil {
			l.Source(func(request controller.Request) { e.request(l, request, l.Delay) })
		}
	}
	return e
}

// Step does the next thing that is due at the present time: it hands the
// store's news to the loops, fires one timer or runs one turn. It reports
// whether there was anything to do.
func (e *Executor) Step(ctx context.Context) (bool, error) {
	events, err := e.cache.Sync(ctx)
	if err != nil {
		return false, err
	}
	for i := range events {
		for _, s := range controller.Subscribed(e.watching, &events[i]) {
			for _, request := range s.mapTo(events[i]) {
				e.request(s.loop, request, s.loop.Delay)
			}
		}
	}
	if len(events) > 0 || e.clock.Fire() {
		return true, nil
	}
	if len(e.due) == 0 || e.due[0].at.After(e.clock.Now()) {
		return false, nil
	}
	e.run(ctx, heap.Pop(&e.due).(*turn))
	return true, nil
}

// RunUntil does everything that is due up to a time and leaves the clock there;
// it skips idle time. With done, which may be nil, it stops as soon as done
// says so.
func (e *Executor) RunUntil(ctx context.Context, end time.Time, done func() bool) error {
	for ctx.Err() == nil {
		if done != nil && done() {
			return nil
		}
		busy, err := e.Step(ctx)
		if err != nil {
			return err
		}
		if busy {
			continue
		}
		next, ok := e.Next()
		if !ok || next.After(end) {
			if end.After(e.clock.Now()) {
				e.clock.Set(end)
			}
			return nil
		}
		e.clock.Set(next)
	}
	return ctx.Err()
}

// Next is the time at which something is due next; false if nothing ever is.
func (e *Executor) Next() (time.Time, bool) {
	next, ok := e.clock.Next()
	if len(e.due) > 0 && (!ok || e.due[0].at.Before(next)) {
		return e.due[0].at, true
	}
	return next, ok
}

// request plans a turn, or brings the one forward that is planned.
func (e *Executor) request(l *loop, request controller.Request, delay time.Duration) {
	at := e.clock.Now().Add(delay)
	if pending, ok := l.waiting[request]; ok {
		if at.Before(pending.at) {
			pending.at = at
			heap.Fix(&e.due, pending.index)
		}
		return
	}
	e.count++
	t := &turn{loop: l, request: request, at: at, order: e.count}
	l.waiting[request] = t
	heap.Push(&e.due, t)
}

func (e *Executor) run(ctx context.Context, t *turn) {
	l := t.loop
	delete(l.waiting, t.request)
	result, err := l.Turn(ctx, t.request, e.cache.Revision())
	if err != nil {
		l.failures[t.request]++
		e.report(l.Name, t.request, err)
		e.request(l, t.request, controller.Backoff(l.failures[t.request]))
		return
	}
	delete(l.failures, t.request)
	if result.RequeueAfter > 0 {
		e.request(l, t.request, result.RequeueAfter)
	}
}
