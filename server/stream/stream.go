package stream

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// interval is the least time between two frames to one client: changes in
	// between become one frame.
	interval = 50 * time.Millisecond
	// writeLimit is how long a client may take to accept a frame before it is
	// dropped; it can connect again and gets a new snapshot.
	writeLimit = 10 * time.Second
	// silence is how long a client may say nothing, not even answer a ping.
	silence  = 60 * time.Second
	pingTime = silence / 2
	// largestCommand is how many bytes a client's frame may have.
	largestCommand = 4096
)

// Session is one client's view of the cluster: it makes the frames for the
// client and takes those from it.
type Session interface {
	// Next returns the next frame, which is valid until the next call; nil if
	// there is nothing new.
	Next(ctx context.Context) ([]byte, error)
	// Receive takes a frame of the client.
	Receive(frame []byte)
	Close()
}

// Handler serves sessions to clients that authorize accepts. open starts a
// session; wake must be called whenever it may have a frame and never blocks.
type Handler struct {
	Authorize func(r *http.Request) bool
	Open      func(wake func()) Session
	Log       *slog.Logger
}

var upgrader = websocket.Upgrader{
	Subprotocols:      []string{protocol},
	CheckOrigin:       sameOrigin,
	EnableCompression: true,
}

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.Authorize(r) {
		http.Error(w, "Unauthorized: the stream needs the token that the server printed.", http.StatusUnauthorized)
		return
	}
	connection, err := upgrader.Upgrade(w, r, nil) // it answers where it fails
	if err != nil {
		return
	}
	defer connection.Close()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	wake := make(chan struct{}, 1)
	session := h.Open(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer session.Close()
	commands := make(chan []byte)
	go func() {
		defer cancel()
		receive(ctx, connection, commands)
	}()
	if err := send(ctx, connection, session, wake, commands); err != nil {
		h.Log.Debug("a stream ended", "error", err)
	}
}

// receive hands the client's frames over until it leaves or breaks the protocol.
func receive(ctx context.Context, connection *websocket.Conn, commands chan<- []byte) {
	connection.SetReadLimit(largestCommand)
	alive := func(string) error { return connection.SetReadDeadline(time.Now().Add(silence)) }
	connection.SetPongHandler(alive)
	alive("")
	for {
		kind, frame, err := connection.ReadMessage() // a broken or too large frame is answered with a close
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			closeWith(connection, websocket.CloseUnsupportedData, "the stream takes text frames only")
			return
		}
		alive("")
		select {
		case commands <- frame:
		case <-ctx.Done():
			return
		}
	}
}

// send is the only one that touches the session.
func send(ctx context.Context, connection *websocket.Conn, session Session, wake <-chan struct{}, commands <-chan []byte) error {
	ping := time.NewTicker(pingTime)
	defer ping.Stop()
	for {
		for {
			frame, err := session.Next(ctx)
			if err != nil {
				closeWith(connection, websocket.CloseInternalServerErr, "the cluster's state can't be read")
				return err
			}
			if frame == nil {
				break
			}
			connection.SetWriteDeadline(time.Now().Add(writeLimit))
			if err := connection.WriteMessage(websocket.TextMessage, frame); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			closeWith(connection, websocket.CloseGoingAway, "the server is ending")
			return ctx.Err()
		case frame := <-commands:
			session.Receive(frame)
		case <-ping.C:
			if err := connection.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeLimit)); err != nil {
				return err
			}
		case <-wake:
			select {
			case <-ctx.Done():
			case <-time.After(interval):
			}
		}
	}
}

func closeWith(connection *websocket.Conn, code int, reason string) {
	err := connection.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(writeLimit))
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		connection.Close()
	}
}
