package controlplane

import (
	"math/rand/v2"
	"sync"
)

// lockedSource makes a rand.Rand over it safe for concurrent use: a Rand has no
// state of its own.
type lockedSource struct {
	mu     sync.Mutex
	source *rand.PCG
}

func (s *lockedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Uint64()
}

// NewRandom returns the seeded source from which a whole cluster draws. It is
// safe for concurrent use.
func NewRandom(seed uint64) *rand.Rand {
	return rand.New(&lockedSource{source: rand.NewPCG(seed, 0)})
}
