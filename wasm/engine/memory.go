//go:build js && wasm

package main

import (
	"runtime"
	"runtime/debug"
)

// headroom is how many bytes the heap may grow by, at least, before garbage is
// collected. A tab has no second core that would collect it meanwhile: with the
// usual doubling, a quarter of the time in which a small cluster starts its pods
// went into it.
const headroom = 256 << 20

// collector decides when garbage is collected. It is garbage itself, which is
// how it learns of each collection.
type collector struct {
	stats   runtime.MemStats
	percent uint64 // by how much of its live size the heap may grow
}

// collectSeldom gives a heap that is smaller than headroom that much, now and
// after each collection; a larger one doubles, as usual.
func collectSeldom() { (&collector{percent: 100}).adapt() }

func (c *collector) adapt() {
	runtime.ReadMemStats(&c.stats)
	live := max(c.stats.NextGC*100/(100+c.percent), 1)
	c.percent = max(100, headroom*100/live)
	debug.SetGCPercent(int(c.percent))
	runtime.SetFinalizer(c, (*collector).adapt)
}
