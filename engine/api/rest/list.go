package rest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// ListOptions select objects.
type ListOptions struct {
	Labels labels.Selector // nil: everything
	Fields fields.Selector // nil: everything
	// ResourceVersion and Match say at which revision, as Kubernetes defines
	// them (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
	ResourceVersion string
	Match           metav1.ResourceVersionMatch
	Limit           int64
	Continue        string
}

// List is a page of objects at one revision.
type List struct {
	Items     []store.Object
	Revision  int64
	Continue  string
	Remaining *int64
}

// Matches says whether an object is selected.
func (l ListOptions) Matches(k *kind.Kind, obj store.Object) bool {
	return (l.Labels == nil || l.Labels.Empty() || l.Labels.Matches(labels.Set(obj.GetLabels()))) &&
		(l.Fields == nil || l.Fields.Empty() || l.Fields.Matches(&selectable{kind: k, obj: obj}))
}

// selectable are the fields of an object by which it can be selected; those of
// the kind are looked up only where a selector names one.
type selectable struct {
	kind *kind.Kind
	obj  store.Object
	all  fields.Set
}

func (s *selectable) Has(field string) bool {
	_, known := s.lookup(field)
	return known
}

func (s *selectable) Get(field string) string {
	value, _ := s.lookup(field)
	return value
}

func (s *selectable) lookup(field string) (string, bool) {
	switch {
	case field == "metadata.name":
		return s.obj.GetName(), true
	case field == "metadata.namespace" && s.kind.Namespaced:
		return s.obj.GetNamespace(), true
	}
	if s.all == nil {
		s.all = fieldsOf(s.kind, s.obj)
	}
	value, known := s.all[field]
	return value, known
}

func (l ListOptions) everything() bool {
	return (l.Labels == nil || l.Labels.Empty()) && (l.Fields == nil || l.Fields.Empty())
}

func fieldsOf(k *kind.Kind, obj store.Object) fields.Set {
	set := fields.Set{}
	if k.Fields != nil {
		set = k.Fields(obj)
	}
	set["metadata.name"] = obj.GetName()
	if k.Namespaced {
		set["metadata.namespace"] = obj.GetNamespace()
	}
	return set
}

// CheckFields refuses a selector on fields that the kind does not select by.
func CheckFields(k *kind.Kind, selector fields.Selector) error {
	if selector == nil || selector.Empty() {
		return nil
	}
	known := fieldsOf(k, k.New())
	for _, requirement := range selector.Requirements() {
		if _, ok := known[requirement.Field]; ok {
			continue
		}
		if k.Fields == nil {
			return apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector: only %q, %q", requirement.Field, "metadata.name", "metadata.namespace"))
		}
		return apierrors.NewBadRequest("field label not supported: " + requirement.Field)
	}
	return nil
}

// List returns a page of a resource's objects, of one namespace unless it is
// empty, ordered by namespace and name.
func (o *Operations) List(ctx context.Context, k *kind.Kind, namespace string, opts ListOptions) (List, error) {
	if err := CheckFields(k, opts.Fields); err != nil {
		return List{}, err
	}
	if k.Computed != nil {
		return o.listComputed(ctx, k, namespace, opts)
	}
	from, err := opts.start(k, namespace)
	if err != nil {
		return List{}, err
	}
	limit := opts.limit()
	if opts.everything() {
		from.Limit = limit
	}
	page, err := o.store.List(ctx, k.Resource(), namespace, from)
	if errors.Is(err, store.ErrCompacted) && opts.Continue != "" {
		return List{}, expired(k, namespace, *from.After)
	}
	if err != nil {
		return List{}, statusError(err, k, "")
	}
	if err := o.reached(ctx, opts, page.Revision); err != nil {
		return List{}, err
	}
	list := List{Revision: page.Revision}
	if opts.everything() {
		list.Items = page.Items
		if page.Remaining > 0 {
			remaining := int64(page.Remaining)
			list.Remaining = &remaining
			list.Continue = list.next(k, namespace)
		}
		return list, nil
	}
	for _, obj := range page.Items {
		if !opts.Matches(k, obj) {
			continue
		}
		if limit > 0 && len(list.Items) == limit {
			list.Continue = list.next(k, namespace)
			break
		}
		list.Items = append(list.Items, obj)
	}
	return list, nil
}

// listComputed returns all that a selector matches, in one page.
func (o *Operations) listComputed(ctx context.Context, k *kind.Kind, namespace string, opts ListOptions) (List, error) {
	revision, err := o.store.Revision(ctx)
	if err != nil {
		return List{}, apierrors.NewInternalError(err)
	}
	list := List{Revision: revision}
	for _, obj := range k.Computed.List(namespace) {
		if opts.Matches(k, obj) {
			list.Items = append(list.Items, obj)
		}
	}
	return list, nil
}

// reached refuses to be content with a state that is older than the client has
// seen.
func (o *Operations) reached(ctx context.Context, opts ListOptions, listed int64) error {
	wanted, err := ParseRevision(opts.ResourceVersion)
	if err != nil || wanted <= listed {
		return err
	}
	newest, err := o.store.Revision(ctx)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if wanted <= newest {
		return nil
	}
	return tooLarge(&store.RevisionError{Err: store.ErrFuture, Wanted: wanted, Bound: newest})
}

// limit is the length of a page, 0 for any: who is content with any state gets
// the whole of it.
func (l ListOptions) limit() int {
	if l.Limit < 0 || l.ResourceVersion == "0" && l.Continue == "" {
		return 0
	}
	return int(l.Limit)
}

func (l List) next(k *kind.Kind, namespace string) string {
	last := l.Items[len(l.Items)-1]
	return token{Revision: l.Revision, After: store.Key{Namespace: last.GetNamespace(), Name: last.GetName()}}.encode(k, namespace)
}

// start says where in the store the list begins.
func (l ListOptions) start(k *kind.Kind, namespace string) (store.ListOptions, error) {
	var from store.ListOptions
	if l.Continue != "" {
		t, err := decodeToken(k, namespace, l.Continue)
		if err != nil {
			return from, apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: %v", err))
		}
		if l.ResourceVersion != "" && l.ResourceVersion != "0" {
			return from, apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		from.Revision, from.After = max(t.Revision, 0), &t.After
		return from, nil
	}
	revision, err := ParseRevision(l.ResourceVersion)
	if err != nil {
		return from, apierrors.NewBadRequest(fmt.Sprintf("invalid resource version: %v", err))
	}
	if l.Match == metav1.ResourceVersionMatchExact || l.Match == "" && l.Limit > 0 {
		from.Revision = revision
	}
	return from, nil
}

// ParseRevision reads a resourceVersion; 0 if it is empty.
func ParseRevision(version string) (int64, error) {
	if version == "" {
		return 0, nil
	}
	revision, err := strconv.ParseUint(version, 10, 64)
	if err == nil && revision > math.MaxInt64 {
		err = fmt.Errorf("parsing %q: %w", version, strconv.ErrRange)
	}
	if err != nil {
		return 0, field.Invalid(field.NewPath("resourceVersion"), version, err.Error())
	}
	return int64(revision), nil
}
