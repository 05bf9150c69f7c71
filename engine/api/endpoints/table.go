package endpoints

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/codec"
	"tidepool.dev/tidepool/engine/store"
)

// plainColumns print kinds that declare none
// (k8s.io/apiserver/pkg/registry/rest.defaultTableConvertor upstream).
var plainColumns = []metav1.TableColumnDefinition{
	{Name: "Name", Type: "string", Format: "name", Description: "Name must be unique within a namespace."},
	{Name: "Created At", Type: "date", Description: "CreationTimestamp is a timestamp representing the server time when this object was created."},
}

func columnsOf(r *resource) []metav1.TableColumnDefinition {
	if r.Row == nil {
		return plainColumns
	}
	return r.Columns
}

// plainRow fills the plainColumns.
func plainRow(obj store.Object, _ time.Time) []any {
	return []any{obj.GetName(), obj.GetCreationTimestamp().UTC().Format(time.RFC3339)}
}

// rows returns a function that makes the row of an object. list is what it is
// shown among, nil if it is alone.
func (q *request) rows(r *resource, list []store.Object) (func(store.Object) metav1.TableRow, error) {
	cells := r.Row
	switch {
	case cells == nil:
		cells = plainRow
	case list != nil && r.ListRow != nil:
		cells = r.ListRow(list)
	}
	include, err := includeObject(q.r.URL.Query())
	if err != nil {
		return nil, err
	}
	now := q.Clock.Now()
	return func(obj store.Object) metav1.TableRow {
		row := metav1.TableRow{Cells: cells(obj, now)}
		switch include {
		case metav1.IncludeMetadata:
			row.Object = rawObject(partial(obj, q.media.as))
		case metav1.IncludeObject:
			row.Object = rawObject(r.shown(obj))
		}
		return row
	}, nil
}

func (q *request) table(r *resource, objects []store.Object, meta metav1.ListMeta, columns bool) (*metav1.Table, error) {
	row, err := q.rows(r, nil)
	if err != nil {
		return nil, err
	}
	table := &metav1.Table{
		TypeMeta: metav1.TypeMeta{Kind: "Table", APIVersion: q.media.as.GroupVersion().String()},
		ListMeta: meta,
	}
	if columns {
		table.ColumnDefinitions = columnsOf(r)
	}
	for _, obj := range objects {
		table.Rows = append(table.Rows, row(obj))
	}
	return table, nil
}

// tableList is a table whose rows are made while they are written.
func (q *request) tableList(r *resource, objects []store.Object, meta metav1.ListMeta) (*codec.List, error) {
	row, err := q.rows(r, objects)
	if err != nil {
		return nil, err
	}
	if r.CompareRows != nil {
		objects = slices.SortedStableFunc(slices.Values(objects), r.CompareRows)
	}
	return &codec.List{
		TypeMeta: metav1.TypeMeta{Kind: "Table", APIVersion: q.media.as.GroupVersion().String()},
		ListMeta: meta,
		Before:   []codec.NamedValue{{Name: "columnDefinitions", Value: columnsOf(r)}},
		Field:    "rows",
		Part:     func(i int) any { return row(objects[i]) },
	}, nil
}
