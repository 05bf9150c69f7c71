package runtime

import (
	"errors"
	"slices"
	"strings"

	"tidepool.dev/tidepool/engine/api/logs"
)

// maxLines is how many lines of a container's output are kept, the latest.
const maxLines = 2000

// log is the output of a container; the runtime's lock guards it.
type log struct {
	lines   []logs.Line
	dropped int // lines that are not kept any more
	// partial is the beginning of a line, of each stream.
	partial [2]string
	ended   bool
	readers []*reader
}

func (l *log) write(r *Runtime, text string, stderr bool) {
	stream := 0
	if stderr {
		stream = 1
	}
	text = l.partial[stream] + text
	for {
		line, rest, found := strings.Cut(text, "\n")
		if !found {
			break
		}
		l.append(logs.Line{Time: r.clock.Now(), Stderr: stderr, Text: line})
		text = rest
	}
	l.partial[stream] = text
	l.wake(r)
}

func (l *log) append(line logs.Line) {
	if len(l.lines) == maxLines {
		// Dropping many at once keeps appending cheap.
		l.lines = slices.Delete(l.lines, 0, maxLines/4)
		l.dropped += maxLines / 4
	}
	l.lines = append(l.lines, line)
}

// finish ends the output with its container.
func (l *log) finish(r *Runtime) {
	for stream, text := range l.partial {
		if text != "" {
			l.append(logs.Line{Time: r.clock.Now(), Stderr: stream == 1, Text: text})
		}
	}
	l.partial = [2]string{}
	l.ended = true
	l.wake(r)
}

// close ends the output with its removal.
func (l *log) close(r *Runtime) {
	l.ended = true
	l.lines, l.dropped = nil, l.dropped+len(l.lines)
	l.wake(r)
}

func (l *log) wake(r *Runtime) {
	for _, reader := range l.readers {
		if reader.wake != nil {
			r.call(reader.wake)
		}
	}
}

// reader is a position in a log.
type reader struct {
	runtime *Runtime
	log     *log
	at      int // counting the lines that have been dropped
	wake    func()
}

func (r *Runtime) Log(id string, wake func()) (logs.Reader, error) {
	var opened *reader
	r.do(func() {
		if c := r.containers[id]; c != nil {
			opened = &reader{runtime: r, log: &c.log, wake: wake}
			c.log.readers = append(c.log.readers, opened)
		}
	})
	if opened == nil {
		return nil, errors.New("unable to retrieve container logs for containerd://" + id)
	}
	return opened, nil
}

func (r *reader) Next(buffer []logs.Line, limit int) (lines []logs.Line, ended bool) {
	r.runtime.do(func() {
		l := r.log
		r.at = max(r.at, l.dropped)
		next := l.lines[r.at-l.dropped:]
		next = next[:min(limit, len(next))]
		buffer = append(buffer, next...)
		r.at += len(next)
		ended = l.ended && r.at == l.dropped+len(l.lines)
	})
	return buffer, ended
}

func (r *reader) Stop() {
	r.runtime.do(func() {
		r.log.readers = slices.DeleteFunc(r.log.readers, func(other *reader) bool { return other == r })
	})
}
