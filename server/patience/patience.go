// Package patience bounds how long the server waits for clients: for one that
// does not read what it has asked for, a watch for instance, or does not send
// the rest of a body. It is done with such a client, whose connection ends;
// others don't notice. How long a request itself may take is no concern of it:
// a watch without news waits as long as its client does.
package patience

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Handler serves with next, and waits for each piece of a request or of its
// answer at most as long as limit says.
func Handler(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		// Writers that know no deadlines, as in tests, are waited for without one.
		setRead := func(deadline time.Time) { _ = control.SetReadDeadline(deadline) }
		setWrite := func(deadline time.Time) { _ = control.SetWriteDeadline(deadline) }
		c := &connection{ResponseWriter: w, control: control, writing: watchdog{limit: limit, deadline: setWrite}}
		defer c.writing.end()
		if r.ProtoMajor < 2 {
			setWrite(time.Time{}) // an earlier request on the connection may have left one
		}
		if r.Body != nil && r.Body != http.NoBody {
			reading := &body{r.Body, watchdog{limit: limit, deadline: setRead}}
			defer reading.watchdog.end()
			r.Body = reading
		}
		next.ServeHTTP(c, r)
		if !c.taken {
			setWrite(time.Now().Add(limit)) // for what net/http still has to send
		}
	})
}

// connection is the client of one request.
type connection struct {
	http.ResponseWriter
	control *http.ResponseController
	writing watchdog
	taken   bool // by a handler that speaks another protocol
}

func (c *connection) Write(data []byte) (int, error) {
	c.writing.begin()
	defer c.writing.pause()
	return c.ResponseWriter.Write(data)
}

// Flush implements http.Flusher.
func (c *connection) Flush() { _ = c.FlushError() }

// FlushError is what http.ResponseController calls.
func (c *connection) FlushError() error {
	c.writing.begin()
	defer c.writing.pause()
	err := c.control.Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// Hijack implements http.Hijacker.
func (c *connection) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := c.control.Hijack()
	c.taken = err == nil
	return conn, buffered, err
}

// Unwrap is for http.ResponseController.
func (c *connection) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// body is a request's.
type body struct {
	io.ReadCloser
	watchdog
}

func (b *body) Read(data []byte) (int, error) {
	b.begin()
	defer b.pause()
	return b.ReadCloser.Read(data)
}
