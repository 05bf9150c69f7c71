package endpoints

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

// pieceSize is how much of what a watch has to say is gathered before it is
// written: many events in one write, and no more than this kept for a client
// that does not read. With its header it fits a record of TLS, which has room
// for 16 KiB, as a frame of HTTP/2 has.
const pieceSize = 16<<10 - 64

// pieces are kept because a watch needs one only while it writes.
var pieces = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// deliver writes all that has happened; false ends the watch.
func (w *watching) deliver() bool {
	w.piece = pieces.Get().(*bytes.Buffer)
	defer func() {
		w.piece.Reset()
		if w.piece.Cap() <= 2*pieceSize {
			pieces.Put(w.piece)
		}
		w.piece = nil
	}()
	goesOn := w.gather()
	if !w.write() {
		return false
	}
	w.w.Flush()
	return goesOn && w.ctx.Err() == nil
}

// gather writes but for the last piece.
func (w *watching) gather() bool {
	for {
		events, err := w.watch.Next()
		if err != nil {
			w.failed(err)
			return false
		}
		if len(events) == 0 {
			return true
		}
		for i := range events {
			if !w.add(&events[i]) {
				return false
			}
		}
	}
}

// bookmark writes one if there is news in it.
func (w *watching) bookmark() bool {
	event, ok := w.watch.Bookmark()
	if !ok {
		return true
	}
	w.piece = new(bytes.Buffer)
	defer func() { w.piece = nil }()
	if !w.add(&event) || !w.write() {
		return false
	}
	w.w.Flush()
	return true
}

// write sends a piece; false when the client is gone.
func (w *watching) write() bool {
	if w.piece.Len() == 0 {
		return true
	}
	_, err := w.w.Write(w.piece.Bytes())
	w.piece.Reset()
	return err == nil
}

// add adds an event to the piece, and writes a full one; false ends the watch.
func (w *watching) add(event *rest.WatchEvent) bool {
	text, err := w.text(event)
	if err != nil {
		w.failed(err)
		return false
	}
	if w.piece.Len() > 0 && w.piece.Len()+len(text) > pieceSize && !w.write() {
		return false
	}
	w.piece.Write(text)
	return true
}

// failed adds an error, the last thing that a watch says.
func (w *watching) failed(err error) {
	status := statusOf(err)
	if text, err := w.encode("ERROR", &status); err == nil {
		w.piece.Write(text)
	}
}

// text is the event as it is sent.
func (w *watching) text(event *rest.WatchEvent) ([]byte, error) {
	if event.Type == watch.Bookmark {
		return w.encode(event.Type, w.bookmarkObject(event))
	}
	columns := w.columns
	w.columns = false
	encode := func() ([]byte, error) {
		body, err := w.transform(w.resource, event.Object, columns)
		if err != nil {
			return nil, err
		}
		return w.encode(event.Type, body)
	}
	if event.Revision == 0 || columns {
		return encode()
	}
	var second int64
	if w.media.as.Kind == "Table" { // which shows ages
		second = w.Clock.Now().Unix()
	}
	return w.recent.text(event.Revision, event.Type, second, encode)
}

func (w *watching) encode(eventType watch.EventType, object any) ([]byte, error) {
	var text bytes.Buffer
	err := json.NewEncoder(&text).Encode(struct {
		Type   watch.EventType `json:"type"`
		Object any             `json:"object"`
	}{eventType, object})
	if err != nil || !w.media.yaml {
		return text.Bytes(), err
	}
	converted, err := yaml.JSONToYAML(text.Bytes())
	return append([]byte("---\n"), converted...), err // one document for each event
}

// bookmarkObject is an object that has a resourceVersion and nothing else.
func (w *watching) bookmarkObject(event *rest.WatchEvent) any {
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
