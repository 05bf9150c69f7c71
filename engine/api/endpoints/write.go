package endpoints

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/codec"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

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
	q.trail.sends(into)
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
	opts.Version = r.apiVersion()
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
	opts.Version = r.apiVersion()
	return q.change(r, part, opts, func(current store.Object) (store.Object, error) {
		if uid, is := served.GetUID(), uidOf(current); uid != "" && uid != is {
			//lint:ignore ST1005 as Kubernetes words it
			reason := fmt.Errorf("Precondition failed: UID in precondition: %v, UID in object meta: %v", uid, is)
			return nil, apierrors.NewConflict(r.GroupResource(), q.name, reason)
		}
		return r.stored(served.DeepCopyObject().(store.Object)), nil
	})
}

// uidOf is empty for an object that does not exist.
func uidOf(obj store.Object) types.UID {
	if obj == nil {
		return ""
	}
	return obj.GetUID()
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
