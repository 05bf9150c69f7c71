package endpoints

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

// bookmarkEvery is how often a watch tells where it is when nothing else
// happens.
const bookmarkEvery = time.Minute

// watching is an open watch of one request.
type watching struct {
	*request
	resource *resource
	watch    *rest.Watch
	columns  bool // tables name their columns in the first event
	buffer   bytes.Buffer
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
	if q.media.as.Kind == "Table" {
		if _, err := q.rows(r, nil); err != nil { // a wrong parameter, while there can be an error
			return err
		}
	}
	opts := rest.WatchOptions{
		ListOptions:   selection,
		Bookmarks:     query.flag("allowWatchBookmarks"),
		InitialEvents: query.optionalFlag("sendInitialEvents"),
	}
	w := &watching{request: q, resource: r, columns: true}
	bell := newBell()
	over, mark := newBell(), newBell()
	err = q.do(func() (err error) {
		w.watch, err = q.Operations.OpenWatch(q.ctx, r.Kind, q.namespace, opts, bell.ring)
		return err
	})
	if err != nil {
		return err
	}
	defer w.watch.Stop()
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

// bell wakes a goroutine; ringing it never blocks.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default: // it is ringing
	}
}

// deliver writes all that has happened; false ends the watch.
func (w *watching) deliver() bool {
	for {
		events, err := w.watch.Next()
		if err != nil {
			status := statusOf(err)
			w.write("ERROR", &status)
			return false
		}
		if len(events) == 0 {
			w.w.Flush()
			return w.ctx.Err() == nil
		}
		for _, event := range events {
			if !w.event(event) {
				return false
			}
		}
	}
}

func (w *watching) bookmark() bool {
	event, ok := w.watch.Bookmark()
	if !ok {
		return true
	}
	return w.event(event)
}

func (w *watching) event(event rest.WatchEvent) bool {
	if event.Type == watch.Bookmark {
		return w.write(string(event.Type), w.bookmarkObject(event))
	}
	body, err := w.transform(w.resource, event.Object, w.columns)
	if err != nil {
		status := statusOf(err)
		w.write("ERROR", &status)
		return false
	}
	w.columns = false
	return w.write(string(event.Type), body)
}

// bookmarkObject is an object that has a resourceVersion and nothing else.
func (w *watching) bookmarkObject(event rest.WatchEvent) any {
	obj := w.resource.empty()
	obj.GetObjectKind().SetGroupVersionKind(w.resource.served)
	obj.SetResourceVersion(strconv.FormatInt(event.Revision, 10))
	if event.InitialEnd {
		obj.SetAnnotations(map[string]string{rest.InitialEventsEnd: "true"})
	}
	switch w.media.as.Kind {
	case "Table":
		return w.bookmarkTable(obj)
	case "PartialObjectMetadata":
		return partial(obj, w.media.as)
	}
	return obj
}

func (w *watching) bookmarkTable(obj store.Object) *metav1.Table {
	table := &metav1.Table{
		TypeMeta: metav1.TypeMeta{Kind: "Table", APIVersion: w.media.as.GroupVersion().String()},
		ListMeta: metav1.ListMeta{ResourceVersion: obj.GetResourceVersion()},
		Rows: []metav1.TableRow{{
			Cells:  make([]any, len(columnsOf(w.resource))),
			Object: rawObject(partial(obj, w.media.as)),
		}},
	}
	if w.columns {
		table.ColumnDefinitions = columnsOf(w.resource)
		w.columns = false
	}
	return table
}

// write sends one event; false when the client is gone.
func (w *watching) write(eventType string, object any) bool {
	w.buffer.Reset()
	err := json.NewEncoder(&w.buffer).Encode(struct {
		Type   string `json:"type"`
		Object any    `json:"object"`
	}{eventType, object})
	if err != nil {
		return false
	}
	text := w.buffer.Bytes()
	if w.media.yaml { // one document for each event
		converted, err := yaml.JSONToYAML(text)
		if err != nil {
			return false
		}
		text = append([]byte("---\n"), converted...)
	}
	_, err = w.w.Write(text)
	return err == nil
}
