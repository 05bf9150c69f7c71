// Package view is the compact stream of a cluster's state that maps and lessons
// are drawn from: a snapshot, and then the changes, coalesced. The same text
// frames travel over a MessagePort in a page and over a WebSocket:
//
//	{"type":"snapshot","revision":12,"time":"...","set":[record, ...]}
//	{"type":"delta","revision":15,"time":"...","set":[record, ...],"delete":["uid", ...]}
//	{"type":"lesson","id":"...","steps":[{"id":"...","done":true,"detail":"..."}, ...],"current":"..."}
//	{"type":"error","message":"..."}
//
// A snapshot replaces everything that the client knew. Records are in record.go;
// what a client may send is in session.go. Nothing here knows how frames travel
// or how often: the caller pulls.
package view

import (
	"context"
	"errors"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// largestDelta bounds the changes in one frame, so that a burst of them is
// drawn bit by bit instead of late.
const largestDelta = 4096

// Stream makes the frames of one client. It is not safe for concurrent use.
type Stream struct {
	store   store.Interface
	clock   clock.Clock
	wake    func()
	watcher store.Watcher // nil until the snapshot
	events  []store.Event
	frame   []byte
}

// NewStream returns a stream that begins with a snapshot. wake is called
// whenever Next may have a frame; see store.Interface.Watch.
func NewStream(s store.Interface, clock clock.Clock, wake func()) *Stream {
	return &Stream{store: s, clock: clock, wake: wake}
}

// Next returns the next frame, which is valid until the next call; nil if there
// is nothing new. A client that has fallen too far behind gets a new snapshot.
func (s *Stream) Next(ctx context.Context) ([]byte, error) {
	if s.watcher == nil {
		return s.snapshot(ctx)
	}
	var err error
	s.events, err = s.watcher.Next(s.events[:0], largestDelta)
	if errors.Is(err, store.ErrCompacted) {
		s.Close()
		return s.snapshot(ctx)
	}
	if err != nil {
		return nil, err
	}
	return s.delta(), nil
}

// Close ends the stream; wake is not called afterwards.
func (s *Stream) Close() {
	if s.watcher != nil {
		s.watcher.Stop()
		s.watcher = nil
	}
}

func (s *Stream) begin(kind string, revision int64) object {
	o := begin(s.frame[:0])
	o.text("type", kind)
	o.number("revision", revision)
	o.time("time", s.clock.Now())
	return o
}

func (s *Stream) snapshot(ctx context.Context) ([]byte, error) {
	revision, err := s.store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	o := s.begin("snapshot", revision)
	o.key("set")
	o.buf = append(o.buf, '[')
	first := true
	for _, resource := range resources {
		list, err := s.store.List(ctx, resource, "", store.ListOptions{Revision: revision})
		if err != nil {
			return nil, err
		}
		for _, obj := range list.Items {
			if !first {
				o.buf = append(o.buf, ',')
			}
			first = false
			o.buf = appendRecord(o.buf, obj)
		}
	}
	o.buf = append(o.buf, ']')
	s.frame = o.end()
	s.watcher, err = s.store.Watch("", "", revision, s.wake)
	return s.frame, err
}

// delta makes one record of all the changes of an object.
func (s *Stream) delta() []byte {
	latest := make(map[string]int, len(s.events)) // UID → the last of its events
	for i := range s.events {
		if shown(s.events[i].Key.Resource) {
			latest[string(s.events[i].Object.GetUID())] = i
		}
	}
	if len(latest) == 0 {
		return nil
	}
	o := s.begin("delta", s.watcher.Revision())
	o.key("set")
	o.buf = append(o.buf, '[')
	first := true
	var gone []string
	for i := range s.events {
		event := &s.events[i]
		uid := string(event.Object.GetUID())
		if last, ok := latest[uid]; !ok || last != i {
			continue
		}
		if event.Type == store.Deleted {
			gone = append(gone, uid)
			continue
		}
		if !first {
			o.buf = append(o.buf, ',')
		}
		first = false
		o.buf = appendRecord(o.buf, event.Object)
	}
	o.buf = append(o.buf, ']')
	o.list("delete", gone)
	s.frame = o.end()
	return s.frame
}

func shown(resource string) bool {
	for _, r := range resources {
		if r == resource {
			return true
		}
	}
	return false
}
