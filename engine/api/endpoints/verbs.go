package endpoints

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/codec"
	"tidepool.dev/tidepool/engine/api/patch"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

// serveResource answers a request about resources.
func (q *request) serveResource() error {
	// Errors are written in the negotiated form too, so negotiate first; what
	// is wrong with the path is the more useful thing to hear.
	var unacceptable error
	q.media, unacceptable = negotiate(q.r, transformable)
	r := q.groups.find(q.gv, q.plural)
	if r == nil {
		return q.serveAbsent()
	}
	if r.Namespaced && q.namespace == "" && q.name != "" || !r.Namespaced && q.namespace != "" {
		return notFound()
	}
	q.verb = q.verbOf()
	if q.verb == "" || q.subresource == "" && !slices.Contains(r.verbs, q.verb) {
		return methodNotAllowed()
	}
	if err := q.authorize(); err != nil {
		return err
	}
	if q.subresource != "" {
		return q.serveSubresource(r, unacceptable)
	}
	if unacceptable != nil {
		return unacceptable
	}
	switch q.verb {
	case "get":
		return q.get(r)
	case "list":
		return q.list(r)
	case "watch":
		return q.watchResource(r)
	case "create":
		return q.create(r)
	case "update":
		return q.update(r, rest.Main)
	case "patch":
		return q.patch(r, rest.Main)
	case "delete":
		return q.delete(r)
	default:
		return q.deleteCollection(r)
	}
}

// customResourceDefinitions are listed by kubectl before it says that it knows
// no such kind. There are none, and the list says so.
var customResourceDefinitions = schema.GroupVersionResource{
	Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
}

// serveAbsent answers a request about a resource that is not served.
func (q *request) serveAbsent() error {
	if q.gv.WithResource(q.plural) != customResourceDefinitions || q.name != "" || q.r.Method != http.MethodGet {
		return notFound()
	}
	q.verb = "list"
	if err := q.authorize(); err != nil {
		return err
	}
	q.send(http.StatusOK, metav1.PartialObjectMetadataList{
		TypeMeta: metav1.TypeMeta{Kind: "CustomResourceDefinitionList", APIVersion: q.gv.String()},
		Items:    []metav1.PartialObjectMetadata{},
	})
	return nil
}

