package rest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// WatchEvent is a change of one object as a client's watch sees it: an object that begins or
// ceases to match its selectors is added or deleted.
type WatchEvent struct {
	Type   watch.EventType
	Object store.Object
	// InitialEnd marks the bookmark that ends a list by watching.
	InitialEnd bool
	// Revision is that of the write, or the bookmark; 0 for what exists when the
	// watch begins. It and the type say which event it is.
	Revision int64
}

// WatchOptions say what to watch.
type WatchOptions struct {
	ListOptions
	// Bookmarks are wanted: Next returns one when it has nothing else to say
	// and the revision has moved on.
	Bookmarks bool
	// InitialEvents asks for the objects that exist, as added, and a bookmark
	// behind them (a streaming list), or, if false, for none; nil: they come,
	// without the bookmark, where no revision is given to start from.
	InitialEvents *bool
}

// Watch is one client's view of a resource. It is not safe for concurrent use.
type Watch struct {
	kind    *kind.Kind
	opts    WatchOptions
	name    string // of the only object that is watched, empty: there are more
	watcher store.Watcher
	initial []WatchEvent
	events  []WatchEvent // what Next has returned
	said    int64        // the revision of the latest event or bookmark
	after   int64        // events up to it are not told
	failed  error        // what the watch has to say instead of events
}

// watchBatch is how many events Next returns at most, but for those that a watch
// begins with.
const watchBatch = 128

// batches are kept because a watch needs one only while it is pulled.
var batches = sync.Pool{New: func() any { return new([watchBatch]store.Event) }}

// OpenWatch starts a watch of a resource, of one namespace unless it is empty;
// wake is as in store.Interface.Watch. Stop must follow.
func (o *Operations) OpenWatch(ctx context.Context, k *kind.Kind, namespace string, opts WatchOptions, wake func()) (*Watch, error) {
	if err := CheckFields(k, opts.Fields); err != nil {
		return nil, err
	}
	from, err := ParseRevision(opts.ResourceVersion)
	if invalidVersion := (*field.Error)(nil); errors.As(err, &invalidVersion) {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: k.Group, Kind: k.Plural}, "", field.ErrorList{invalidVersion})
	}
	w := &Watch{kind: k, opts: opts}
	streamed := opts.InitialEvents != nil && *opts.InitialEvents
	newest, err := o.store.Revision(ctx)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	switch {
	case streamed || from == 0 && opts.InitialEvents == nil:
		if from, err = w.begin(ctx, o, namespace, streamed); err != nil {
			return nil, err
		}
	case from == 0:
		from = newest
	case from > newest:
		w.after, from = from, newest // nothing is told before the client has seen it
	}
	w.said = from
	w.sortOut()
	w.watcher, err = o.store.Watch(k.Resource(), namespace, from, wake)
	if known := (*store.RevisionError)(nil); errors.As(err, &known) && errors.Is(err, store.ErrCompacted) {
		w.failed = apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", known.Wanted, known.Bound))
		return w, nil
	}
	return w, statusError(err, k, "")
}

// begin makes the events of what exists; it returns the revision of that.
func (w *Watch) begin(ctx context.Context, o *Operations, namespace string, streamed bool) (int64, error) {
	opts := ListOptions{Labels: w.opts.Labels, Fields: w.opts.Fields}
	if streamed {
		opts.ResourceVersion = w.opts.ResourceVersion
	}
	list, err := o.List(ctx, w.kind, namespace, opts)
	if err != nil {
		return 0, err
	}
	for _, obj := range list.Items {
		w.initial = append(w.initial, WatchEvent{Type: watch.Added, Object: obj})
	}
	if streamed && w.opts.Bookmarks {
		w.initial = append(w.initial, WatchEvent{Type: watch.Bookmark, Revision: list.Revision, InitialEnd: true})
	}
	return list.Revision, nil
}

// Next returns the events that there are, at most a batch, which is valid until
// the next call; none when the watch has to wait to be woken. An error ends the
// watch.
func (w *Watch) Next() ([]WatchEvent, error) {
	if w.failed != nil {
		return nil, w.failed
	}
	if w.initial != nil {
		events := w.initial
		w.initial = nil
		return events, nil
	}
	clear(w.events) // what it holds may go
	w.events = w.events[:0]
	batch := batches.Get().(*[watchBatch]store.Event)
	defer func() {
		clear(batch[:])
		batches.Put(batch)
	}()
	for len(w.events) == 0 {
		pulled, err := w.watcher.Next(batch[:0], watchBatch)
		if errors.Is(err, store.ErrCompacted) {
			return nil, apierrors.NewResourceExpired("The resourceVersion for the provided watch is too old.")
		}
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		if len(pulled) == 0 {
			return nil, nil
		}
		for i := range pulled {
			if pulled[i].Revision <= w.after || w.name != "" && w.name != pulled[i].Key.Name {
				continue
			}
			if event, ok := w.see(&pulled[i]); ok {
				w.events = append(w.events, event)
			}
		}
	}
	return w.events, nil
}

// sortOut takes out of the selector what can be told of an event at a glance.
func (w *Watch) sortOut() {
	if w.opts.Fields == nil {
		return
	}
	w.name, _ = w.opts.Fields.RequiresExactMatch("metadata.name")
	if w.name != "" && len(w.opts.Fields.Requirements()) == 1 {
		w.opts.Fields = nil
	}
}

// see is what a write looks like through the watch's selectors.
func (w *Watch) see(event *store.Event) (WatchEvent, bool) {
	before := event.Prev != nil && w.opts.Matches(w.kind, event.Prev)
	after := event.Type != store.Deleted && w.opts.Matches(w.kind, event.Object)
	switch {
	case before && after:
		return WatchEvent{Type: watch.Modified, Object: event.Object, Revision: event.Revision}, true
	case after:
		return WatchEvent{Type: watch.Added, Object: event.Object, Revision: event.Revision}, true
	case before && event.Type == store.Deleted:
		return WatchEvent{Type: watch.Deleted, Object: event.Object, Revision: event.Revision}, true
	case before: // it exists, but no longer matches: its last matching state, at this revision
		last := event.Prev.DeepCopyObject().(store.Object)
		last.SetResourceVersion(event.Object.GetResourceVersion())
		return WatchEvent{Type: watch.Deleted, Object: last, Revision: event.Revision}, true
	}
	return WatchEvent{}, false
}

// Bookmark returns a bookmark at the revision up to which Next has said
// everything; false when bookmarks are not wanted or there is no news in it.
func (w *Watch) Bookmark() (WatchEvent, bool) {
	revision := w.watcher.Revision()
	if revision <= w.after {
		return WatchEvent{}, false
	}
	if !w.opts.Bookmarks || revision <= w.said {
		return WatchEvent{}, false
	}
	w.said = revision
	return WatchEvent{Type: watch.Bookmark, Revision: revision}, true
}

// InitialEventsEnd is the annotation of the bookmark that ends a list by
// watching.
const InitialEventsEnd = metav1.InitialEventsAnnotationKey

// Stop ends the watch.
func (w *Watch) Stop() {
	if w.watcher != nil {
		w.watcher.Stop()
	}
}
