// Package interrupt replaces upstream's package of this name in the browser,
// where no signals exist: Ctrl-C arrives as a call of Signal.
package interrupt

import (
	"os"
	"sync"
)

// running holds the handlers whose critical sections run now.
var running = struct {
	sync.Mutex
	handlers map[*Handler]bool
}{handlers: map[*Handler]bool{}}

// Signal interrupts every critical section that is running, as SIGINT does.
// It does not wait for them to end.
func Signal() {
	running.Lock()
	defer running.Unlock()
	for handler := range running.handlers {
		go handler.Signal(os.Interrupt)
	}
}

// Handler notifies exactly once when a critical section ends or is interrupted.
type Handler struct {
	notify []func()
	final  func(os.Signal)
	once   sync.Once
}

// Chain creates a handler that notifies, and then hands on to another one, if any.
func Chain(handler *Handler, notify ...func()) *Handler {
	if handler == nil {
		return New(nil, notify...)
	}
	return New(handler.Signal, append(notify, handler.Close)...)
}

// New creates a handler for one critical section. Upstream's exits the process
// after an interruption when final is nil; here the caller of Signal ends the
// run that the section belongs to.
func New(final func(os.Signal), notify ...func()) *Handler {
	return &Handler{final: final, notify: notify}
}

// Close notifies, unless that has been done.
func (h *Handler) Close() {
	h.once.Do(h.notifyAll)
}

// Signal notifies and then calls the final handler, unless that has been done.
func (h *Handler) Signal(signal os.Signal) {
	h.once.Do(func() {
		h.notifyAll()
		if h.final != nil {
			h.final(signal)
		}
	})
}

func (h *Handler) notifyAll() {
	for _, notify := range h.notify {
		notify()
	}
}

// Run runs the critical section and notifies when it ends or is interrupted.
func (h *Handler) Run(section func() error) error {
	running.Lock()
	running.handlers[h] = true
	running.Unlock()
	defer func() {
		running.Lock()
		delete(running.handlers, h)
		running.Unlock()
		h.Close()
	}()
	return section()
}
