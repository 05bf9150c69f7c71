package controllertest

import (
	"context"
	"testing"
	"time"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/executor/concurrent"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// speed is how many seconds pass in one real second.
	speed = 20
	// realPatience is the real time after which a condition counts as never
	// true: generous, for a machine may be busy.
	realPatience = 60 * time.Second
)

// fastClock is the wall clock at a higher speed.
type fastClock struct{ began time.Time }

func (c fastClock) Now() time.Time { return start.Add(time.Since(c.began) * speed) }

func (c fastClock) AfterFunc(d time.Duration, f func()) clock.Timer {
	return time.AfterFunc(d/speed, f)
}

type concurrentDriver struct {
	news <-chan struct{} // ready after writes to the store
}

func runConcurrent(t *testing.T, build Build, test func(c *Cluster)) {
	fast := fastClock{time.Now()}
	s := store.NewMemory(0)
	wake, waker := concurrent.Waker()
	c := newCluster(t, fast, s, waker)
	news, notify := concurrent.Waker()
	watcher, err := s.Watch("", "", 1, notify)
	if err != nil {
		t.Fatal(err)
	}
	c.driver = &concurrentDriver{news}
	executor := concurrent.New(fast, c.Cache, wake, c.loops(build), c.report)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- executor.Run(ctx) }()
	t.Cleanup(func() {
		watcher.Stop()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	test(c)
}

func (d *concurrentDriver) until(ctx context.Context, condition func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, realPatience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond) // for what is no write
	defer look.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			return condition()
		case <-d.news:
		case <-look.C:
		}
	}
	return true
}

func (d *concurrentDriver) pass(ctx context.Context, period time.Duration) {
	over := time.NewTimer(period / speed)
	defer over.Stop()
	select {
	case <-ctx.Done():
	case <-over.C:
	}
}
