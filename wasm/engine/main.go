//go:build js && wasm

// Command engine is a simulated cluster in a Web Worker: the engine with a
// virtual clock that follows the wall clock, reached through MessagePorts.
//
// Before it starts, the worker sets globalThis.tidepoolConfig; once it is ready
// it sets globalThis.tidepool and calls globalThis.onTidepoolReady(). The
// messages on the ports are described in http.go and stream.go.
package main

import (
	"context"
	"fmt"
	"net/http"
	"syscall/js"
	"time"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/lessons"
)

// config is what the page wishes for.
type config struct {
	seed  uint64
	nodes int
	// start is the virtual time at which the cluster begins.
	start time.Time
	// speed is how much faster than the wall clock time passes.
	speed float64
	// openAPI is the URL below which the OpenAPI documents lie.
	openAPI string
}

func readConfig() config {
	c := js.Global().Get("tidepoolConfig")
	return config{
		seed:    uint64(c.Get("seed").Float()),
		nodes:   c.Get("nodes").Int(),
		start:   time.UnixMilli(int64(c.Get("start").Float())).UTC(),
		speed:   c.Get("speed").Float(),
		openAPI: c.Get("openAPI").String(),
	}
}

// logPanic tells the page's console of a bug that a request has met.
func logPanic(r *http.Request, reason any, stack []byte) {
	js.Global().Get("console").Call("error", fmt.Sprintf("%s %s panicked: %v\n%s", r.Method, r.URL.Path, reason, stack))
}

func main() {
	collectSeldom()
	ctx := context.Background()
	config := readConfig()
	watched := &lessons.Observers{}
	world, err := sim.New(ctx, sim.Config{
		Seed:  config.seed,
		Start: config.start,
		Nodes: config.nodes,
		API:   api.Config{OpenAPI: fetchDocument(config.openAPI), Observe: watched.Observe, Carrier: carrier{}, Panicked: logPanic},
	})
	if err != nil {
		js.Global().Call("onTidepoolFailed", fmt.Sprintf("the cluster could not be made: %v", err))
		return
	}
	p := newPacer(world, config.speed)
	if err := p.begin(ctx, config.nodes); err != nil {
		js.Global().Call("onTidepoolFailed", fmt.Sprintf("the cluster did not start: %v", err))
		return
	}
	js.Global().Set("tidepool", map[string]any{
		"connectHTTP": js.FuncOf(func(_ js.Value, args []js.Value) any {
			connectHTTP(args[0], world.Handler(), p.wake)
			return nil
		}),
		"connectStream": js.FuncOf(func(_ js.Value, args []js.Value) any {
			connectStream(args[0], world, watched)
			return nil
		}),
		"setSpeed": js.FuncOf(func(_ js.Value, args []js.Value) any {
			p.setSpeed(args[0].Float())
			return nil
		}),
	})
	js.Global().Call("onTidepoolReady")
	if err := p.run(ctx); err != nil {
		js.Global().Call("onTidepoolFailed", fmt.Sprintf("the cluster has stopped: %v", err))
	}
}
