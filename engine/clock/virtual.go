package clock

import (
	"container/heap"
	"sync"
	"time"
)

// Virtual is a clock that moves only when it is told to. Timers fire in the
// order of their times, those of one time in the order in which they were set.
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	timers timerHeap
	count  uint64
}

// NewVirtual returns a clock that stands at a time.
func NewVirtual(start time.Time) *Virtual { return &Virtual{now: start} }

func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

func (v *Virtual) AfterFunc(d time.Duration, f func()) Timer {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count++
	t := &virtualTimer{clock: v, at: v.now.Add(max(d, 0)), order: v.count, call: f}
	heap.Push(&v.timers, t)
	return t
}

// Next is the time of the earliest timer; false if none is pending.
func (v *Virtual) Next() (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.timers) == 0 {
		return time.Time{}, false
	}
	return v.timers[0].at, true
}

// Fire calls the earliest timer if it is due; it reports whether one was.
func (v *Virtual) Fire() bool {
	v.mu.Lock()
	if len(v.timers) == 0 || v.timers[0].at.After(v.now) {
		v.mu.Unlock()
		return false
	}
	t := heap.Pop(&v.timers).(*virtualTimer)
	v.mu.Unlock()
	t.call()
	return true
}

// Set moves the clock to a time, which must not be in the past.
func (v *Virtual) Set(to time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if to.Before(v.now) {
		panic("clock: a virtual clock can't go back")
	}
	v.now = to
}

type virtualTimer struct {
	clock *Virtual
	at    time.Time
	order uint64
	call  func()
	index int // in the heap; -1 when it has left it
}

func (t *virtualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.clock.timers, t.index)
	return true
}

type timerHeap []*virtualTimer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*virtualTimer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = -1
	return t
}
