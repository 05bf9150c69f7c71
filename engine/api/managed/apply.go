package managed

import (
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// beforeFirstApply manages the fields of an object whose managers have not been
// recorded, from the first apply on.
const beforeFirstApply = "before-first-apply"

// Apply merges what a manager wants of an object into its present state, which
// is nil for an object that does not exist, and returns the object that is to be
// written, with its managedFields (FieldManager.Apply upstream). A conflict with
// other managers is an error unless force is set.
func (t *Tracker) Apply(k *kind.Kind, live store.Object, config *unstructured.Unstructured, force bool, w Write) (store.Object, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.form(k, w.Version)
	if f == nil {
		return nil, fmt.Errorf("%s is not served in version %s", k.Kind, w.Version)
	}
	if live == nil {
		live = f.read(f.empty.DeepCopyObject().(store.Object))
		live.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
	}
	managed, err := decode(live.GetManagedFields())
	if err != nil {
		return nil, fmt.Errorf("failed to decode managed fields: %w", err)
	}
	if gvk := config.GroupVersionKind(); gvk != f.GroupVersionKind {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("invalid object type: %v", gvk))
	}
	next, managed, err := t.migrate(f, live, config, managed, force, w)
	var conflicts merge.Conflicts
	if errors.As(err, &conflicts) {
		return nil, conflictError(conflicts)
	}
	if err != nil {
		return nil, err
	}
	if next == nil { // the object is as it is wanted; the managers may have changed
		next = live.DeepCopyObject().(store.Object)
	}
	if w.Manager == kubectl {
		if err := recordLastApplied(next, config); err != nil {
			return nil, fmt.Errorf("failed to set last-applied annotation: %w", err)
		}
	}
	list, err := managed.encode()
	if err != nil {
		return nil, fmt.Errorf("failed to encode managed fields: %w", err)
	}
	next.SetManagedFields(list)
	return next, nil
}

// apply merges and finds the managers after it. The object is nil where it does
// not change.
func (t *Tracker) apply(f *form, live store.Object, config *unstructured.Unstructured, managed entries, force bool, w Write) (store.Object, entries, error) {
	var err error
	if len(managed.fields) == 0 {
		before := Write{Manager: beforeFirstApply, Subresource: w.Subresource, Version: w.Version}
		if managed, err = t.update(f, nil, live, managed, before); err != nil {
			return nil, managed, fmt.Errorf("failed to create manager for existing fields: %w", err)
		}
	}
	if config.GetManagedFields() != nil {
		return nil, managed, apierrors.NewBadRequest("metadata.managedFields must be nil")
	}
	wanted, err := f.typed(config.Object)
	if err != nil {
		return nil, managed, fmt.Errorf("failed to create typed patch object (%v): %w", describeObject(config, config.GroupVersionKind()), err)
	}
	present, err := f.typed(f.shown(live), typed.AllowDuplicates)
	if err != nil {
		return nil, managed, fmt.Errorf("failed to create typed live object (%v): %w", describeObject(live, f.GroupVersionKind), err)
	}
	name := w.identity(f, metav1.ManagedFieldsOperationApply).name()
	merged, fields, err := f.updater(w.Subresource).Apply(present, wanted, fieldpath.APIVersion(f.apiVersion), managed.copied(), name, force)
	if err != nil {
		return nil, managed, err
	}
	managed = entries{fields, managed.times}
	managed.strip(name)
	if merged == nil {
		return nil, managed, nil
	}
	managed.times[name] = t.now()
	next, err := f.object(merged)
	if err != nil {
		return nil, managed, fmt.Errorf("failed to convert new object (%v) to proper version: %w", describeObject(config, config.GroupVersionKind()), err)
	}
	return f.read(next), managed, nil
}

// update is Update by structured-merge-diff; live is nil for a new object.
func (t *Tracker) update(f *form, live, next store.Object, managed entries, w Write) (entries, error) {
	const self = "current-operation"
	before := f.empty
	if live != nil {
		before = f.shown(live)
	}
	after, err := f.typed(f.shown(next), typed.AllowDuplicates)
	if err != nil {
		return managed, err
	}
	present, err := f.typed(before, typed.AllowDuplicates)
	if err != nil {
		return managed, err
	}
	_, fields, err := f.updater(w.Subresource).Update(present, after, fieldpath.APIVersion(f.apiVersion), managed.copied(), self)
	if err != nil {
		return managed, err
	}
	managed = entries{fields, managed.times}
	managed.strip(self)
	if versioned, ok := managed.fields[self]; ok {
		delete(managed.fields, self)
		name := w.identity(f, metav1.ManagedFieldsOperationUpdate).name()
		if previous, ok := managed.fields[name]; ok {
			versioned = fieldpath.NewVersionedSet(versioned.Set().Union(previous.Set()), versioned.APIVersion(), versioned.Applied())
		}
		managed.fields[name] = versioned
		managed.times[name] = t.now()
	}
	managed.forget()
	return managed, nil
}