// verbOf is what the method means for the path; empty if nothing.
func (q *request) verbOf() string {
	named := q.name != ""
	switch q.r.Method {
	case http.MethodGet, http.MethodHead:
		query := parameters{values: q.r.URL.Query()}
		switch {
		case q.subresource != "":
			return "get"
		case q.target.watch || query.flag("watch"):
			return "watch"
		case named:
			return "get"
		}
		return "list"
	case http.MethodPost:
		if !named || q.subresource != "" {
			return "create"
		}
	case http.MethodPut:
		if named {
			return "update"
		}
	case http.MethodPatch:
		if named {
			return "patch"
		}
	case http.MethodDelete:
		if named {
			return "delete"
		}
		return "deletecollection"
	}
	return ""
}

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
	if r.view != nil && opts.Fields != nil && !opts.Fields.Empty() {
		translated, err := opts.Fields.Transform(func(field, value string) (string, string, error) {
			return r.view.field(field), value, nil
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

// decode reads the request's body.
func (q *request) decode(want schema.GroupVersionKind, into runtime.Object, validation string) error {
	format, err := bodyFormat(q.r)
	if err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	decoder := codec.Decoder{Format: format, Validation: validation, Known: func(gvk schema.GroupVersionKind) bool { return q.groups.kinds[gvk] }}
	warnings, err := decoder.Decode(body, want, into)
	for _, text := range warnings {
		q.w.warn(text)
	}
	return err
}

// place checks that an object is in the request's namespace, into which it is
// put if it names none.
func (q *request) place(r *resource, obj metav1.Object) error {
	switch {
	case !r.Namespaced:
		obj.SetNamespace("")
	case obj.GetNamespace() == "":
		obj.SetNamespace(q.namespace)
	case obj.GetNamespace() != q.namespace:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

func (q *request) checkName(obj metav1.Object) error {
	switch obj.GetName() {
	case q.name:
		return nil
	case "":
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", q.name))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", obj.GetName(), q.name))
}

func (q *request) create(r *resource) error {
	if r.Namespaced && q.namespace == "" {
		return methodNotAllowed()
	}
	opts, err := q.writeOptions("CreateOptions")
	if err != nil {
		return err
	}
	served := r.empty()
	if err := q.decode(r.served, served, opts.validation); err != nil {
		return err
	}
	if err := q.place(r, served); err != nil {
		return err
	}
	q.dropDuplicateOwners(served)
	q.name = served.GetName()
	obj := r.stored(served)
	err = q.do(func() (err error) {
		obj, err = q.Operations.Create(q.ctx, r.Kind, obj, opts.WriteOptions)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendObject(http.StatusCreated, r, obj)
}

// dropDuplicateOwners keeps one of several equal owner references.
func (q *request) dropDuplicateOwners(obj metav1.Object) {
	refs := obj.GetOwnerReferences()
	var kept []metav1.OwnerReference
	var dropped []string
	for _, ref := range refs {
		same := func(other metav1.OwnerReference) bool { return sameOwner(ref, other) }
		if slices.ContainsFunc(kept, same) {
			dropped = append(dropped, string(ref.UID))
			continue
		}
		kept = append(kept, ref)
	}
	if len(dropped) > 0 {
		obj.SetOwnerReferences(kept)
		q.w.warn(fmt.Sprintf(".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: %s",
			strings.Join(dropped, ", ")))
	}
}

func sameOwner(a, b metav1.OwnerReference) bool {
	same := func(x, y *bool) bool { return x == y || x != nil && y != nil && *x == *y }
	return a.UID == b.UID && a.Name == b.Name && a.Kind == b.Kind && a.APIVersion == b.APIVersion &&
		same(a.Controller, b.Controller) && same(a.BlockOwnerDeletion, b.BlockOwnerDeletion)
}

func (q *request) update(r *resource, part rest.Part) error {
	opts, err := q.writeOptions("UpdateOptions")
	if err != nil {
		return err
	}
	served := r.empty()
	if err := q.decode(r.served, served, opts.validation); err != nil {
		return err
	}
	if err := q.place(r, served); err != nil {
		return err
	}
	if err := q.checkName(served); err != nil {
		return err
	}
	q.dropDuplicateOwners(served)
	return q.change(r, part, opts, func(current store.Object) (store.Object, error) {
		if uid := served.GetUID(); uid != "" && current != nil && uid != current.GetUID() {
			//lint:ignore ST1005 as Kubernetes words it
			reason := fmt.Errorf("Precondition failed: UID in precondition: %v, UID in object meta: %v", uid, current.GetUID())
			return nil, apierrors.NewConflict(r.GroupResource(), q.name, reason)
		}
		return r.stored(served.DeepCopyObject().(store.Object)), nil
	})
}

// change updates an object and answers with the result.
func (q *request) change(r *resource, part rest.Part, opts writeOptions, change rest.Change) error {
	code := http.StatusOK
	var obj store.Object
	err := q.do(func() (err error) {
		obj, err = q.Operations.Update(q.ctx, r.Kind, q.namespace, q.name, part, func(current store.Object) (store.Object, error) {
			code = http.StatusOK
			if current == nil {
				code = http.StatusCreated
			}
			return change(current)
		}, opts.WriteOptions)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendObject(code, r, obj)
}

// patchTypes are the patches that are understood.
var patchTypes = []string{string(types.JSONPatchType), string(types.MergePatchType), string(types.StrategicMergePatchType)}

// readPatch reads a patch from the request.
func (q *request) readPatch() (patch.Patch, writeOptions, error) {
	var p patch.Patch
	contentType, _, _ := strings.Cut(q.r.Header.Get("Content-Type"), ";")
	if !slices.Contains(patchTypes, contentType) {
		return p, writeOptions{}, unsupportedMedia(patchTypes)
	}
	body, err := q.body()
	if err != nil {
		return p, writeOptions{}, err
	}
	opts, err := q.writeOptions("PatchOptions")
	if err != nil {
		return p, opts, err
	}
	p = patch.Patch{Type: types.PatchType(contentType), Body: body, Validation: opts.validation}
	return p, opts, p.Check()
}

// patchAttempts is how often a patch is tried again when another writer was
// faster.
const patchAttempts = 5

func (q *request) patch(r *resource, part rest.Part) error {
	p, opts, err := q.readPatch()
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		onCurrent := false // the patch itself names no other revision
		err := q.change(r, part, opts, func(current store.Object) (store.Object, error) {
			if current == nil {
				return nil, apierrors.NewNotFound(r.GroupResource(), q.name)
			}
			patched, err := q.patched(r, p, current)
			if err != nil {
				return nil, err
			}
			onCurrent = patched.GetResourceVersion() == current.GetResourceVersion()
			return patched, nil
		})
		if !apierrors.IsConflict(err) || !onCurrent || attempt == patchAttempts {
			return err
		}
	}
}

func (q *request) patched(r *resource, p patch.Patch, current store.Object) (store.Object, error) {
	served := r.empty()
	warnings, err := p.Apply(r.shown(current), served)
	if err != nil {
		return nil, err
	}
	for _, text := range warnings {
		q.w.warn(text)
	}
	if err := q.place(r, served); err != nil {
		return nil, err
	}
	if err := q.checkName(served); err != nil {
		return nil, err
	}
	q.dropDuplicateOwners(served)
	return r.stored(served), nil
}

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
	if !gone || returnsDeleted[r.Kind.Kind] {
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
