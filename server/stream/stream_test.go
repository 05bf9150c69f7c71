package stream

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"tidepool.dev/tidepool/engine/api/authentication"
)

// echo is a session that greets and then sends back what it gets.
type echo struct {
	mu     sync.Mutex
	frames []string
	wake   func()
	closed chan struct{}
}

func (e *echo) Next(context.Context) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.frames) == 0 {
		return nil, nil
	}
	frame := e.frames[0]
	e.frames = e.frames[1:]
	return []byte(frame), nil
}

func (e *echo) Receive(frame []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frames = append(e.frames, "you said "+string(frame))
	e.wake()
}

func (e *echo) Close() { close(e.closed) }

func serve(t *testing.T) (url string, session *echo) {
	session = &echo{frames: []string{"hello"}, closed: make(chan struct{})}
	server := httptest.NewServer(Handler{
		Authorize: func(r *http.Request) bool {
			token, err := authentication.WebSocketToken(r.Header)
			return token == "secret" && err == nil
		},
		Open: func(wake func()) Session { session.wake = wake; return session },
		Log:  slog.New(slog.DiscardHandler),
	})
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http"), session
}

func dial(url, token string, header http.Header) (*websocket.Conn, *http.Response, error) {
	dialer := websocket.Dialer{Subprotocols: []string{protocol, authentication.ProtocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(token))}}
	return dialer.Dial(url, header)
}

func read(t *testing.T, connection *websocket.Conn) string {
	t.Helper()
	_, frame, err := connection.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(frame)
}

func TestFramesTravelBothWays(t *testing.T) {
	url, session := serve(t)
	connection, _, err := dial(url, "secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	if connection.Subprotocol() != protocol {
		t.Errorf("the subprotocol is %q", connection.Subprotocol())
	}
	if got := read(t, connection); got != "hello" {
		t.Errorf("got %q", got)
	}
	if err := connection.WriteMessage(websocket.TextMessage, []byte("this")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, connection); got != "you said this" {
		t.Errorf("got %q", got)
	}
	connection.Close()
	<-session.closed
}

func TestBadFramesEndTheStreamAlone(t *testing.T) {
	for _, test := range []struct {
		name  string
		send  func(*websocket.Conn) error
		close int
	}{
		{"too large", func(c *websocket.Conn) error {
			return c.WriteMessage(websocket.TextMessage, make([]byte, largestCommand+1))
		}, websocket.CloseMessageTooBig},
		{"binary", func(c *websocket.Conn) error { return c.WriteMessage(websocket.BinaryMessage, []byte{1}) }, websocket.CloseUnsupportedData},
		{"broken", func(c *websocket.Conn) error {
			_, err := c.NetConn().Write([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
			return err
		}, websocket.CloseProtocolError},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, session := serve(t)
			connection, _, err := dial(url, "secret", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			read(t, connection)
			if err := test.send(connection); err != nil {
				t.Fatal(err)
			}
			if _, _, err := connection.ReadMessage(); !websocket.IsCloseError(err, test.close) {
				t.Errorf("got %v, want close code %d", err, test.close)
			}
			<-session.closed
		})
	}
}

func TestStrangersAreRefused(t *testing.T) {
	url, _ := serve(t)
	for _, test := range []struct {
		name, token string
		header      http.Header
		want        int
	}{
		{"another token", "guess", nil, http.StatusUnauthorized},
		{"another site", "secret", http.Header{"Origin": {"https://example.org"}}, http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			connection, response, err := dial(url, test.token, test.header)
			if err == nil {
				connection.Close()
				t.Fatal("connected")
			}
			if response == nil || response.StatusCode != test.want {
				t.Errorf("got %v, want status %d", response, test.want)
			}
		})
	}
}
