package carry

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	constants "k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// tunnel makes a WebSocket look like a request that can be upgraded to SPDY
// (k8s.io/apiserver/pkg/util/proxy.TunnelingHandler upstream).
func tunnel(conn *websocket.Conn, r *http.Request) (http.ResponseWriter, *http.Request) {
	inner := r.Clone(r.Context())
	inner.Header = http.Header{}
	inner.Header.Set(httpstream.HeaderConnection, httpstream.HeaderUpgrade)
	inner.Header.Set(httpstream.HeaderUpgrade, spdy.HeaderSpdy31)
	inner.Header.Set(httpstream.HeaderProtocolVersion, strings.TrimPrefix(constants.WebsocketsSPDYTunnelingPortForwardV1, constants.WebsocketsSPDYTunnelingPrefix))
	return &tunnelWriter{conn: &socketConn{Conn: conn}, header: http.Header{}}, inner
}

// tunnelWriter is the answer to a request that has been upgraded already.
type tunnelWriter struct {
	conn   net.Conn
	header http.Header
}

func (t *tunnelWriter) Header() http.Header { return t.header }
func (t *tunnelWriter) WriteHeader(int)     {}
func (t *tunnelWriter) Write([]byte) (int, error) {
	return 0, errors.New("the connection has been upgraded")
}

// Hijack implements http.Hijacker.
func (t *tunnelWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return t.conn, bufio.NewReadWriter(bufio.NewReader(t.conn), bufio.NewWriter(t.conn)), nil
}

// socketConn is a WebSocket as a stream of bytes: where messages begin and end
// has no meaning. (client-go's TunnelingConnection is the same, and brings all
// of its REST client.)
type socketConn struct {
	*websocket.Conn
	message io.Reader // what is left of the one that is read
	writing sync.Mutex
}

func (s *socketConn) Read(data []byte) (int, error) {
	for {
		if s.message == nil {
			_, message, err := s.NextReader()
			if websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				err = io.EOF
			}
			if err != nil {
				return 0, err
			}
			s.message = message
		}
		n, err := s.message.Read(data)
		if errors.Is(err, io.EOF) {
			s.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *socketConn) Write(data []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.WriteMessage(websocket.BinaryMessage, data); err != nil {
		return 0, err
	}
	return len(data), nil
}

// SetDeadline implements net.Conn.
func (s *socketConn) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}
