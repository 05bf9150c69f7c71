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
		c := &connection{ResponseWriter: w, control: http.NewResponseController(w), limit: limit}
		c.writes(time.Time{}) // an earlier request on the connection may have left one
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = body{r.Body, c}
		}
		next.ServeHTTP(c, r)
		if !c.taken {
			c.writes(time.Now().Add(limit)) // for what net/http still has to send
		}
	})
}

// connection is the client of one request.
type connection struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
	taken   bool // by a handler that speaks another protocol
}

// Writers that know no deadlines, as in tests, are waited for without one.

func (c *connection) writes(deadline time.Time) { _ = c.control.SetWriteDeadline(deadline) }

func (c *connection) reads(deadline time.Time) { _ = c.control.SetReadDeadline(deadline) }

func (c *connection) Write(data []byte) (int, error) {
	c.writes(time.Now().Add(c.limit))
	defer c.writes(time.Time{}) // one that is left would end a quiet HTTP/2 stream
	return c.ResponseWriter.Write(data)
}

// Flush implements http.Flusher.
func (c *connection) Flush() { _ = c.FlushError() }

// FlushError is what http.ResponseController calls.
func (c *connection) FlushError() error {
	c.writes(time.Now().Add(c.limit))
	defer c.writes(time.Time{})
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
	from *connection
}

func (b body) Read(data []byte) (int, error) {
	b.from.reads(time.Now().Add(b.from.limit))
	defer b.from.reads(time.Time{})
	return b.ReadCloser.Read(data)
}
