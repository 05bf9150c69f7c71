package clock

import (
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// run fires every timer up to d after the start, as an executor does.
func run(v *Virtual, d time.Duration) {
	for {
		for v.Fire() {
		}
		next, ok := v.Next()
		if !ok || next.After(start.Add(d)) {
			v.Set(start.Add(d))
			return
		}
		v.Set(next)
	}
}

func TestVirtualFiresInOrder(t *testing.T) {
	v := NewVirtual(start)
	var fired []string
	after := func(d time.Duration, name string) Timer {
		return v.AfterFunc(d, func() { fired = append(fired, name+v.Now().Sub(start).String()) })
	}
	after(2*time.Second, "c")
	after(time.Second, "a")
	after(time.Second, "b")
	after(-time.Second, "late ")
	v.AfterFunc(time.Second, func() { after(500*time.Millisecond, "nested ") })
	never := after(time.Second, "never")
	if !never.Stop() || never.Stop() {
		t.Error("a timer stops once")
	}
	after(time.Hour, "later")
	run(v, time.Minute)
	want := []string{"late 0s", "a1s", "b1s", "nested 1.5s", "c2s"}
	if !slices.Equal(fired, want) {
		t.Errorf("got %q, want %q", fired, want)
	}
	if got := v.Now(); !got.Equal(start.Add(time.Minute)) {
		t.Errorf("the clock stands at %v", got)
	}
}

func TestVirtualStopAfterFire(t *testing.T) {
	v := NewVirtual(start)
	timer := v.AfterFunc(0, func() {})
	v.Fire()
	if timer.Stop() {
		t.Error("a timer that has fired can't be stopped")
	}
}

func TestVirtualNeverGoesBack(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the clock went back")
		}
	}()
	NewVirtual(start).Set(start.Add(-1))
}
