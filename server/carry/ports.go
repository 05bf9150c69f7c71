package carry

import (
	"context"
	"io"
	"net/http"

	"github.com/gorilla/websocket"
	constants "k8s.io/apimachinery/pkg/util/portforward"
	criforward "k8s.io/cri-streaming/pkg/streaming/portforward"

	"tidepool.dev/tidepool/engine/api/remote"
)

// CarryPorts implements endpoints.Carrier: over SPDY, or over SPDY in a
// WebSocket, as kubectl does.
func (Carrier) CarryPorts(w http.ResponseWriter, r *http.Request, pod string, dial func(port int, wake func()) (remote.Connection, error)) {
	w = unwrap(w)
	if websocket.IsWebSocketUpgrade(r) {
		conn, ok := upgrade(w, r, []string{constants.WebsocketsSPDYTunnelingPortForwardV1})
		if !ok {
			return
		}
		defer conn.Close()
		w, r = tunnel(conn, r)
	}
	criforward.ServePortForward(w, r, ports(dial), pod, "", &criforward.V4Options{}, idle, creation, criforward.SupportedProtocols)
}

// ports connects to the ports of a pod.
type ports func(port int, wake func()) (remote.Connection, error)

// PortForward implements the forwarder of k8s.io/cri-streaming.
func (dial ports) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	bell := newBell()
	connection, err := dial(int(port), bell.ring)
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		buffer := make([]byte, 32<<10)
		for {
			n, err := stream.Read(buffer)
			if n > 0 {
				connection.Write(buffer[:n])
			}
			if err != nil {
				connection.CloseWrite()
				return
			}
		}
	}()
	for {
		data, ended, err := connection.Read()
		if err != nil {
			return err
		}
		if len(data) > 0 {
			if _, err := stream.Write(data); err != nil {
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
