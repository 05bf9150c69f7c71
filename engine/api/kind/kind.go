// Package kind is the vocabulary in which the API's kinds are declared: one
// Kind value says everything that the generic machinery of engine/api needs to
// serve a resource. The declarations themselves are in engine/api/kinds, one
// file each; nothing here knows a particular kind.
package kind

import (
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"tidepool.dev/tidepool/engine/store"
)

// Kind declares one resource of the API. Functions may be nil where the kind
// has nothing to add to what engine/api does for every object (metadata
// defaulting and validation, UID, creationTimestamp, generation 1, immutable
// metadata, optimistic concurrency).
//
// The functions that take objects run in the order of the fields, as in
// Kubernetes' strategies (k8s.io/kubernetes/pkg/registry/...): Default,
// PrepareFor..., Validate...; only Default and PrepareFor... may change their
// first argument, none may change "old".
type Kind struct {
	// GroupVersionKind is that of the objects as they are stored, in which they
	// are served too.
	schema.GroupVersionKind
	// Versions are further group versions in which the objects are served.
	Versions []Version
	// Unserved: only the Versions are served, not that which is stored.
	Unserved         bool
	Plural, Singular string
	ShortNames       []string
	Categories       []string
	Namespaced       bool

	New     func() store.Object
	NewList func() runtime.Object

	// Default fills in absent fields (pkg/apis/*/v1/defaults.go upstream).
	Default func(obj store.Object)

	// PrepareForCreate drops what a client may not set, usually the status.
	PrepareForCreate func(obj store.Object)
	// PrepareForUpdate keeps old's status and raises the generation where the
	// spec differs.
	PrepareForUpdate func(obj, old store.Object)
	// PrepareForStatusUpdate keeps everything of old but the status; nil: the
	// kind has no status subresource.
	PrepareForStatusUpdate func(obj, old store.Object)
	// PrepareForApproval keeps everything of old but what decides about a
	// request; nil: the kind has no approval subresource.
	PrepareForApproval func(obj, old store.Object)

	// Parts are further subresources in which a part of the object is changed.
	Parts []Part

	// Stamp sets times that the server keeps, after PrepareFor...; old is nil
	// on create.
	Stamp func(obj, old store.Object, now metav1.Time)
	// Resets, by subresource ("" is the object itself), are the fields that a
	// write leaves as they were, and which it therefore does not manage; what
	// is not listed is as ResetFields says.
	Resets map[string][][]string
	// Merging describes how objects of no Go type of their own merge; nil: by
	// fields, lists as a whole.
	Merging func(apiVersion string) *typed.ParseableType

	// Computed, if set, has the objects in place of the store; such a kind can
	// only be read (see NoVerbs).
	Computed Computed

	// ValidateName checks metadata.name; nil: a DNS subdomain.
	ValidateName         apivalidation.ValidateNameFunc
	Validate             func(obj store.Object) field.ErrorList
	ValidateUpdate       func(obj, old store.Object) field.ErrorList
	ValidateStatusUpdate func(obj, old store.Object) field.ErrorList
	ValidateApproval     func(obj, old store.Object) field.ErrorList
	// Warnings are for the client to print; old is nil on create.
	Warnings func(obj, old store.Object) []string

	// Deprecated is a warning that every request gets; empty: none.
	Deprecated string

	// Closing is why no more objects can be created; empty: they can.
	Closing string

	// AllowCreateOnUpdate makes a PUT of an absent object create it.
	AllowCreateOnUpdate bool
	// AllowUnconditionalUpdate accepts an update without a resourceVersion.
	AllowUnconditionalUpdate bool

	// GracePeriodSeconds decides how long a deleted object lingers, with
	// deletionTimestamp set, for its component to end it; requested is the
	// client's wish, nil if none. nil: objects go at once.
	GracePeriodSeconds func(obj store.Object, requested *int64) int64
	// DefaultPropagation is used when the client and the finalizers say
	// nothing; empty means background.
	DefaultPropagation metav1.DeletionPropagation

	// DeleteFinalizers are what an object gets when its deletion begins, and
	// PrepareForDelete, which may be nil, may then change it.
	DeleteFinalizers []string
	PrepareForDelete func(obj store.Object, now metav1.Time)

	// Scale, if set, is the scale subresource.
	Scale *Scale

	// Fields are the selectable fields besides metadata.name and
	// metadata.namespace.
	Fields func(obj store.Object) fields.Set

	// Columns and Row print the kind as a server-side table; Row's values
	// match Columns. Wide columns have Priority 1.
	Columns []metav1.TableColumnDefinition
	Row     func(obj store.Object, now time.Time) []any
	// ListRow is Row for an object that is shown among others, where that
	// makes a difference; nil: Row.
	ListRow func(list []store.Object) func(obj store.Object, now time.Time) []any
	// CompareRows is the order of the rows of a list; nil: that of the list.
	CompareRows func(a, b store.Object) int

	// NoVerbs lists verbs that the kind does not serve, of: get, list, watch,
	// create, update, patch, delete, deletecollection.
	NoVerbs []string
}

