//go:build js && wasm

package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"syscall/js"
)

// A port carries any number of requests at the same time:
//
//	→ {id, method, url, headers: {name: value}, body: Uint8Array or null}
//	→ {id, abort: true}
//	← {id, status, headers}, {id, chunk: Uint8Array}..., {id, end: true}
//	← {id, error: text}, instead of the rest
//
// A request with the header "connection: upgrade" that is answered with status
// 101 has become a channel of messages (see engine/api/remote/channel): from then
// on, each chunk is one message, and the client sends its own as
//
//	→ {id, message: Uint8Array}

// connectHTTP serves requests that come through a port; done is called after
// each.
func connectHTTP(port js.Value, handler http.Handler, done func()) {
	running := map[int]*exchange{}
	port.Set("onmessage", js.FuncOf(func(_ js.Value, args []js.Value) any {
		message := args[0].Get("data")
		id := message.Get("id").Int()
		if message.Get("abort").Truthy() {
			if e, ok := running[id]; ok {
				e.cancel()
			}
			return nil
		}
		if m := message.Get("message"); m.Truthy() {
			if e, ok := running[id]; ok {
				e.receive(bytesOf(m))
			}
			return nil
		}
		ctx, cancel := context.WithCancel(context.Background())
		request, err := readRequest(ctx, message)
		if err != nil {
			cancel()
			port.Call("postMessage", map[string]any{"id": id, "error": err.Error()})
			return nil
		}
		e := &exchange{cancel: cancel, arrived: make(chan struct{}, 1)}
		running[id] = e
		go func() {
			defer delete(running, id)
			defer cancel()
			w := &responseWriter{port: port, id: id, exchange: e, header: http.Header{}, done: done}
			handler.ServeHTTP(w, request)
			w.Flush()
			port.Call("postMessage", map[string]any{"id": id, "end": true})
		}()
		return nil
	}))
}

// exchange is a request that has not ended.
type exchange struct {
	cancel   context.CancelFunc
	messages [][]byte // of the client's, not read yet
	arrived  chan struct{}
}

func (e *exchange) receive(message []byte) {
	e.messages = append(e.messages, message)
	select {
	case e.arrived <- struct{}{}:
	default:
	}
}

func bytesOf(array js.Value) []byte {
	data := make([]byte, array.Get("byteLength").Int())
	js.CopyBytesToGo(data, array)
	return data
}

func readRequest(ctx context.Context, message js.Value) (*http.Request, error) {
	var body []byte
	if b := message.Get("body"); b.Truthy() {
		body = bytesOf(b)
	}
	request, err := http.NewRequestWithContext(ctx, message.Get("method").String(), message.Get("url").String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.RequestURI = message.Get("url").String()
	headers := js.Global().Get("Object").Call("entries", message.Get("headers"))
	for i := range headers.Length() {
		request.Header.Set(headers.Index(i).Index(0).String(), headers.Index(i).Index(1).String())
	}
	return request, nil
}

// fullBuffer is when a response is sent on even if it is not flushed.
const fullBuffer = 64 << 10

// responseWriter sends a response in as few messages as its flushes allow.
type responseWriter struct {
	port js.Value
	id   int
	*exchange
	header http.Header
	status int
	sent   bool // the status and the headers
	buffer []byte
	done   func()
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *responseWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.buffer = append(w.buffer, data...)
	if len(w.buffer) >= fullBuffer {
		w.Flush()
	}
	return len(data), nil
}

// Flush implements http.Flusher.
func (w *responseWriter) Flush() {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
		w.sent = true
		headers := map[string]any{}
		for name, values := range w.header {
			headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
		w.port.Call("postMessage", map[string]any{"id": w.id, "status": w.status, "headers": headers})
		w.done() // what was asked has happened
	}
	if len(w.buffer) == 0 {
		return
	}
	chunk := js.Global().Get("Uint8Array").New(len(w.buffer))
	js.CopyBytesToJS(chunk, w.buffer)
	w.buffer = w.buffer[:0]
	w.port.Call("postMessage", map[string]any{"id": w.id, "chunk": chunk}, []any{chunk.Get("buffer")})
}
