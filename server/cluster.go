package server

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authentication/bootstrap"
	"tidepool.dev/tidepool/engine/api/cel/celgo"
	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/openapi/embedded"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controlplane"
	"tidepool.dev/tidepool/engine/controlplane/administration"
	"tidepool.dev/tidepool/engine/executor/concurrent"
	"tidepool.dev/tidepool/engine/metrics"
	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/engine/store"
	"tidepool.dev/tidepool/engine/view"
	"tidepool.dev/tidepool/lessons"
	"tidepool.dev/tidepool/lessons/courses"
	"tidepool.dev/tidepool/server/carry"
	"tidepool.dev/tidepool/server/pki"
	"tidepool.dev/tidepool/server/stream"
	"tidepool.dev/tidepool/server/turns"
	"tidepool.dev/tidepool/server/webhook"
)

// cluster is a control plane with simulated nodes that runs in real time.
type cluster struct {
	*controlplane.ControlPlane
	Store     store.Interface
	executor  *concurrent.Executor
	nodes     int
	observers *lessons.Observers
}

func newCluster(ctx context.Context, nodes int, measured bool, authority *pki.Authority, hooks api.Config, log *slog.Logger) (*cluster, error) {
	var clock concurrent.Clock
	random := controlplane.NewRandom(seed())
	simulated := sim.NewNodes(clock, random)
	for i := range nodes {
		simulated.Add(sim.DefaultNode(i + 1))
	}
	observers := &lessons.Observers{}
	hooks.Observe = observers.Observe
	hooks.Logs, hooks.Remote, hooks.Carrier = simulated, simulated, carry.Carrier{}
	hooks.OpenAPI, hooks.EncodeOpenAPI = embedded.Source, encodeOpenAPI
	hooks.CEL = celgo.Evaluator{}
	hooks.Call = webhook.Call
	watches := turns.New(runtime.GOMAXPROCS(0))
	hooks.Turns = func(ready func()) endpoints.Turn { return watches.Join(ready) }
	hooks.Panicked = func(r *http.Request, reason any, stack []byte) {
		log.Error("a request to the API panicked", "method", r.Method, "path", r.URL.Path, "panic", reason, "stack", string(stack))
	}
	memory := store.NewMemory(0)
	hooks.Token = authentication.Any(hooks.Token, bootstrap.Tokens{Store: memory, Clock: clock}.Authenticate)
	wake, waker := concurrent.Waker()
	usage := sim.NewUsage(clock)
	var source metrics.Source
	if measured {
		source = usage
	}
	plane, err := controlplane.New(ctx, controlplane.Config{
		Store: memory, Clock: clock, Random: random, API: hooks, Wake: waker, CA: authority.PEM, Authority: authority, Metrics: source,
		Further: administration.Further(),
	})
	if err != nil {
		return nil, err
	}
	usage.Read(plane.Cache)
	loops := append(plane.Controllers, simulated.Controllers(plane.Cache, plane.API.Client)...)
	report := func(name string, request controller.Request, err error) {
		log.Debug("a reconciliation failed and will be tried again", "controller", name,
			"namespace", request.Namespace, "name", request.Name, "error", err)
	}
	return &cluster{
		ControlPlane: plane,
		Store:        memory,
		executor:     concurrent.New(clock, plane.Cache, wake, loops, report),
		nodes:        nodes,
		observers:    observers,
	}, nil
}

func seed() uint64 {
	var bytes [8]byte
	rand.Read(bytes[:]) // it never fails
	return binary.LittleEndian.Uint64(bytes[:])
}

// run runs the cluster until the context ends.
func (c *cluster) run(ctx context.Context) error { return c.executor.Run(ctx) }

// session is one page's view of the cluster.
func (c *cluster) session(wake func()) stream.Session {
	return view.NewSession(c.Store, concurrent.Clock{}, lessons.Open(courses.Find, c.Cache, c.observers), wake)
}

// ready waits until all nodes are.
func (c *cluster) ready(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for c.readyNodes() < c.nodes {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func (c *cluster) readyNodes() (count int) {
	for _, node := range cache.List[*corev1.Node](c.Cache, "nodes", "") {
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				count++
			}
		}
	}
	return count
}
