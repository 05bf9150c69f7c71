// Package sim assembles a simulated cluster: the control plane with simulated
// nodes under one virtual clock. What is simulated, the images and what runs of
// them, is in the packages below it.
package sim

import (
	"context"
	"net/http"
	"sync"
	"time"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controlplane"
	"tidepool.dev/tidepool/engine/executor/sequential"
	"tidepool.dev/tidepool/engine/store"
)

// Config describes a simulated cluster. A run is a pure function of it and of
// the requests that are made, each at its virtual time.
type Config struct {
	// Seed of everything that is drawn at random.
	Seed uint64
	// Start is the virtual time at which the cluster begins.
	Start time.Time
	// Nodes of the default size, node-1 to node-n.
	Nodes int
	// API carries the hooks of the API that a simulation does not set itself.
	API api.Config
	// Report is told of every reconciliation that failed; it may be nil.
	Report func(controller string, request controller.Request, err error)
}

// World is a simulated cluster. Its methods are safe for concurrent use, but
// what makes a run repeatable is that each is called at a definite virtual
// time.
type World struct {
	*controlplane.ControlPlane
	Store *store.Memory
	Nodes *Nodes

	mu       sync.Mutex // held while anything happens in the world
	clock    *clock.Virtual
	executor *sequential.Executor
}

// New returns a world in which nothing has happened yet: Run lets it begin.
func New(ctx context.Context, config Config) (*World, error) {
	w := &World{Store: store.NewMemory(0), clock: clock.NewVirtual(config.Start)}
	random := controlplane.NewRandom(config.Seed)
	nodes := NewNodes(w.clock, random)
	usage := NewUsage(w.clock)
	config.API.Do = w.Do
	config.API.Logs, config.API.Remote = nodes, nodes
	plane, err := controlplane.New(ctx, controlplane.Config{
		Store:  w.Store,
		Clock:  w.clock,
		Random: random,
		API:    config.API,

		Metrics: usage,
	})
	if err != nil {
		return nil, err
	}
	usage.Read(plane.Cache)
	w.ControlPlane, w.Nodes = plane, nodes
	for i := range config.Nodes {
		nodes.Add(DefaultNode(i + 1))
	}
	loops := append(plane.Controllers, nodes.Controllers(plane.Cache, plane.API.Client)...)
	w.executor = sequential.New(w.clock, plane.Cache, loops, config.Report)
	return w, nil
}

// Handler is the world's Kubernetes API.
func (w *World) Handler() http.Handler { return w.API }

// Do runs f while nothing else happens in the world: a request to its API is an
// input at the present virtual time.
func (w *World) Do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// Clock is the world's virtual clock, to read.
func (w *World) Clock() clock.Clock { return w.clock }

// Now is the virtual time.
func (w *World) Now() time.Time { return w.clock.Now() }

// Next is the virtual time at which something happens next; false if nothing
// ever does by itself.
func (w *World) Next() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.executor.Next()
}

// Run lets the world run up to a virtual time, or until done, which may be nil,
// says so. Idle time is skipped.
func (w *World) Run(ctx context.Context, until time.Time, done func() bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.executor.RunUntil(ctx, until, done)
}
