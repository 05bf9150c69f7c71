package custom

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/custom/jsonpath"
	"tidepool.dev/tidepool/engine/api/custom/schema"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// version is what one version of a definition says of its objects.
type version struct {
	*apiextensionsv1.CustomResourceDefinitionVersion
	schema *schema.Schema
	rules  cel.Rules // nil: none, or nobody who evaluates them
	status bool
	scale  *apiextensionsv1.CustomResourceSubresourceScale
}

func newVersion(declared *apiextensionsv1.CustomResourceDefinitionVersion, evaluator cel.Evaluator) *version {
	v := &version{CustomResourceDefinitionVersion: declared}
	if declared.Schema != nil {
		v.schema = schema.New(declared.Schema.OpenAPIV3Schema)
		v.rules = rulesOf(declared.Schema.OpenAPIV3Schema, evaluator)
	}
	if sub := declared.Subresources; sub != nil {
		v.status, v.scale = sub.Status != nil, sub.Scale
	}
	return v
}

// HasRules reports whether a schema has x-kubernetes-validations.
func HasRules(props *apiextensionsv1.JSONSchemaProps) bool {
	found := false
	schema.Walk(props, func(p *apiextensionsv1.JSONSchemaProps) { found = found || len(p.XValidations) > 0 })
	return found
}

func rulesOf(props *apiextensionsv1.JSONSchemaProps, evaluator cel.Evaluator) cel.Rules {
	if evaluator == nil || !HasRules(props) {
		return nil
	}
	text, err := json.Marshal(props)
	if err != nil {
		return nil // it has been read from JSON
	}
	rules, _ := evaluator.Rules(text, nil) // what is wrong, the definition's validation has said
	return rules
}

func (v *version) warning(kind, apiVersion string) string {
	if !v.Deprecated {
		return ""
	}
	if v.DeprecationWarning != nil {
		return *v.DeprecationWarning
	}
	return fmt.Sprintf("%s %s is deprecated", apiVersion, kind)
}

// describe makes a kind serve objects as this version has them.
func (v *version) describe(k *kind.Kind) {
	k.PrepareForCreate = func(obj store.Object) {
		o := obj.(*Object)
		if v.status {
			delete(o.Content, "status")
			v.fillIn(o) // a status may have a default
		}
		o.Generation = 1
	}
	k.PrepareForUpdate = v.prepareForUpdate
	k.Validate = func(obj store.Object) field.ErrorList { return v.validate(obj.(*Object), nil) }
	k.ValidateUpdate = func(obj, old store.Object) field.ErrorList { return v.validate(obj.(*Object), old.(*Object)) }
	k.Resets = map[string][][]string{"": nil, "status": nil}
	if v.status {
		k.Resets = map[string][][]string{"": {{"status"}}, "status": {{"spec"}}}
		k.PrepareForStatusUpdate = prepareForStatusUpdate
		k.ValidateStatusUpdate = v.validateStatusUpdate
	}
	if v.scale != nil {
		k.Scale = &kind.Scale{Get: v.scaleOf, Set: v.setScale}
	}
	k.Fields = v.selectable()
	k.Columns, k.Row = v.table()
	k.Warnings = finalizerWarnings
}

func (v *version) fillIn(o *Object) {
	if o.Content == nil {
		o.Content = map[string]any{}
	}
	v.schema.Default(o.Content)
}

func (v *version) prepareForUpdate(obj, old store.Object) {
	o, was := obj.(*Object), old.(*Object)
	if v.status {
		if status, ok := was.Content["status"]; ok {
			o.Content["status"] = status
		} else {
			delete(o.Content, "status")
			v.fillIn(o)
		}
	}
	if !reflect.DeepEqual(o.Content, was.Content) {
		o.Generation = was.Generation + 1
	}
}

// prepareForStatusUpdate keeps everything but the status and managedFields.
func prepareForStatusUpdate(obj, old store.Object) {
	o, was := obj.(*Object), old.DeepCopyObject().(*Object)
	managers, revision := o.ManagedFields, o.ResourceVersion
	status, ok := o.Content["status"]
	o.ObjectMeta, o.Content = was.ObjectMeta, was.Content
	o.ManagedFields, o.ResourceVersion = managers, revision
	if ok {
		if o.Content == nil {
			o.Content = map[string]any{}
		}
		o.Content["status"] = status
	} else {
		delete(o.Content, "status")
	}
}

func (v *version) validate(o, old *Object) field.ErrorList {
	all := o.checked()
	errs := v.schema.Validate(nil, all)
	var was any
	if old != nil {
		before := old.checked()
		errs = withoutUnchanged(errs, v.schema.Validate(nil, before))
		was = before
	}
	errs = append(errs, v.validateScale(o, true)...)
	if old == nil || len(v.schema.ValidateLists(nil, was)) == 0 {
		errs = append(errs, v.schema.ValidateLists(nil, all)...)
	}
	return append(errs, v.evaluate(errs, all, was)...)
}

