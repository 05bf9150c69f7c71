package runtime

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/sim/image"
)

// Dial implements kubelet.Runtime: a connection that is made in a pod's network
// namespace, to its loopback interface.
func (r *Runtime) Dial(pod types.UID, port int, wake func()) (opened remote.Connection, err error) {
	r.do(func() {
		s := r.sandboxOf(pod)
		if s == nil {
			err = fmt.Errorf("failed to find running sandbox of pod %q", pod)
			return
		}
		l, ok := s.ports[port]
		if !ok {
			err = fmt.Errorf("failed to execute portforward in network namespace \"/var/run/netns/cni-%s\": failed to connect to localhost:%d inside namespace %q, IPv4: dial tcp4 127.0.0.1:%d: connect: connection refused IPv6 dial tcp6 [::1]:%d: connect: connection refused ",
				s.id[:8], port, s.id, port, port)
			return
		}
		opened = &connection{runtime: r, peer: l, from: "127.0.0.1", wake: wake}
	})
	return opened, err
}

// sandboxOf finds the running sandbox of a pod; the one of the latest attempt
// is the only one that has not been stopped.
func (r *Runtime) sandboxOf(pod types.UID) *sandbox {
	for _, s := range r.sandboxes {
		if s.pod.UID == pod && !s.stopped {
			return s
		}
	}
	return nil
}

// maxHead bounds a request's line and headers.
const maxHead = 1 << 20

// connection is a client's end of a TCP connection to a program, which speaks
// HTTP/1.1 if anything.
type connection struct {
	runtime *Runtime
	peer    listener
	from    string
	wake    func()
	in      []byte // what the program has not answered yet
	noMore  bool   // will come in
	busy    bool   // an answer is on its way
	out     []byte
	ended   bool
}

func (c *connection) Write(data []byte) {
	c.runtime.do(func() {
		if c.ended {
			return
		}
		c.in = append(c.in, data...)
		if len(c.in) > maxInput {
			c.hangUp()
			return
		}
		c.answer()
	})
}

func (c *connection) CloseWrite() {
	c.runtime.do(func() {
		c.noMore = true
		c.answer()
	})
}

func (c *connection) Read() (data []byte, ended bool, err error) {
	c.runtime.do(func() {
		data, ended = c.out, c.ended
		c.out = nil
	})
	return data, ended, nil
}

func (c *connection) Close() {
	c.runtime.do(func() {
		c.ended = true
		c.in, c.out = nil, nil
	})
}

func (c *connection) hangUp() {
	c.ended = true
	c.runtime.call(c.wake)
}

// answer answers the next request, once all of it is there.
func (c *connection) answer() {
	if c.busy || c.ended {
		return
	}
	if len(c.in) == 0 {
		if c.noMore {
			c.hangUp()
		}
		return
	}
	if c.peer.of.status.FinishedAt.Unix() > 0 {
		c.hangUp()
		return
	}
	if !bytes.Contains(c.in, []byte("\r\n\r\n")) && !bytes.Contains(c.in, []byte("\n\n")) {
		if c.noMore || len(c.in) > maxHead {
			c.hangUp()
		}
		return
	}
	reader := bytes.NewReader(c.in)
	buffered := bufio.NewReader(reader)
	request, err := http.ReadRequest(buffered)
	var body []byte
	if err == nil {
		body, err = io.ReadAll(request.Body)
	}
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		if c.noMore {
			c.hangUp()
		}
		return
	case err != nil:
		c.send(image.Response{Status: http.StatusBadRequest, ContentType: "text/plain", Body: "400 Bad Request\n"}, "", true)
		return
	}
	c.in = c.in[len(c.in)-reader.Len()-buffered.Buffered():]
	c.busy = true
	response := c.peer.serve(image.Request{
		Method: request.Method, Path: request.URL.RequestURI(), Host: request.Host, UserAgent: request.UserAgent(), From: c.from, Body: string(body),
	})
	c.runtime.after(response.Delay, func() {
		c.busy = false
		if !c.ended {
			c.send(response, request.Method, request.Close)
			c.answer()
		}
	})
}

// send writes a response to the client.
func (c *connection) send(response image.Response, method string, last bool) {
	if response.Status != 0 {
		c.out = append(c.out, httpText(response, method, c.runtime.clock.Now(), last)...)
	}
	if last || response.Status == 0 {
		c.hangUp()
		return
	}
	c.runtime.call(c.wake)
}

func httpText(response image.Response, method string, now time.Time, last bool) string {
	connection := ""
	if last {
		connection = "close"
	}
	text := response.Head(now, connection)
	if method != http.MethodHead {
		text += response.Body
	}
	return text
}
