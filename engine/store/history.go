package store

import (
	"fmt"
	"slices"
)

// history is the log of a store's writes behind the compaction: the event of
// revision compacted+1 comes first, and revisions have no gaps.
type history struct {
	events    []Event
	compacted int64
}

func (h *history) newest() int64 { return h.compacted + int64(len(h.events)) }

func (h *history) append(event Event) { h.events = append(h.events, event) }

// after returns the events behind a revision for which check is nil.
func (h *history) after(revision int64) []Event {
	return h.events[revision-h.compacted:]
}

// check says whether the history reaches back, and forward, to a revision.
func (h *history) check(revision int64) error {
	switch {
	case revision < h.compacted:
		return fmt.Errorf("%w: revision %d, the oldest is %d", ErrCompacted, revision, h.compacted)
	case revision > h.newest():
		return fmt.Errorf("%w: revision %d, the newest is %d", ErrFuture, revision, h.newest())
	}
	return nil
}

func (h *history) compact(revision int64) {
	if revision <= h.compacted {
		return
	}
	h.events = slices.Clone(h.after(revision))
	h.compacted = revision
}
