//go:build js && wasm

package main

import (
	"context"
	"syscall/js"
	"time"

	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/engine/view"
	"tidepool.dev/tidepool/lessons"
	"tidepool.dev/tidepool/lessons/courses"
)

// frameInterval is the least time between two frames: a display's.
const frameInterval = 16 * time.Millisecond

// connectStream serves one client's session: each message of the port, both
// ways, is one frame of package view as a text. {close: true} ends it.
func connectStream(port js.Value, world *sim.World, watched *lessons.Observers) {
	wakeUp := make(chan struct{}, 1)
	wake := func() {
		select {
		case wakeUp <- struct{}{}:
		default:
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	session := view.NewSession(world.Store, world.Clock(), lessons.Open(courses.Find, world.Cache, watched), wake)
	port.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		data := args[0].Get("data")
		if data.Type() != js.TypeString {
			cancel()
			return nil
		}
		frame := []byte(data.String())
		world.Do(func() { session.Receive(frame) })
		return nil
	}))
	wake()
	go func() {
		defer world.Do(session.Close)
		for {
			select {
			case <-ctx.Done():
				return
			case <-wakeUp:
			}
			for {
				var frame []byte
				var err error
				world.Do(func() { frame, err = session.Next(ctx) })
				if err != nil || frame == nil {
					break
				}
				port.Call("postMessage", string(frame))
			}
			time.Sleep(frameInterval)
		}
	}()
}