func (e entries) copied() fieldpath.ManagedFields { return e.fields.Copy() }

// strip takes from a manager what nobody manages.
func (e entries) strip(name string) {
	versioned, ok := e.fields[name]
	if !ok {
		return
	}
	set := versioned.Set().Difference(unmanaged)
	if set.Empty() {
		delete(e.fields, name)
		return
	}
	e.fields[name] = fieldpath.NewVersionedSet(set, versioned.APIVersion(), versioned.Applied())
}

func (f *form) updater(subresource string) *merge.Updater {
	filters := map[fieldpath.APIVersion]fieldpath.Filter{}
	if reset := f.reset(subresource); reset != nil {
		for version := range f.served.forms {
			filters[fieldpath.APIVersion(version)] = reset
		}
	}
	builder := merge.UpdaterBuilder{Converter: converter{f.served}, IgnoreFilter: filters}
	return builder.BuildUpdater()
}

// converter takes objects from one form to another.
type converter struct{ *served }

var errMissingVersion = errors.New("no such version")

func (c converter) IsMissingVersionError(err error) bool { return errors.Is(err, errMissingVersion) }

func (c converter) Convert(object *typed.TypedValue, version fieldpath.APIVersion) (*typed.TypedValue, error) {
	from := ""
	if value := object.AsValue(); value != nil && value.IsMap() {
		if v, ok := value.AsMap().Get("apiVersion"); ok && v.IsString() {
			from = v.AsString()
		}
	}
	if from == string(version) {
		return object, nil
	}
	source, known := c.forms[from]
	target, served := c.forms[string(version)]
	if !known || !served {
		return object, fmt.Errorf("%w: %s", errMissingVersion, version)
	}
	obj, err := source.object(object)
	if err != nil {
		return object, err
	}
	return target.typed(target.shown(source.read(obj)))
}

func describeObject(obj metav1.Object, gvk schema.GroupVersionKind) string {
	return fmt.Sprintf("%v/%v; %v", obj.GetNamespace(), obj.GetName(), gvk)
}

// kubectl is the manager whose applies take over from client-side apply.
const kubectl = "kubectl"

// migrate applies, and again by force where kubectl is in conflict with what it
// has itself applied on the client's side before (lastAppliedManager upstream).
func (t *Tracker) migrate(f *form, live store.Object, config *unstructured.Unstructured, managed entries, force bool, w Write) (store.Object, entries, error) {
	next, after, err := t.apply(f, live, config, managed, force, w)
	var conflicts merge.Conflicts
	if w.Manager != kubectl || !errors.As(err, &conflicts) {
		return next, after, err
	}
	allowed, ok := f.appliedBefore(live)
	if !ok {
		return next, after, err
	}
	var rest merge.Conflicts
	for _, conflict := range conflicts {
		if !allowed.Has(conflict.Path) {
			rest = append(rest, conflict)
		}
	}
	if len(rest) > 0 {
		return next, after, rest
	}
	return t.apply(f, live, config, managed, true, w)
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// appliedBefore are the fields that client-side apply has set and that are still
// as it set them.
func (f *form) appliedBefore(live store.Object) (*fieldpath.Set, bool) {
	text := live.GetAnnotations()[lastApplied]
	if text == "" {
		return nil, false
	}
	present, err := f.typed(f.shown(live))
	if err != nil {
		return nil, false
	}
	config := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(text), config); err != nil || config.GetAPIVersion() != f.apiVersion {
		return nil, false
	}
	applied, err := f.typed(config.Object)
	if err != nil {
		return nil, false
	}
	fields, err := applied.ToFieldSet()
	if err != nil {
		return nil, false
	}
	comparison, err := applied.Compare(present)
	if err != nil {
		return nil, false
	}
	return fields.Difference(comparison.Modified).Difference(comparison.Added).Difference(comparison.Removed), true
}

// longestAnnotations is how many bytes the annotations of an object may have
// (TotalAnnotationSizeLimitB upstream).
const longestAnnotations = 256 << 10

// recordLastApplied keeps the annotation of client-side apply up to date on an
// object that has it, as kubectl may apply in either way.
func recordLastApplied(obj store.Object, config *unstructured.Unstructured) error {
	annotations := obj.GetAnnotations()
	if annotations[lastApplied] == "" {
		return nil
	}
	applied := config.DeepCopy()
	theirs := applied.GetAnnotations()
	delete(theirs, lastApplied)
	applied.SetAnnotations(theirs)
	text, err := applied.MarshalJSON()
	if err != nil {
		return err
	}
	annotations[lastApplied] = string(text)
	size := 0
	for name, value := range annotations {
		size += len(name) + len(value)
	}
	if size > longestAnnotations {
		delete(annotations, lastApplied)
	}
	obj.SetAnnotations(annotations)
	return nil
}
