package carry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/api/remote/channel"
)

// maxMessage bounds what a client sends at once.
const maxMessage = 1 << 20

// processSocket is a WebSocket whose messages begin with the number of a channel.
type processSocket struct {
	*websocket.Conn
}

// upgrade makes a WebSocket of a request; it answers if it can't.
func upgrade(w http.ResponseWriter, r *http.Request, protocols []string) (*websocket.Conn, bool) {
	offered := websocket.Subprotocols(r)
	if !slices.ContainsFunc(offered, func(p string) bool { return slices.Contains(protocols, p) }) {
		http.Error(w, fmt.Sprintf("unable to upgrade: none of the subprotocols %q is supported, only %q", offered, protocols), http.StatusBadRequest)
		return nil, false
	}
	upgrader := websocket.Upgrader{Subprotocols: protocols}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil { // the client knows
		return nil, false
	}
	conn.SetReadLimit(maxMessage)
	return conn, true
}

func (Carrier) overWebSocket(w http.ResponseWriter, r *http.Request, start func(wake func()) (remote.Process, error)) {
	conn, ok := upgrade(w, r, channel.Protocols)
	if !ok {
		return
	}
	defer conn.Close()
	s := processSocket{conn}
	bell := newBell()
	process, err := start(bell.ring)
	if err != nil {
		s.finish(s.send(channel.Failed(err)))
		s.read(discarded{})
		return
	}
	defer process.Close()
	ctx, gone := context.WithCancel(r.Context())
	defer gone()
	go func() {
		defer gone()
		s.read(process)
	}()
	s.finish(s.copyOut(ctx, process, bell))
	<-ctx.Done() // a connection that is closed before the client has agreed loses what is on its way
}

// discarded takes what a client sends to a process that could not be started.
type discarded struct{ remote.Process }

func (discarded) Write([]byte)    {}
func (discarded) CloseInput()     {}
func (discarded) Resize(int, int) {}

// read passes on what the client sends until it goes.
func (s processSocket) read(process remote.Process) {
	for {
		kind, message, err := s.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.BinaryMessage || kind == websocket.TextMessage {
			channel.Receive(process, message)
		}
	}
}

// copyOut sends what the process writes, until it ends or the client has gone.
func (s processSocket) copyOut(ctx context.Context, process remote.Process, bell bell) error {
	for {
		messages, ended := channel.Next(process)
		for _, message := range messages {
			if err := s.send(message); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s processSocket) send(message []byte) error {
	if err := s.SetWriteDeadline(time.Now().Add(writing)); err != nil {
		return err
	}
	return s.WriteMessage(websocket.BinaryMessage, message)
}

// finish asks the client to end the connection, which it has a moment for.
func (s processSocket) finish(err error) {
	if err == nil {
		err = s.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(writing))
	}
	if err == nil {
		err = s.SetReadDeadline(time.Now().Add(closing))
	}
	if err != nil {
		s.Close()
	}
}
