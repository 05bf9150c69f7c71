package carry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"

	"tidepool.dev/tidepool/engine/api/remote"
)

// protocols are the WebSocket protocols of exec and attach, the preferred one
// first. They differ in that v5 lets a client close its end of a stream.
var protocols = []string{remotecommand.StreamProtocolV5Name, remotecommand.StreamProtocolV4Name}

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
	conn, ok := upgrade(w, r, protocols)
	if !ok {
		return
	}
	defer conn.Close()
	s := processSocket{conn}
	bell := newBell()
	process, err := start(bell.ring)
	if err != nil {
		s.finish(apierrors.NewInternalError(err).Status())
		return
	}
	defer process.Close()
	ctx, gone := context.WithCancel(r.Context())
	defer gone()
	go func() {
		defer gone()
		s.read(process)
	}()
	end, err := copyOut(ctx, process, bell, s.write)
	if err == nil {
		s.finish(statusOf(end))
	}
}

// read passes on what the client sends until it goes.
func (s processSocket) read(process remote.Process) {
	for {
		kind, message, err := s.ReadMessage()
		if err != nil {
			return
		}
		if kind != websocket.BinaryMessage && kind != websocket.TextMessage || len(message) == 0 {
			continue
		}
		switch channel, data := message[0], message[1:]; channel {
		case remotecommand.StreamStdIn:
			process.Write(data)
		case remotecommand.StreamResize:
			var size struct{ Width, Height uint16 }
			if json.Unmarshal(data, &size) == nil {
				process.Resize(int(size.Width), int(size.Height))
			}
		case remotecommand.StreamClose:
			if len(data) == 1 && data[0] == remotecommand.StreamStdIn {
				process.CloseInput()
			}
		}
	}
}

func (s processSocket) write(chunk remote.Chunk) error {
	channel := byte(remotecommand.StreamStdOut)
	if chunk.Stderr {
		channel = remotecommand.StreamStdErr
	}
	return s.send(channel, chunk.Data)
}

func (s processSocket) send(channel byte, data []byte) error {
	if err := s.SetWriteDeadline(time.Now().Add(writing)); err != nil {
		return err
	}
	return s.WriteMessage(websocket.BinaryMessage, append([]byte{channel}, data...))
}

// finish tells how the process ended, and ends the connection.
func (s processSocket) finish(status metav1.Status) {
	data, err := json.Marshal(status)
	if err == nil {
		err = s.send(remotecommand.StreamErr, data)
	}
	if err == nil {
		_ = s.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(writing))
	}
}

// statusOf tells of an end as Kubernetes does
// (k8s.io/apiserver/pkg/util/proxy.StreamTranslatorHandler): an error has come
// through two servers, both of which say that it is one.
func statusOf(end *remote.End) metav1.Status {
	switch {
	case end.Err != nil:
		return apierrors.NewInternalError(apierrors.NewInternalError(fmt.Errorf("error executing command in container: %w", end.Err))).Status()
	case end.Code == 0:
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	return metav1.Status{
		Status: metav1.StatusFailure,
		Reason: remotecommand.NonZeroExitCodeReason,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{
			{Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(end.Code)},
		}},
		Message: fmt.Sprintf("command terminated with non-zero exit code: command terminated with exit code %d", end.Code),
	}
}
