package endpoints

import (
	"bytes"
	"net/http"
	"time"

	"tidepool.dev/tidepool/engine/api/rest"
)

// bookmarkEvery is how often a watch tells where it is when nothing else
// happens.
const bookmarkEvery = time.Minute

// watching is an open watch of one request.
type watching struct {
	*request
	resource *resource
	watch    *rest.Watch
	recent   *recent       // events, encoded for all watches that are like this one
	columns  bool          // tables name their columns in the first event
	piece    *bytes.Buffer // what is about to be written, while something is
}

func (q *request) watchResource(r *resource) error {
	selection, query, err := q.selection(r, true)
	if err != nil {
		return err
	}
	timeout := query.integer("timeoutSeconds")
	if query.err != nil {
		return query.err
	}
	alike := form{resource: r, media: q.media}
	if q.media.as.Kind == "Table" {
		if alike.include, err = includeObject(q.r.URL.Query()); err != nil { // while there can be an error
			return err
		}
	}
	opts := rest.WatchOptions{
		ListOptions:   selection,
		Bookmarks:     query.flag("allowWatchBookmarks"),
		InitialEvents: query.optionalFlag("sendInitialEvents"),
	}
	w := &watching{request: q, resource: r, columns: q.media.as.Kind == "Table"}
	bell, over, mark := newBell(), newBell(), newBell()
	turn := q.turn(bell.ring)
	defer turn.Leave()
	err = q.do(func() (err error) {
		w.watch, err = q.Operations.OpenWatch(q.ctx, r.Kind, q.namespace, opts, turn.Ask)
		return err
	})
	if err != nil {
		return err
	}
	defer w.watch.Stop()
	w.recent = q.shared.join(alike)
	defer q.shared.leave(alike)
	// Without a timeout a watch lasts as long as its client: time may be
	// virtual, and run faster than the client believes.
	if timeout != nil && *timeout > 0 {
		end := q.Clock.AfterFunc(time.Duration(*timeout)*time.Second, over.ring)
		defer end.Stop()
	}
	q.w.Header().Set("Content-Type", q.media.contentType())
	q.w.WriteHeader(http.StatusOK)
	q.w.Flush()
	timer := q.Clock.AfterFunc(bookmarkEvery, mark.ring)
	defer func() { timer.Stop() }()
	for {
		if !w.deliver() {
			return nil
		}
		turn.Done()
		select {
		case <-q.ctx.Done():
			return nil
		case <-over:
			return nil
		case <-mark:
			// What other resources' writes have moved on is news too.
			if !w.deliver() || !w.bookmark() {
				return nil
			}
			timer = q.Clock.AfterFunc(bookmarkEvery, mark.ring)
		case <-bell:
		}
	}
}

// Turn is a watch's place among those that have something to deliver. Its methods
// never block.
type Turn interface {
	// Ask asks for a turn; asking again before it has come changes nothing.
	Ask()
	// Done ends the turn, if the watch has it.
	Done()
	// Leave gives the place up.
	Leave()
}

// turn returns a watch's place; ready rings when it is the watch's turn.
func (h *Handler) turn(ready func()) Turn {
	if h.Turns == nil {
		return anytime(ready)
	}
	return h.Turns(ready)
}

// anytime is the turn of a watch that waits for no others.
type anytime func()

func (t anytime) Ask()   { t() }
func (t anytime) Done()  {}
func (t anytime) Leave() {}

// bell wakes a goroutine; ringing it never blocks.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default: // it is ringing
	}
}
