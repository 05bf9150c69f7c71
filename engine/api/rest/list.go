package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

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
		(l.Fields == nil || l.Fields.Empty() || l.Fields.Matches(fieldsOf(k, obj)))
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

// token is what a continue token says: the revision of the first page and the
// last object of the page before.
type token struct {
	Version   string `json:"v"`
	Revision  int64  `json:"rv"`
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"n"`
}

const tokenVersion = "tidepool.dev/v1"

func (t token) encode() string {
	data, _ := json.Marshal(t) // strings and a number can't fail
	return base64.RawURLEncoding.EncodeToString(data)
}

func decodeToken(encoded string) (t token, err error) {
	data, err := base64.RawURLEncoding.DecodeString(encoded)
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err == nil && t.Version != tokenVersion {
		err = errors.New("it was made by another server")
	}
	if err != nil {
		return t, apierrors.NewBadRequest(fmt.Sprintf("continue key is not valid: %v", err))
	}
	return t, nil
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
	from, err := opts.start()
	if err != nil {
		return List{}, err
	}
	if opts.everything() {
		from.Limit = int(opts.Limit)
	}
	page, err := o.store.List(ctx, k.Resource(), namespace, from)
	if errors.Is(err, store.ErrCompacted) && opts.Continue != "" {
		return List{}, apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.")
	}
	if err != nil {
		return List{}, statusError(err, k, "")
	}
	list := List{Revision: page.Revision}
	if opts.everything() {
		list.Items = page.Items
		if page.Remaining > 0 {
			remaining := int64(page.Remaining)
			list.Remaining = &remaining
			list.Continue = next(list)
		}
		return list, nil
	}
	for _, obj := range page.Items {
		if !opts.Matches(k, obj) {
			continue
		}
		if opts.Limit > 0 && len(list.Items) == int(opts.Limit) {
			list.Continue = next(list)
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

func next(list List) string {
	last := list.Items[len(list.Items)-1]
	return token{tokenVersion, list.Revision, last.GetNamespace(), last.GetName()}.encode()
}

// start says where in the store the list begins.
func (l ListOptions) start() (store.ListOptions, error) {
	var from store.ListOptions
	if l.Limit < 0 {
		return from, apierrors.NewBadRequest("limit must not be negative")
	}
	if l.Continue != "" {
		t, err := decodeToken(l.Continue)
		if err != nil {
			return from, err
		}
		if l.ResourceVersion != "" && l.ResourceVersion != "0" {
			return from, apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		from.Revision = t.Revision
		from.After = &store.Key{Namespace: t.Namespace, Name: t.Name}
		return from, nil
	}
	revision, err := ParseRevision(l.ResourceVersion)
	if err != nil {
		return from, err
	}
	if l.Match == metav1.ResourceVersionMatchExact {
		if revision == 0 {
			return from, apierrors.NewBadRequest("resourceVersionMatch is forbidden with exact match of resourceVersion \"0\"")
		}
		from.Revision = revision
	}
	return from, nil
}

// ParseRevision reads a resourceVersion; 0 if it is empty.
func ParseRevision(version string) (int64, error) {
	if version == "" {
		return 0, nil
	}
	revision, err := strconv.ParseInt(version, 10, 64)
	if err != nil || revision < 0 {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("Invalid value: %q: resourceVersion is not a number", version))
	}
	return revision, nil
}
