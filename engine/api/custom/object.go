package custom

import (
	"encoding/json"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"tidepool.dev/tidepool/engine/api/custom/schema"
)

// Object is a custom resource: metadata as every object has it, so that whatever
// works on metadata works on it, and the rest as JSON.
type Object struct {
	metav1.TypeMeta
	metav1.ObjectMeta
	// Content has every field but apiVersion, kind and metadata: values as
	// encoding/json decodes them, but int64 for whole numbers.
	Content map[string]any

	// rules of an object that is about to be read; nil of all others.
	rules *schema.Schema
}

// GetObjectKind implements runtime.Object.
func (o *Object) GetObjectKind() k8sschema.ObjectKind { return &o.TypeMeta }

// DeepCopyObject implements runtime.Object.
func (o *Object) DeepCopyObject() runtime.Object {
	next := &Object{TypeMeta: o.TypeMeta, Content: runtime.DeepCopyJSON(o.Content), rules: o.rules}
	o.ObjectMeta.DeepCopyInto(&next.ObjectMeta)
	return next
}

// MarshalJSON writes the fields in the order of their names.
func (o *Object) MarshalJSON() ([]byte, error) {
	all := maps.Clone(o.Content)
	if all == nil {
		all = map[string]any{}
	}
	all["apiVersion"], all["kind"], all["metadata"] = o.APIVersion, o.Kind, &o.ObjectMeta
	return json.Marshal(all)
}

// UnmarshalJSON reads an object leniently.
func (o *Object) UnmarshalJSON(data []byte) error {
	all := map[string]any{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &all); err != nil {
		return err
	}
	_, err := o.read(all)
	return err
}

// UnmarshalStrict also returns what is wrong but can be read nevertheless: fields
// that occur twice or that the schema does not know.
func (o *Object) UnmarshalStrict(data []byte) (strict []error, err error) {
	all := map[string]any{}
	strict, err = kjson.UnmarshalStrict(data, &all)
	if err != nil {
		return strict, err
	}
	more, err := o.read(all)
	return append(strict, more...), err
}

// head is an object as every kind has it.
type head struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
}

// read takes over an object's fields, by the rules.
func (o *Object) read(all map[string]any) (strict []error, err error) {
	var h head
	text, err := json.Marshal(map[string]any{"apiVersion": orEmpty(all["apiVersion"]), "kind": orEmpty(all["kind"]), "metadata": all["metadata"]})
	if err != nil {
		return nil, err
	}
	if strict, err = kjson.UnmarshalStrict(text, &h); err != nil {
		return nil, err
	}
	o.TypeMeta, o.ObjectMeta = h.TypeMeta, h.ObjectMeta
	delete(all, "apiVersion")
	delete(all, "kind")
	delete(all, "metadata")
	for _, path := range o.rules.Prune(all) {
		strict = append(strict, unknownField(path))
	}
	o.rules.Default(all)
	o.Content, o.rules = all, nil
	return strict, nil
}

type unknownField string

func (f unknownField) Error() string { return `unknown field "` + string(f) + `"` }

func orEmpty(value any) any {
	if value == nil {
		return ""
	}
	return value
}

// UnstructuredContent implements runtime.Unstructured: the whole object, which
// shares nothing with it.
func (o *Object) UnstructuredContent() map[string]any {
	all := runtime.DeepCopyJSON(o.Content)
	if all == nil {
		all = map[string]any{}
	}
	metadata, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&o.ObjectMeta)
	if err != nil { // metadata is always convertible
		metadata = map[string]any{}
	}
	all["apiVersion"], all["kind"], all["metadata"] = o.APIVersion, o.Kind, metadata
	return all
}

// SetUnstructuredContent implements runtime.Unstructured; it takes over content.
func (o *Object) SetUnstructuredContent(content map[string]any) {
	_, _ = o.read(content) // whoever has content has checked it
}

// NewEmptyInstance implements runtime.Unstructured.
func (o *Object) NewEmptyInstance() runtime.Unstructured { return &Object{} }

// IsList implements runtime.Unstructured.
func (o *Object) IsList() bool { return false }

// EachListItem implements runtime.Unstructured.
func (o *Object) EachListItem(func(runtime.Object) error) error { return nil }

// EachListItemWithAlloc implements runtime.Unstructured.
func (o *Object) EachListItemWithAlloc(func(runtime.Object) error) error { return nil }

// checked is the object as its schema and its rules see it: of the metadata, the
// names.
func (o *Object) checked() map[string]any {
	all := maps.Clone(o.Content)
	if all == nil {
		all = map[string]any{}
	}
	metadata := map[string]any{}
	if o.Name != "" {
		metadata["name"] = o.Name
	}
	if o.GenerateName != "" {
		metadata["generateName"] = o.GenerateName
	}
	if o.Namespace != "" {
		metadata["namespace"] = o.Namespace
	}
	all["apiVersion"], all["kind"], all["metadata"] = o.APIVersion, o.Kind, metadata
	return all
}

var _ runtime.Unstructured = (*Object)(nil)
