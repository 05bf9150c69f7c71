//go:build js && wasm

package main

import (
	"net/http"

	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/api/remote/channel"
)

// carrier implements endpoints.Carrier over a port: the messages of a channel
// travel as http.go describes.
type carrier struct{}

// CarryProcess implements endpoints.Carrier.
func (carrier) CarryProcess(w http.ResponseWriter, r *http.Request, _ remote.Options, start func(wake func()) (remote.Process, error)) {
	out := portOf(w)
	bell := make(chan struct{}, 1)
	process, err := start(func() {
		select {
		case bell <- struct{}{}:
		default:
		}
	})
	out.WriteHeader(http.StatusSwitchingProtocols)
	out.Flush()
	if err != nil {
		out.send(channel.Failed(err))
		return
	}
	defer process.Close()
	for {
		for _, message := range out.take() {
			channel.Receive(process, message)
		}
		out.done() // the process may have something to do
		messages, ended := channel.Next(process)
		for _, message := range messages {
			out.send(message)
		}
		if ended {
			return
		}
		select {
		case <-bell:
		case <-out.arrived:
		case <-r.Context().Done():
			return
		}
	}
}

// CarryPorts implements endpoints.Carrier. What listens on a computer's ports
// and forwards them is a program outside of a page, and none can reach into it.
func (carrier) CarryPorts(w http.ResponseWriter, _ *http.Request, _ string, _ func(port int, wake func()) (remote.Connection, error)) {
	http.Error(w, "the ports of a cluster in a browser tab can't be forwarded", http.StatusNotImplemented)
}

// portOf finds the writer of http.go behind those that wrap it.
func portOf(w http.ResponseWriter) *responseWriter {
	for {
		if port, ok := w.(*responseWriter); ok {
			return port
		}
		w = w.(interface{ Unwrap() http.ResponseWriter }).Unwrap()
	}
}

// take returns the client's messages that have arrived.
func (e *exchange) take() [][]byte {
	messages := e.messages
	e.messages = nil
	return messages
}

// send sends one message to the client.
func (w *responseWriter) send(message []byte) {
	w.buffer = append(w.buffer, message...)
	w.Flush()
}
