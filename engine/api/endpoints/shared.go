package endpoints

import (
	"errors"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// recentEvents is how many events of a form are kept encoded: as many as
	// watches that keep up are apart.
	recentEvents = 512
	// mostShared is how many bytes are kept, of all forms together.
	mostShared = 16 << 20
)

// form is all that the text of an event depends on besides the event.
type form struct {
	resource *resource
	media    media
	include  metav1.IncludeObjectPolicy // of tables
}

// shared has the watches of a form encode each event once, and all write the
// same bytes. The zero value is ready to use.
type shared struct {
	mu    sync.Mutex
	forms map[form]*recent
	size  atomic.Int64 // of what has been encoded since all was last forgotten
}

// recent are the latest events of a form; what is kept of them is dropped when
// the last of its watches ends.
type recent struct {
	shared  *shared
	watches atomic.Int64
	texts   [recentEvents]atomic.Pointer[text]
}

// text is an encoded event. The revision of a write and what the write looks
// like to a watch say which event it is, but for the time that tables show.
type text struct {
	revision int64
	kind     watch.EventType
	second   int64

	encoded sync.Once
	bytes   []byte
	err     error
}

func (s *shared) join(f form) *recent {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forms == nil {
		s.forms = map[form]*recent{}
	}
	r, known := s.forms[f]
	if !known {
		r = &recent{shared: s}
		s.forms[f] = r
	}
	r.watches.Add(1)
	return r
}

func (s *shared) leave(f form) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forms[f].watches.Add(-1) == 0 {
		delete(s.forms, f)
	}
}

// forget drops all texts. Watches that are behind encode theirs again.
func (s *shared) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size.Store(0)
	for _, r := range s.forms {
		for i := range r.texts {
			r.texts[i].Store(nil)
		}
	}
}

var errNotEncoded = errors.New("the event could not be encoded")

// text returns what encode returns for the event, or has returned for another
// watch. Nobody may change it.
func (r *recent) text(revision int64, kind watch.EventType, second int64, encode func() ([]byte, error)) ([]byte, error) {
	if r.watches.Load() == 1 {
		return encode()
	}
	slot := &r.texts[revision%recentEvents]
	t := slot.Load()
	for t == nil || t.revision != revision || t.kind != kind || t.second != second {
		fresh := &text{revision: revision, kind: kind, second: second, err: errNotEncoded}
		if slot.CompareAndSwap(t, fresh) {
			t = fresh
			break
		}
		t = slot.Load()
	}
	t.encoded.Do(func() {
		t.bytes, t.err = encode()
		if r.shared.size.Add(int64(len(t.bytes))) > mostShared {
			r.shared.forget()
		}
	})
	return t.bytes, t.err
}