// Part is a subresource whose bodies are whole objects, of which it changes a
// part. What it is sent is defaulted as the object itself is.
type Part struct {
	Name string
	// PrepareForUpdate keeps everything of old but the part.
	PrepareForUpdate func(obj, old store.Object)
	ValidateUpdate   func(obj, old store.Object) field.ErrorList
	// Fields are those of the part, which alone a write manages: names, and "*"
	// for any item of a list.
	Fields [][]string
}

// Part returns a part of a kind, nil if it has none of that name.
func (k *Kind) Part(name string) *Part {
	for i := range k.Parts {
		if k.Parts[i].Name == name {
			return &k.Parts[i]
		}
	}
	return nil
}

// Computed makes objects when they are asked for. It is safe for concurrent
// use.
type Computed interface {
	Get(namespace, name string) (store.Object, bool)
	// List returns a namespace's objects, or every namespace's, in order.
	List(namespace string) []store.Object
}

// Version is a group version in which a kind is served besides that in which
// it is stored. Only clients see it: what is checked, compared and printed are
// stored objects.
type Version struct {
	schema.GroupVersionKind
	New func() store.Object
	// Show makes the served object of a stored one, Read the stored one of a
	// served one. Both leave their argument as it is.
	Show, Read func(obj store.Object) store.Object
	// As is the kind by the rules of this version; nil: the rules are the same.
	As *Kind
	// Field is what a selectable field of this version is called in the stored
	// kind; nil: the same.
	Field func(name string) string
}

// Scale reads and sets the replicas of a kind that scales.
type Scale struct {
	Get func(obj store.Object) *autoscalingv1.Scale
	Set func(obj store.Object, replicas int32)
}

// ResetFields are the fields that a write of a subresource, or of the object
// itself if it is empty, leaves as they were: mostly the status and all else.
func (k *Kind) ResetFields(subresource string) [][]string {
	if paths, own := k.Resets[subresource]; own {
		return paths
	}
	switch {
	case subresource == "" && k.PrepareForStatusUpdate != nil:
		return [][]string{{"status"}}
	case subresource == "status":
		return [][]string{{"spec"}}
	}
	return nil
}

// Custom reports whether the kind is that of a CustomResourceDefinition.
func (k *Kind) Custom() bool {
	_, untyped := k.New().(runtime.Unstructured)
	return untyped
}

// Resource is the name under which the store keeps the kind: the plural with
// its group, if it has one.
func (k *Kind) Resource() string { return k.GroupResource().String() }

// GroupResource names the resource without its version.
func (k *Kind) GroupResource() schema.GroupResource {
	return schema.GroupResource{Group: k.Group, Resource: k.Plural}
}
