package endpoints

import (
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"

	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

func (q *request) get(r *resource) error {
	var obj store.Object
	err := q.do(func() (err error) {
		obj, err = q.Operations.Get(q.ctx, r.Kind, q.namespace, q.name)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendObject(http.StatusOK, r, obj)
}

// selection is what of the resource a list or watch is about.
func (q *request) selection(r *resource, watch bool) (rest.ListOptions, *parameters, error) {
	query := &parameters{values: q.r.URL.Query()}
	opts := query.listOptions()
	if query.err != nil {
		return opts, query, query.err
	}
	if err := query.validateListOptions(&opts, watch); err != nil {
		return opts, query, err
	}
	if r.version != nil && r.version.Field != nil && opts.Fields != nil && !opts.Fields.Empty() {
		translated, err := opts.Fields.Transform(func(field, value string) (string, string, error) {
			return r.version.Field(field), value, nil
		})
		if err != nil {
			return opts, query, apierrors.NewBadRequest(err.Error())
		}
		opts.Fields = translated
	}
	if q.name != "" { // a watch of one object
		one := fields.OneTermEqualSelector("metadata.name", q.name)
		if opts.Fields != nil && !opts.Fields.Empty() {
			if name, ok := opts.Fields.RequiresExactMatch("metadata.name"); !ok || name != q.name {
				return opts, query, apierrors.NewBadRequest("fieldSelector metadata.name doesn't match requested name")
			}
			one = opts.Fields
		}
		opts.Fields = one
	}
	return opts, query, nil
}

func (q *request) list(r *resource) error {
	opts, _, err := q.selection(r, false)
	if err != nil {
		return err
	}
	var list rest.List
	err = q.do(func() (err error) {
		list, err = q.Operations.List(q.ctx, r.Kind, q.namespace, opts)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendList(r, list)
}