// withoutUnchanged drops what was wrong before in the same way: who changes
// another field need not mend it (CRDValidationRatcheting upstream).
func withoutUnchanged(errs, before field.ErrorList) field.ErrorList {
	return slices.DeleteFunc(errs, func(err *field.Error) bool {
		return err.Type != field.ErrorTypeRequired && err.Field != "" && err.Field != "<nil>" &&
			slices.ContainsFunc(before, func(was *field.Error) bool { return was.Error() == err.Error() })
	})
}

// blocking errors leave objects in a form that rules can't be evaluated on.
var blocking = []field.ErrorType{
	field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid,
}

func (v *version) evaluate(errs field.ErrorList, all, old any) field.ErrorList {
	if v.rules == nil {
		return nil
	}
	for _, err := range errs {
		if slices.Contains(blocking, err.Type) {
			return field.ErrorList{field.Invalid(nil, nil,
				"some validation rules were not checked because the object was invalid; correct the existing errors to complete validation")}
		}
	}
	return v.rules.Validate(context.Background(), nil, all, old)
}

func (v *version) validateStatusUpdate(obj, old store.Object) field.ErrorList {
	o, was := obj.(*Object), old.(*Object)
	path := field.NewPath("status")
	var errs field.ErrorList
	if status, ok := o.Content["status"]; ok {
		s := v.schema.Property("status")
		errs = s.Validate(path, status)
		if before, had := was.Content["status"]; had {
			errs = withoutUnchanged(errs, s.Validate(path, before))
		}
		errs = append(errs, s.ValidateLists(path, status)...)
	}
	errs = append(errs, v.validateScale(o, false)...)
	return append(errs, v.evaluate(errs, o.checked(), was.checked())...)
}

func steps(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }

func (v *version) validateScale(o *Object, spec bool) field.ErrorList {
	if v.scale == nil {
		return nil
	}
	var errs field.ErrorList
	check := func(path string) {
		replicas, _, err := unstructured.NestedInt64(o.Content, steps(path)...)
		switch at := field.NewPath(path); {
		case err != nil:
			errs = append(errs, field.Invalid(at, replicas, err.Error()))
		case replicas < 0:
			errs = append(errs, field.Invalid(at, replicas, "should be a non-negative integer"))
		case replicas > math.MaxInt32:
			errs = append(errs, field.Invalid(at, replicas, fmt.Sprintf("should be less than or equal to %v", math.MaxInt32)))
		}
	}
	if spec {
		check(v.scale.SpecReplicasPath)
	}
	check(v.scale.StatusReplicasPath)
	if path := v.scale.LabelSelectorPath; path != nil {
		if selector, _, err := unstructured.NestedString(o.Content, steps(*path)...); err != nil {
			errs = append(errs, field.Invalid(field.NewPath(*path), selector, err.Error()))
		}
	}
	return errs
}

func (v *version) scaleOf(obj store.Object) *autoscalingv1.Scale {
	content := obj.(*Object).Content
	number := func(path string) int32 {
		replicas, _, _ := unstructured.NestedInt64(content, steps(path)...) // validation has seen to it
		return int32(replicas)
	}
	scale := &autoscalingv1.Scale{}
	scale.Spec.Replicas = number(v.scale.SpecReplicasPath)
	scale.Status.Replicas = number(v.scale.StatusReplicasPath)
	if path := v.scale.LabelSelectorPath; path != nil {
		scale.Status.Selector, _, _ = unstructured.NestedString(content, steps(*path)...)
	}
	return scale
}

func (v *version) setScale(obj store.Object, replicas int32) {
	o := obj.(*Object)
	if o.Content == nil {
		o.Content = map[string]any{}
	}
	_ = unstructured.SetNestedField(o.Content, int64(replicas), steps(v.scale.SpecReplicasPath)...) // validation has seen to it
}

func (v *version) selectable() func(store.Object) fields.Set {
	paths := map[string]jsonpath.Path{}
	for _, selectable := range v.SelectableFields {
		if path, err := jsonpath.Parse(selectable.JSONPath); err == nil {
			paths[strings.TrimPrefix(selectable.JSONPath, ".")] = path
		}
	}
	return func(obj store.Object) fields.Set {
		set := fields.Set{}
		for name, path := range paths {
			set[name] = ""
			if found := path.Find(obj.(*Object).Content); len(found) > 0 && found[0] != nil {
				set[name] = fmt.Sprint(found[0])
			}
		}
		return set
	}
}

// finalizerWarnings are about names that may collide
// (registry/customresource.generateWarningsFromObj upstream).
func finalizerWarnings(obj, old store.Object) []string {
	var warnings []string
	for _, name := range obj.GetFinalizers() {
		if old != nil && slices.Contains(old.GetFinalizers(), name) || strings.Contains(name, "/") ||
			slices.Contains([]string{metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents, "kubernetes"}, name) {
			continue
		}
		form := "metadata.finalizers: %q: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
		if strings.Contains(name, ".") {
			form = "metadata.finalizers: %q: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers"
		}
		warnings = append(warnings, fmt.Sprintf(form, name))
	}
	return warnings
}

// table is how objects are printed
// (registry/customresource/tableconvertor upstream).
func (v *version) table() ([]metav1.TableColumnDefinition, func(store.Object, time.Time) []any) {
	return columns(v.AdditionalPrinterColumns)
}
