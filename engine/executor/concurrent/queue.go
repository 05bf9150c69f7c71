package concurrent

import (
	"container/heap"
	"sync"
	"time"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
)

// queue holds one loop's requests until they are due and hands each to one
// worker at a time: a request that comes back while its turn is running waits
// for the end of that turn.
type queue struct {
	clock clock.Clock

	mu      sync.Mutex
	ready   *sync.Cond // something is due, or the queue is closed
	waiting waitingHeap
	pending map[controller.Request]*waitingRequest
	running map[controller.Request]bool
	timer   clock.Timer // fires when the earliest request is due
	order   uint64
	closed  bool
}

type waitingRequest struct {
	controller.Request
	at    time.Time
	order uint64
	index int
}

func newQueue(clock clock.Clock) *queue {
	q := &queue{
		clock:   clock,
		pending: map[controller.Request]*waitingRequest{},
		running: map[controller.Request]bool{},
	}
	q.ready = sync.NewCond(&q.mu)
	return q
}

// add plans a turn, or brings the one forward that is planned.
func (q *queue) add(request controller.Request, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	at := q.clock.Now().Add(delay)
	if w, ok := q.pending[request]; ok {
		if !at.Before(w.at) {
			return
		}
		w.at = at
		if w.index >= 0 { // it is in the heap: its turn is not running
			heap.Fix(&q.waiting, w.index)
		}
	} else {
		q.order++
		w := &waitingRequest{Request: request, at: at, order: q.order, index: -1}
		q.pending[request] = w
		if !q.running[request] {
			heap.Push(&q.waiting, w)
		}
	}
	q.wakeLocked()
}

// next waits for a request that is due and starts its turn; false once the
// queue is closed. done must follow.
func (q *queue) next() (controller.Request, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closed {
			return controller.Request{}, false
		}
		if len(q.waiting) > 0 && !q.waiting[0].at.After(q.clock.Now()) {
			w := heap.Pop(&q.waiting).(*waitingRequest)
			delete(q.pending, w.Request)
			q.running[w.Request] = true
			q.wakeLocked()
			return w.Request, true
		}
		q.ready.Wait()
	}
}

// done ends a request's turn.
func (q *queue) done(request controller.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.running, request)
	if w, ok := q.pending[request]; ok {
		heap.Push(&q.waiting, w)
		q.wakeLocked()
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.ready.Broadcast()
}

// wakeLocked wakes a worker if a request is due, or else when one will be.
func (q *queue) wakeLocked() {
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	if len(q.waiting) == 0 {
		return
	}
	wait := q.waiting[0].at.Sub(q.clock.Now())
	if wait <= 0 {
		q.ready.Signal()
		return
	}
	q.timer = q.clock.AfterFunc(wait, func() {
		q.mu.Lock() // or a worker that has looked and does not wait yet would miss it
		defer q.mu.Unlock()
		q.ready.Broadcast()
	})
}

type waitingHeap []*waitingRequest

func (h waitingHeap) Len() int { return len(h) }
func (h waitingHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}
func (h waitingHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *waitingHeap) Push(x any) {
	w := x.(*waitingRequest)
	w.index = len(*h)
	*h = append(*h, w)
}
func (h *waitingHeap) Pop() any {
	last := len(*h) - 1
	w := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	w.index = -1
	return w
}
