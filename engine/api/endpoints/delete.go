package endpoints

import (
	"net/http"
	"net/url"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/codec"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

func (q *request) delete(r *resource) error {
	opts, err := q.deleteOptions()
	if err != nil {
		return err
	}
	var last store.Object
	var gone bool
	err = q.do(func() (err error) {
		last, gone, err = q.Operations.Delete(q.ctx, r.Kind, q.namespace, q.name, opts)
		return err
	})
	if err != nil {
		return err
	}
	code := http.StatusOK
	//lint:ignore SA1019 clients still send it
	if !gone && opts.OrphanDependents != nil && !*opts.OrphanDependents {
		code = http.StatusAccepted
	}
	if !gone || r.Group == "" && returnsDeleted[r.Kind.Kind] {
		return q.sendObject(code, r, last)
	}
	q.send(code, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusSuccess,
		Details: &metav1.StatusDetails{
			Name: q.name, Group: r.served.Group, Kind: r.Plural, UID: last.GetUID(),
		},
	})
	return nil
}

// returnsDeleted are the kinds whose deletion answers with the object
// (ReturnDeletedObject upstream), not with a Status.
var returnsDeleted = map[string]bool{"Namespace": true, "Pod": true, "Service": true, "ServiceAccount": true}

func (q *request) deleteCollection(r *resource) error {
	selection, _, err := q.selection(r, false)
	if err != nil {
		return err
	}
	opts, err := q.deleteOptions()
	if err != nil {
		return err
	}
	var list rest.List
	err = q.do(func() (err error) {
		list, err = q.Operations.DeleteCollection(q.ctx, r.Kind, q.namespace, selection, opts)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendList(r, list)
}

// deleteOptions are in the body or, without one, in the query.
func (q *request) deleteOptions() (metav1.DeleteOptions, error) {
	var opts metav1.DeleteOptions
	body, err := q.body()
	if err != nil {
		return opts, err
	}
	if len(body) > 0 {
		err = q.deleteOptionsOf(body, &opts)
	} else {
		err = deleteParameters(q.r.URL.Query(), &opts)
	}
	if err != nil {
		return opts, err
	}
	if errs := metav1validation.ValidateDeleteOptions(&opts); len(errs) > 0 {
		return opts, invalidOptions("DeleteOptions", errs)
	}
	return opts, nil
}

// deleteOptionsOf reads options that name, if anything, a version of the meta
// group or of the resource's own.
func (q *request) deleteOptionsOf(body []byte, opts *metav1.DeleteOptions) error {
	format, err := bodyFormat(q.r)
	if err != nil {
		return err
	}
	for _, gv := range []schema.GroupVersion{{Version: "v1"}, {Group: metav1.GroupName, Version: "v1"}, q.gv} {
		decoder := codec.Decoder{Format: format, Validation: metav1.FieldValidationIgnore}
		if _, err = decoder.Decode(body, gv.WithKind("DeleteOptions"), opts); err == nil {
			return nil
		}
	}
	return err
}

func deleteParameters(query url.Values, opts *metav1.DeleteOptions) error {
	p := parameters{values: query}
	opts.GracePeriodSeconds = p.integer("gracePeriodSeconds")
	//lint:ignore SA1019 clients still send it
	opts.OrphanDependents = p.optionalFlag("orphanDependents")
	if policy := p.text("propagationPolicy"); policy != "" {
		opts.PropagationPolicy = new(metav1.DeletionPropagation(policy))
	}
	opts.DryRun = query["dryRun"]
	if uid, version := p.text("preconditions.uid"), p.text("preconditions.resourceVersion"); uid != "" || version != "" {
		opts.Preconditions = &metav1.Preconditions{}
		if uid != "" {
			opts.Preconditions.UID = new(types.UID(uid))
		}
		if version != "" {
			opts.Preconditions.ResourceVersion = &version
		}
	}
	return p.err
}
