package clientgo

import (
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
)

// wire is a transport that keeps what is asked for and can end what is open, as
// a server does that restarts.
type wire struct {
	http.RoundTripper
	mu    sync.Mutex
	asked []url.Values
	open  []*body
	down  bool
}

// over puts the wire over a client's transport.
func (w *wire) over(next http.RoundTripper) http.RoundTripper {
	w.RoundTripper = next
	return w
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	down := w.down
	w.asked = append(w.asked, r.URL.Query())
	w.mu.Unlock()
	if down {
		return nil, syscall.ECONNREFUSED
	}
	response, err := w.RoundTripper.RoundTrip(r)
	if err == nil {
		body := &body{ReadCloser: response.Body}
		response.Body = body
		w.mu.Lock()
		w.open = append(w.open, body)
		w.mu.Unlock()
	}
	return response, err
}

// cut ends all that is open; down has later requests fail too.
func (w *wire) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
	for _, body := range w.open {
		body.ended.Store(true)
		body.Close()
	}
	w.open = nil
}

// body is a response's, which can come to its end at any time.
type body struct {
	io.ReadCloser
	ended atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.ended.Load() {
		err = io.EOF
	}
	return n, err
}

// requests tells what was asked: the number of lists, of watches that begin
// with a list's worth of events, and of plain watches.
func (w *wire) requests() (lists, streams, watches int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, query := range w.asked {
		switch {
		case query.Get("watch") != "true":
			lists++
		case query.Get("sendInitialEvents") == "true":
			streams++
		default:
			watches++
		}
	}
	return lists, streams, watches
}
