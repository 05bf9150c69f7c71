package endpoints

import (
	"fmt"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/codec"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

// sendObject answers with one object in the form that was asked for.
func (q *request) sendObject(code int, r *resource, obj store.Object) error {
	body, err := q.transform(r, obj, true)
	if err != nil {
		return err
	}
	q.send(code, body)
	return nil
}

// transform makes of an object what the client wants to see of it; a watch
// wants the columns of its tables only once.
func (q *request) transform(r *resource, obj store.Object, columns bool) (any, error) {
	switch q.media.as.Kind {
	case "Table":
		return q.table(r, []store.Object{obj}, metav1.ListMeta{ResourceVersion: obj.GetResourceVersion()}, columns)
	case "PartialObjectMetadata":
		return partial(obj, q.media.as), nil
	case "PartialObjectMetadataList":
		return nil, notAcceptable("you requested PartialObjectMetadataList, but the requested object is not a list (%T)", obj)
	}
	return r.shown(obj), nil
}

func notAcceptable(format string, values ...any) error {
	return failure(http.StatusNotAcceptable, metav1.StatusReasonNotAcceptable, fmt.Sprintf(format, values...))
}

// metadataOf is the metadata of an object: every kind embeds it.
func metadataOf(obj store.Object) *metav1.ObjectMeta {
	meta, _ := obj.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
	return meta
}

func partial(obj store.Object, as schema.GroupVersionKind) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{Kind: "PartialObjectMetadata", APIVersion: as.GroupVersion().String()},
		ObjectMeta: *metadataOf(obj),
	}
}

// sendList answers with a list in the form that was asked for, object by
// object.
func (q *request) sendList(r *resource, list rest.List) error {
	meta := metav1.ListMeta{
		ResourceVersion:    fmt.Sprint(list.Revision),
		Continue:           list.Continue,
		RemainingItemCount: list.Remaining,
	}
	var answer *codec.List
	switch q.media.as.Kind {
	case "Table":
		var err error
		if answer, err = q.tableList(r, list.Items, meta); err != nil {
			return err
		}
	case "PartialObjectMetadata":
		return notAcceptable("you requested PartialObjectMetadata, but the requested object is a list (%T)", r.NewList())
	case "PartialObjectMetadataList":
		each := q.media.as
		each.Kind = "PartialObjectMetadata"
		answer = &codec.List{
			TypeMeta: metav1.TypeMeta{Kind: q.media.as.Kind, APIVersion: q.media.as.GroupVersion().String()},
			Part:     func(i int) any { return partial(list.Items[i], each) },
			Field:    "items",
		}
	default:
		answer = &codec.List{
			TypeMeta: metav1.TypeMeta{Kind: r.served.Kind + "List", APIVersion: r.served.GroupVersion().String()},
			ItemKind: r.served,
			Part:     func(i int) any { return r.shown(list.Items[i]) },
			Field:    "items",
		}
	}
	answer.ListMeta, answer.Length = meta, len(list.Items)
	q.w.Header().Set("Content-Type", q.media.contentType())
	q.answer(http.StatusOK, func(w io.Writer) error { return q.encoder().EncodeList(w, answer) })
	return nil
}

func rawObject(obj runtime.Object) runtime.RawExtension { return runtime.RawExtension{Object: obj} }
