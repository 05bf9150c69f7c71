package storetest

import (
	"errors"
	"testing"
	"time"

	"tidepool.dev/tidepool/engine/store"
)

// patience bounds how long a store that works in the background may take; a
// store that works in the call needs none of it.
const patience = 10 * time.Second

// poll asks again until ready says yes.
func (h *harness) poll(what string, ready func() bool) {
	h.Helper()
	for deadline := time.Now().Add(patience); !ready(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatal(what)
		}
	}
}

// events pulls until there have been count events.
func (h *harness) events(watcher store.Watcher, count int) (events []store.Event) {
	h.Helper()
	h.poll("events are missing", func() bool {
		var err error
		events, err = watcher.Next(events, 1000)
		if err != nil {
			h.Fatal(err)
		}
		return len(events) >= count
	})
	if len(events) > count {
		h.Errorf("got %d events, want %d", len(events), count)
	}
	return events
}

// settle pulls until the watcher is at the store's revision.
func (h *harness) settle(watcher store.Watcher) {
	h.Helper()
	h.poll("the watcher does not catch up", func() bool {
		if _, err := watcher.Next(nil, 1000); err != nil {
			h.Fatal(err)
		}
		return watcher.Revision() >= h.revision()
	})
}

func (h *harness) failsEventually(watcher store.Watcher, want error) {
	h.Helper()
	h.poll("the watch goes on", func() bool {
		_, err := watcher.Next(nil, 1000)
		return errors.Is(err, want)
	})
}

func eventTexts(events []store.Event) (texts []string) {
	for _, event := range events {
		texts = append(texts, event.Type.String()+" "+text(event.Object))
	}
	return texts
}

// testWatchWake: each time a watcher has been drained, the next change that it
// selects wakes it.
func testWatchWake(h *harness) {
	woken := make(chan struct{}, 100)
	watcher := h.watch(maps, "a", h.revision(), func() { woken <- struct{}{} })
	h.settle(watcher)
	drain(woken)
	h.create("a", "x", "1")
	<-woken
	h.next(watcher, 1)
	h.settle(watcher)
	drain(woken)
	h.create("a", "y", "1")
	<-woken
	h.next(watcher, 1)
}

// testWatchStop: nothing wakes a watcher that was stopped.
func testWatchStop(h *harness) {
	woken := make(chan struct{}, 100)
	watcher := h.watch(maps, "", h.revision(), func() { woken <- struct{}{} })
	other := h.watch(maps, "", h.revision(), nil)
	h.settle(watcher)
	watcher.Stop()
	drain(woken)
	h.create("a", "x", "1")
	h.next(other, 1)
	if len(woken) != 0 {
		h.Error("a stopped watcher was woken")
	}
}

func drain(c chan struct{}) {
	for len(c) > 0 {
		<-c
	}
}

var _ testing.TB = (*harness)(nil)
