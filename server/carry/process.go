package carry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	criremote "k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"tidepool.dev/tidepool/engine/api/remote"
)

// CarryProcess implements endpoints.Carrier.
func (c Carrier) CarryProcess(w http.ResponseWriter, r *http.Request, options remote.Options, start func(wake func()) (remote.Process, error)) {
	w = unwrap(w)
	if websocket.IsWebSocketUpgrade(r) {
		c.overWebSocket(w, r, start)
		return
	}
	bell := newBell()
	process, err := start(bell.ring)
	if err != nil {
		// The client says itself that it could not upgrade the connection.
		http.Error(w, strings.TrimPrefix(err.Error(), "unable to upgrade connection: "), http.StatusInternalServerError)
		return
	}
	defer process.Close()
	criremote.ServeExec(w, r, spdyProcess{process, bell}, "", "", "", nil,
		&criremote.Options{Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr, TTY: options.TTY},
		idle, creation, criremote.SupportedStreamingProtocols)
}

// spdyProcess copies between a process and the streams of a SPDY connection.
type spdyProcess struct {
	remote.Process
	bell bell
}

// ExecInContainer implements the executor of k8s.io/cri-streaming.
func (p spdyProcess) ExecInContainer(ctx context.Context, _, _, _ string, _ []string, in io.Reader, out, errs io.WriteCloser, _ bool, resize <-chan criremote.TerminalSize, _ time.Duration) error {
	ctx, gone := context.WithCancel(ctx)
	defer gone()
	if in != nil {
		go p.copyIn(in)
	}
	go func() {
		for size := range resize {
			p.Resize(int(size.Width), int(size.Height))
		}
	}()
	end, err := copyOut(ctx, p.Process, p.bell, func(chunk remote.Chunk) error {
		to := out
		if chunk.Stderr {
			to = errs
		}
		if to == nil {
			return nil
		}
		_, err := to.Write(chunk.Data)
		return err
	})
	switch {
	case err != nil:
		return err
	case end.Err != nil:
		return end.Err
	case end.Code != 0:
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", end.Code), Code: end.Code}
	}
	return nil
}

// copyIn passes on what the client sends until it ends its stream.
func (p spdyProcess) copyIn(in io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := in.Read(buffer)
		if n > 0 {
			p.Write(buffer[:n])
		}
		if err != nil {
			p.CloseInput()
			return
		}
	}
}
