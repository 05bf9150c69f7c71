//go:build js && wasm

package main

import (
	"context"
	"math"
	"syscall/js"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/sim"
)

const (
	// slice is how long the world runs before the worker looks at its messages
	// again.
	slice = 8 * time.Millisecond
	// oversleep is how much later than asked the worker may wake up and time
	// still goes on as if it had been awake; after a longer sleep (a closed
	// laptop) the cluster goes on where it was.
	oversleep = time.Second
	// leap is how far time may pass in one slice at infinite speed.
	leap = time.Hour
	// startLimit bounds the virtual time in which the nodes become ready.
	startLimit = 2 * time.Minute
)

// pacer lets a world's virtual time follow the wall clock.
type pacer struct {
	world  *sim.World
	speed  float64
	wakeUp chan struct{}
	turn   chan struct{} // the event loop has had a turn
	poke   js.Value      // a port whose messages come back to turn
}

func newPacer(world *sim.World, speed float64) *pacer {
	p := &pacer{world: world, speed: speed, wakeUp: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
	channel := js.Global().Get("MessageChannel").New()
	channel.Get("port1").Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case p.turn <- struct{}{}:
		default:
		}
		return nil
	}))
	p.poke = channel.Get("port2")
	return p
}

// begin runs the world, at once, until its nodes are ready.
func (p *pacer) begin(ctx context.Context, nodes int) error {
	return p.world.Run(ctx, p.world.Now().Add(startLimit), func() bool {
		ready := 0
		for _, node := range cache.List[*corev1.Node](p.world.Cache, "nodes", "") {
			for _, c := range node.Status.Conditions {
				if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && len(node.Spec.Taints) == 0 {
					ready++
				}
			}
		}
		return ready == nodes
	})
}

// wake makes the pacer look again: something has been asked of the world.
func (p *pacer) wake() {
	select {
	case p.wakeUp <- struct{}{}:
	default:
	}
}

func (p *pacer) setSpeed(speed float64) {
	p.speed = speed
	p.wake()
}

// run returns only if the world fails. At infinite speed time passes as fast as
// the work in it is done.
func (p *pacer) run(ctx context.Context) error {
	last, planned := time.Now(), time.Duration(0)
	for {
		began := time.Now()
		elapsed := min(began.Sub(last), planned+oversleep)
		last = began
		flatOut := math.IsInf(p.speed, 1)
		target := p.world.Now().Add(leap)
		if !flatOut {
			target = p.world.Now().Add(time.Duration(float64(elapsed) * p.speed))
		}
		late := false
		err := p.world.Run(ctx, target, func() bool {
			late = time.Since(began) > slice
			return late
		})
		if err != nil {
			return err
		}
		if late || flatOut {
			planned = 0
			p.yield()
			continue
		}
		planned = p.rest()
	}
}

// yield lets the worker's event loop take its messages.
func (p *pacer) yield() {
	p.poke.Call("postMessage", js.Null())
	<-p.turn
}

// rest waits for the next event or request, and returns how long it meant to.
func (p *pacer) rest() time.Duration {
	next, ok := p.world.Next()
	if !ok || p.speed <= 0 {
		<-p.wakeUp
		return time.Duration(1 << 62)
	}
	wait := time.Duration(float64(next.Sub(p.world.Now())) / p.speed)
	timer := time.NewTimer(max(wait, time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.wakeUp:
	}
	return wait
}
