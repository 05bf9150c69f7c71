package runtime

import (
	"errors"
	"slices"
	"strings"

	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/sim/image"
	"tidepool.dev/tidepool/engine/sim/image/shell"
)

// Bounds of what is kept for a program that does not read, and for a client that
// does not.
const (
	maxInput  = 64 << 20
	maxOutput = 4 << 20
)

// session is a client's end of a process.
type session struct {
	runtime  *Runtime
	wake     func()
	input    *shell.Input
	terminal *terminal
	chunks   []remote.Chunk
	size     int // of the chunks
	end      *remote.End
	// endInput is what happens when the client has nothing more to say, hangUp
	// when it goes.
	endInput, hangUp func()
}

// StartProcess implements kubelet.Runtime.
func (r *Runtime) StartProcess(id string, options remote.Options, wake func()) (process remote.Process, err error) {
	r.do(func() {
		var c *container
		if c, err = r.running(id); err != nil {
			return
		}
		s := &session{runtime: r, wake: wake}
		if len(options.Command) == 0 {
			c.attach(s, options)
		} else {
			c.start(s, options)
		}
		process = s
	})
	return process, err
}

// start runs a command for a session.
func (c *container) start(s *session, options remote.Options) {
	call := image.Call{Args: options.Command, Env: c.environment(), Terminal: options.TTY, Print: s.printer(options, false), Complain: s.printer(options, true)}
	if options.Stdin {
		s.input = shell.NewInput()
		s.endInput = s.input.Close
		call.Input = s.input
	}
	if options.TTY {
		call.Env = append(call.Env, "TERM=xterm")
		s.terminal = &terminal{input: s.input, show: call.Print}
		if s.input == nil { // keys can still interrupt
			s.terminal.input = shell.NewInput()
		}
		call.OnInterrupt = func(f func()) { s.terminal.interrupt = f }
		call.OnResize = func(prompt func() string) { s.terminal.prompt = prompt }
	}
	end := c.execute(call, func(code int, err error) { s.finish(code, err) })
	if s.terminal != nil {
		s.terminal.interrupt = func() { end(130) }
	}
	s.hangUp = func() { end(129) }
}

// attach makes a session one of those who see what the main program writes.
func (c *container) attach(s *session, options remote.Options) {
	c.watchers = append(c.watchers, s.watcher(options))
	at := c.watchers[len(c.watchers)-1]
	spec := c.config.Container
	if options.Stdin && spec.Stdin {
		s.input, s.terminal = c.input, c.terminal
		// A container's input outlives its clients, unless it is for one alone; at
		// a terminal it outlives that one, too (containerd's ContainerIO.Attach).
		if spec.StdinOnce && !spec.TTY {
			s.endInput = c.input.Close
		}
	}
	waiting := c.await(func() { s.finish(0, nil) }) // its exit code is the pod's to tell
	s.hangUp = func() {
		c.leave(waiting)
		c.watchers = slices.DeleteFunc(c.watchers, func(other *watcher) bool { return other == at })
		if s.endInput != nil {
			s.endInput()
		}
	}
}

// watcher is told what a container's main program writes.
type watcher struct{ out, err func(text string) }

func (s *session) watcher(options remote.Options) *watcher {
	return &watcher{s.printer(options, false), s.printer(options, true)}
}

// printer is what a program writes with.
func (s *session) printer(options remote.Options, stderr bool) func(text string) {
	switch {
	case options.TTY: // both go to the one screen
		return func(text string) { s.write(strings.ReplaceAll(text, "\n", "\r\n"), false) }
	case stderr && !options.Stderr, !stderr && !options.Stdout:
		return func(string) {}
	}
	return func(text string) { s.write(text, stderr) }
}

func (s *session) write(text string, stderr bool) {
	if text == "" || s.end != nil {
		return
	}
	if s.size+len(text) > maxOutput {
		s.finish(0, errors.New("the client does not read what the command writes"))
		s.hangUp()
		return
	}
	s.size += len(text)
	s.chunks = append(s.chunks, remote.Chunk{Stderr: stderr, Data: []byte(text)})
	s.runtime.call(s.wake)
}

func (s *session) finish(code int, err error) {
	if s.end == nil {
		s.end = &remote.End{Code: code, Err: err}
		s.runtime.call(s.wake)
	}
}

func (s *session) Write(data []byte) {
	s.runtime.do(func() {
		switch {
		case s.input == nil && s.terminal == nil || s.end != nil:
		case s.input.Len()+len(data) > maxInput:
			s.finish(0, errors.New("the command does not read its input"))
			s.hangUp()
		case s.terminal != nil:
			s.terminal.typed(string(data))
		default:
			s.input.Write(string(data))
		}
	})
}

func (s *session) CloseInput() {
	s.runtime.do(func() {
		if s.endInput != nil {
			s.endInput()
		}
	})
}

// Resize has the program's line drawn again if the size is another one; no
// simulated program asks for it.
func (s *session) Resize(columns, rows int) {
	s.runtime.do(func() {
		if t := s.terminal; t != nil && s.end == nil && (t.columns != columns || t.rows != rows) {
			first := t.columns == 0
			t.columns, t.rows = columns, rows
			if !first {
				t.redraw()
			}
		}
	})
}

func (s *session) Read() (chunks []remote.Chunk, end *remote.End) {
	s.runtime.do(func() {
		chunks, end = s.chunks, s.end
		s.chunks, s.size = nil, 0
	})
	return chunks, end
}

func (s *session) Close() {
	s.runtime.do(func() {
		s.hangUp()
		s.finish(0, nil)
		s.chunks = nil
	})
}
