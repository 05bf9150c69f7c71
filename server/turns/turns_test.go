package turns_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidepool.dev/tidepool/server/turns"
)

// watches notes whose turn has come.
type watches struct {
	queue *turns.Queue
	mu    sync.Mutex
	ready []string
}

func (w *watches) join(name string) *turns.Turn {
	return w.queue.Join(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ready = append(w.ready, name)
	})
}

func (w *watches) expect(t *testing.T, names ...string) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.ready, names) {
		t.Fatalf("it was the turn of %v, want %v", w.ready, names)
	}
	w.ready = nil
}

func simulate(t *testing.T, places int, test func(t *testing.T, w *watches)) {
	synctest.Test(t, func(t *testing.T) { test(t, &watches{queue: turns.New(places)}) })
}

func TestInOrder(t *testing.T) {
	simulate(t, 2, func(t *testing.T, w *watches) {
		a, b, c, d := w.join("a"), w.join("b"), w.join("c"), w.join("d")
		a.Ask()
		b.Ask()
		c.Ask()
		d.Ask()
		c.Ask() // it waits already
		w.expect(t, "a", "b")
		b.Done()
		w.expect(t, "c")
		b.Done() // it has none
		w.expect(t)
		a.Ask() // there is more news than it has read
		a.Done()
		w.expect(t, "d")
		c.Done()
		w.expect(t, "a")
	})
}

func TestWhoLeaves(t *testing.T) {
	simulate(t, 1, func(t *testing.T, w *watches) {
		a, b, c := w.join("a"), w.join("b"), w.join("c")
		a.Ask()
		b.Ask()
		c.Ask()
		w.expect(t, "a")
		b.Leave() // while it waits
		a.Leave() // during its turn
		w.expect(t, "c")
		a.Ask()
		c.Done()
		w.expect(t)
	})
}

// A watch whose client does not read holds the others up once, and then no more.
func TestWhoIsSlow(t *testing.T) {
	simulate(t, 1, func(t *testing.T, w *watches) {
		slow, quick, other := w.join("slow"), w.join("quick"), w.join("other")
		slow.Ask()
		quick.Ask()
		w.expect(t, "slow")
		time.Sleep(10 * time.Millisecond)
		w.expect(t, "quick")
		quick.Done()
		time.Sleep(time.Second)
		slow.Ask()
		quick.Ask()
		other.Ask()
		w.expect(t, "quick")
		slow.Done() // so it has its next turn beside the others
		w.expect(t, "slow")
		quick.Done()
		w.expect(t, "other")
		slow.Done() // it was quick this time, and waits again
		slow.Ask()
		w.expect(t)
		other.Done()
		w.expect(t, "slow")
	})
}
