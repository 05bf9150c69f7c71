//go:build js && wasm

package session

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall/js"
)

// dial asks for a connection that carries messages, by a function of the worker:
//
//	globalThis.dial(url, headers, {begin(status), message(data), end(error)}) → {send(data), close()}
//
// begin is called once, end last, with an Error if something went wrong. The answer is as
// net/http's to an upgrade: with status 101, its body is the connection, and has
// ReadMessage and WriteMessage. Otherwise the messages are parts of the body.
func dial(run context.Context, request *http.Request) (*http.Response, error) {
	headers := map[string]any{}
	for name, values := range request.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	m := &messages{begun: make(chan int, 1), arrived: make(chan struct{}, 1)}
	var begin, message, end js.Func
	begin = js.FuncOf(func(_ js.Value, args []js.Value) any {
		m.begun <- args[0].Int()
		return nil
	})
	message = js.FuncOf(func(_ js.Value, args []js.Value) any {
		data := make([]byte, args[0].Length())
		js.CopyBytesToGo(data, args[0])
		m.queue = append(m.queue, data)
		m.ring()
		return nil
	})
	end = js.FuncOf(func(_ js.Value, args []js.Value) any {
		err := io.EOF
		if len(args) > 0 && args[0].Truthy() {
			err = errors.New(args[0].Get("message").String())
		}
		m.finish(err)
		begin.Release()
		message.Release()
		end.Release()
		return nil
	})
	m.connection = js.Global().Call("dial", request.URL.RequestURI(), headers, map[string]any{"begin": begin, "message": message, "end": end})
	m.stop = context.AfterFunc(run, func() { _ = m.Close() })
	for {
		select {
		case status := <-m.begun:
			return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: m, Request: request}, nil
		case <-m.arrived:
			if m.err != nil {
				return nil, m.err
			}
		case <-request.Context().Done():
			_ = m.Close()
			return nil, request.Context().Err()
		}
	}
}

// messages is a connection that carries messages. One goroutine at a time reads.
type messages struct {
	connection js.Value
	begun      chan int
	queue      [][]byte
	err        error // once there will be no more
	arrived    chan struct{}
	stop       func() bool
}

func (m *messages) ring() {
	select {
	case m.arrived <- struct{}{}:
	default:
	}
}

func (m *messages) finish(err error) {
	if m.err == nil {
		m.err = err
		m.ring()
	}
}

// ReadMessage waits for the next message.
func (m *messages) ReadMessage() ([]byte, error) {
	for len(m.queue) == 0 {
		if m.err != nil {
			return nil, m.err
		}
		<-m.arrived
	}
	message := m.queue[0]
	m.queue = m.queue[1:]
	return message, nil
}

// WriteMessage sends a message; after the end it fails.
func (m *messages) WriteMessage(data []byte) error {
	if m.err != nil {
		return m.err
	}
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	m.connection.Call("send", array)
	return nil
}

// Read reads the messages as one text.
func (m *messages) Read(data []byte) (int, error) {
	message, err := m.ReadMessage()
	if err != nil {
		return 0, err
	}
	n := copy(data, message)
	if n < len(message) {
		m.queue = append([][]byte{message[n:]}, m.queue...)
	}
	return n, nil
}

// Close ends the connection.
func (m *messages) Close() error {
	m.stop()
	if m.err == nil {
		m.connection.Call("close")
	}
	m.finish(io.EOF)
	return nil
}
