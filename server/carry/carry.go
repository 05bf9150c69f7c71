// Package carry takes the streams of exec, attach and port-forward to clients:
// over WebSockets, as kubectl prefers, or over SPDY/3.1, as older clients do. It
// implements endpoints.Carrier. The protocols are the libraries'; what happens
// in the containers is behind engine/api/remote.
package carry

import (
	"context"
	"net/http"
	"time"

	"tidepool.dev/tidepool/engine/api/remote"
)

const (
	// idle is how long a SPDY connection may be silent, as kubelets have it
	// (streamingConnectionIdleTimeout).
	idle = 4 * time.Hour
	// creation is how long a client may take to open its streams.
	creation = 30 * time.Second
	// writing is how long a client may take to accept a message.
	writing = 30 * time.Second
	// closing is how long it may take to agree that the connection ends.
	closing = 5 * time.Second
)

// Carrier implements endpoints.Carrier.
type Carrier struct{}

// bell wakes a goroutine; ringing it never blocks.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default: // it is ringing
	}
}

// unwrap is the outermost writer whose connection can be taken over, so that
// whoever wraps the server's own learns of it.
func unwrap(w http.ResponseWriter) http.ResponseWriter {
	for {
		if _, ok := w.(http.Hijacker); ok {
			return w
		}
		wrapped, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapped.Unwrap()
	}
}

// copyOut writes what a process writes until it ends, the client has gone or
// write fails.
func copyOut(ctx context.Context, process remote.Process, bell bell, write func(remote.Chunk) error) (*remote.End, error) {
	for {
		chunks, end := process.Read()
		for _, chunk := range chunks {
			if err := write(chunk); err != nil {
				return nil, err
			}
		}
		if end != nil {
			return end, nil
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
