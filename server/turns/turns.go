// Package turns has watches deliver a few at a time rather than all at once. A
// write that a thousand watches are waiting for would otherwise make as many
// goroutines ready, in front of every request that comes meanwhile; and the
// longer a watch waits for its turn, the more events it delivers in one write.
//
// A watch whose client does not read keeps nobody waiting: after a while its turn
// no longer counts.
package turns

import (
	"slices"
	"sync"
	"time"
)

const (
	// overdue is how long others wait for a turn to end.
	overdue = 5 * time.Millisecond
	// slow is how long a turn takes of a watch that waits for its client.
	slow = 20 * overdue
)

// Queue gives turns in the order in which they have been asked for. It is safe
// for concurrent use.
type Queue struct {
	places int

	mu      sync.Mutex
	taken   []*Turn // the turns that count, the oldest first
	waiting []*Turn
	timer   *time.Timer // set while there is anybody waiting
	armed   bool
}

// New returns a queue of so many turns at a time.
func New(places int) *Queue {
	q := &Queue{places: places}
	q.timer = time.AfterFunc(time.Hour, q.expire)
	q.timer.Stop()
	return q
}

// Turn is a watch's place in a queue.
type Turn struct {
	queue *Queue
	ready func()

	state state
	again bool      // asked for during its turn
	since time.Time // when its turn began
	slow  bool      // its latest turn was: nobody waits for its next one
}

type state uint8

const (
	away state = iota
	waits
	counts
	late // has its turn, which no longer counts
	left
)

// Join returns a place; ready, which must neither block nor call the queue, is
// called when it has its turn.
func (q *Queue) Join(ready func()) *Turn { return &Turn{queue: q, ready: ready} }

// Ask asks for a turn; it changes nothing to ask again before it has come.
func (t *Turn) Ask() {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	switch t.state {
	case away:
		t.enter()
	case counts, late:
		t.again = true
	}
}

// Done ends the turn, if there is one.
func (t *Turn) Done() {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.state != counts && t.state != late {
		return
	}
	t.slow = t.state == late && time.Since(t.since) >= slow
	t.exit(away)
	if t.again {
		t.again = false
		t.enter()
	}
	q.fill()
}

// Leave gives the place up: nothing makes it ready any more.
func (t *Turn) Leave() {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	t.exit(left)
	q.fill()
}

func (t *Turn) enter() {
	if t.slow {
		t.begin(late)
		return
	}
	t.state = waits
	t.queue.waiting = append(t.queue.waiting, t)
	t.queue.fill()
}

func (t *Turn) begin(as state) {
	t.state, t.since = as, time.Now()
	t.ready()
}

func (t *Turn) exit(to state) {
	other := func(other *Turn) bool { return other == t }
	switch t.state {
	case waits:
		t.queue.waiting = slices.DeleteFunc(t.queue.waiting, other)
	case counts:
		t.queue.taken = slices.DeleteFunc(t.queue.taken, other)
	}
	t.state = to
}

// fill gives free places away.
func (q *Queue) fill() {
	for len(q.waiting) > 0 && len(q.taken) < q.places {
		t := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.taken = append(q.taken, t)
		t.begin(counts)
	}
	if len(q.waiting) > 0 && !q.armed {
		q.armed = true
		q.timer.Reset(max(0, overdue-time.Since(q.taken[0].since)))
	}
}

// expire stops to count the turns that are overdue.
func (q *Queue) expire() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.armed = false
	q.taken = slices.DeleteFunc(q.taken, func(t *Turn) bool {
		over := time.Since(t.since) >= overdue
		if over {
			t.state = late
		}
		return over
	})
	q.fill()
}
