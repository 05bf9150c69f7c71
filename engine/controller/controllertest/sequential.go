package controllertest

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/executor/sequential"
	"tidepool.dev/tidepool/engine/store"
)

// start is when virtual time begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// patience is the virtual time after which a condition counts as never true.
const patience = 24 * time.Hour

type sequentialDriver struct {
	clock    *clock.Virtual
	executor *sequential.Executor
	fatal    func(...any)
}

// Sequential runs a test, or a benchmark, under the sequential executor alone.
func Sequential(t testing.TB, build Build, test func(c *Cluster)) {
	virtual := clock.NewVirtual(start)
	c := newCluster(t, virtual, store.NewMemory(0), nil)
	c.driver = &sequentialDriver{virtual, sequential.New(virtual, c.Cache, c.loops(build), c.report), t.Fatal}
	test(c)
	if failures := c.Failures(); len(failures) > 0 && !c.tolerant {
		t.Errorf("turns failed: %q", failures)
	}
}

func (d *sequentialDriver) until(ctx context.Context, condition func() bool) bool {
	if err := d.executor.RunUntil(ctx, d.clock.Now().Add(patience), condition); err != nil {
		d.fatal(err)
	}
	return condition()
}

func (d *sequentialDriver) pass(ctx context.Context, period time.Duration) {
	if err := d.executor.RunUntil(ctx, d.clock.Now().Add(period), nil); err != nil {
		d.fatal(err)
	}
}

func sortEvents(events []*corev1.Event) {
	slices.SortStableFunc(events, func(a, b *corev1.Event) int {
		return cmp.Compare(store.RevisionOf(a), store.RevisionOf(b))
	})
}
