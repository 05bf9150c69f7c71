package endpoints

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/watch"
)

// TestEventsAreEncodedOnce: the watches of a form write the same bytes, however
// they meet.
func TestEventsAreEncodedOnce(t *testing.T) {
	const watches, events = 8, 3 * recentEvents
	var s shared
	var encoded atomic.Int64
	var wait sync.WaitGroup
	recents := make([]*recent, watches)
	for i := range recents {
		recents[i] = s.join(form{})
	}
	step := make([]sync.WaitGroup, events) // they keep up with each other
	for i := range step {
		step[i].Add(watches)
	}
	for _, r := range recents {
		wait.Go(func() {
			for revision := range int64(events) {
				got, err := r.text(revision, watch.Modified, 0, func() ([]byte, error) {
					encoded.Add(1)
					return fmt.Append(nil, revision), nil
				})
				if err != nil || string(got) != fmt.Sprint(revision) {
					t.Errorf("event %d is %q, %v", revision, got, err)
				}
				step[revision].Done()
				step[revision].Wait()
			}
		})
	}
	wait.Wait()
	if encoded.Load() != events {
		t.Errorf("%d events were encoded %d times", events, encoded.Load())
	}
	for range watches {
		s.leave(form{})
	}
	if len(s.forms) != 0 {
		t.Errorf("texts are kept for nobody: %v", s.forms)
	}
}

// TestSharedTexts: what makes two texts differ, and that what is kept is bounded.
func TestSharedTexts(t *testing.T) {
	var s shared
	one := s.join(form{})
	encoded := 0
	get := func(revision int64, kind watch.EventType, second int64, size int) {
		if _, err := one.text(revision, kind, second, func() ([]byte, error) { encoded++; return make([]byte, size), nil }); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string, want int) {
		t.Helper()
		if encoded != want {
			t.Errorf("%s: encoded %d times, want %d", what, encoded, want)
		}
		encoded = 0
	}
	get(1, watch.Added, 0, 1)
	get(1, watch.Added, 0, 1)
	expect("a watch alone keeps nothing", 2)
	s.join(form{})
	s.join(form{include: "Object"})
	get(1, watch.Added, 0, 1)
	get(1, watch.Added, 0, 1)
	expect("the same", 1)
	get(1, watch.Modified, 0, 1)
	get(1, watch.Modified, 7, 1)
	get(1+recentEvents, watch.Modified, 7, 1)
	expect("another type, time or revision", 3)
	get(2, watch.Added, 0, mostShared)
	get(3, watch.Added, 0, 1)
	expect("too much", 2)
	get(1+recentEvents, watch.Modified, 7, 1)
	expect("all is forgotten", 1)
}
