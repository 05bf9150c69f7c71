package store

// blockSize is how many events the history keeps, and forgets, together.
const blockSize = 1024

// history is the log of a store's writes behind the compaction: revisions have
// no gaps, so an event is found by its number. It is kept in blocks, so that
// neither growing nor forgetting copies anything.
type history struct {
	blocks [][]Event
	// first is the revision of the first block's first event.
	first int64
	// compacted is the revision up to which the history has been forgotten.
	compacted int64
	newest    int64
}

func newHistory(revision int64) history {
	return history{first: revision + 1, compacted: revision, newest: revision}
}

// append logs the event of revision newest+1.
func (h *history) append(event Event) {
	if last := len(h.blocks) - 1; last < 0 || len(h.blocks[last]) == blockSize {
		h.blocks = append(h.blocks, make([]Event, 0, blockSize))
	}
	last := len(h.blocks) - 1
	h.blocks[last] = append(h.blocks[last], event)
	h.newest = event.Revision
}

// at is the event of a revision behind the compaction.
func (h *history) at(revision int64) *Event {
	i := revision - h.first
	return &h.blocks[i/blockSize][i%blockSize]
}

// check says whether the history reaches back, and forward, to a revision.
func (h *history) check(revision int64) error {
	switch {
	case revision < h.compacted:
		return &RevisionError{ErrCompacted, revision, h.compacted}
	case revision > h.newest:
		return &RevisionError{ErrFuture, revision, h.newest}
	}
	return nil
}

func (h *history) compact(revision int64) {
	h.compacted = max(h.compacted, revision)
	for len(h.blocks) > 0 && h.first+blockSize-1 <= h.compacted {
		h.blocks[0] = nil
		h.blocks = h.blocks[1:]
		h.first += blockSize
	}
}
