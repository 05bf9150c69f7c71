// Package patch applies the patches of Kubernetes' API to objects: JSON patch,
// JSON merge patch and strategic merge patch, with the errors that the API
// server has for those that do not fit
// (k8s.io/apiserver/pkg/endpoints/handlers/patch.go upstream).
//
// Nothing here reads or writes the store: the result of a patch is an object
// for an update.
package patch

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"tidepool.dev/tidepool/engine/api/codec"
)

// maxOperations bounds a JSON patch.
const maxOperations = 10000

// Patch is what a client sends.
type Patch struct {
	Type types.PatchType
	Body []byte
	// Validation says what becomes of unknown and duplicate fields; empty is
	// Warn.
	Validation string
}

// Check refuses a patch that is no JSON, or no YAML if it is to be applied.
func (p Patch) Check() error {
	if p.Type == types.ApplyYAMLPatchType {
		if _, err := yaml.YAMLToJSON(p.Body); err != nil {
			return apierrors.NewBadRequest(fmt.Sprintf("error encoding patch: %v", err))
		}
		return nil
	}
	if !json.Valid(p.Body) {
		return apierrors.NewBadRequest("invalid JSON patch")
	}
	return nil
}

// Configuration is the object that is to be applied.
func (p Patch) Configuration() (*unstructured.Unstructured, error) {
	config := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal(p.Body, &config.Object); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	return config, nil
}

// CheckStrictly tells of duplicate fields in what is to be applied, once that has
// been done.
func (p Patch) CheckStrictly() (warnings []string, err error) {
	if !p.strict() {
		return nil, nil
	}
	err = yaml.UnmarshalStrict(p.Body, &map[string]any{})
	switch {
	case err == nil:
		return nil, nil
	case p.Validation == metav1.FieldValidationStrict:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error strict decoding patch: %v", err))
	}
	return codec.Warnings([]error{err}), nil
}

func (p Patch) strict() bool { return p.Validation != metav1.FieldValidationIgnore }

// Apply makes the patched object, into an empty one of the same type. What is
// wrong, but not wrong enough to refuse it, is returned as warnings.
func (p Patch) Apply(current, into runtime.Object) (warnings []string, err error) {
	if p.Type == types.StrategicMergePatchType {
		return p.strategic(current, into)
	}
	before, err := json.Marshal(current)
	if err != nil {
		return nil, err
	}
	after, strict, err := p.patchText(before)
	if err != nil {
		return nil, err
	}
	if !p.strict() {
		if err := kjson.UnmarshalCaseSensitivePreserveInts(after, into); err != nil {
			return nil, invalid(string(after), err)
		}
		return nil, nil
	}
	more, err := codec.UnmarshalStrict(after, into)
	if err != nil {
		return nil, invalid(string(after), err)
	}
	return p.judge(append(strict, more...), string(after))
}

// judge makes an error or warnings of what is not strictly right.
func (p Patch) judge(strict []error, shown string) (warnings []string, err error) {
	if len(strict) > 0 && p.Validation == metav1.FieldValidationStrict {
		return nil, invalid(shown, runtime.NewStrictDecodingError(strict))
	}
	return codec.Warnings(strict), nil
}

func invalid(shown string, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{
		field.Invalid(field.NewPath("patch"), shown, err.Error()),
	})
}

func unprocessable(err error) error {
	return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
}

// patchText applies a patch of text to text.
func (p Patch) patchText(before []byte) (after []byte, strict []error, err error) {
	if p.Type == types.JSONPatchType {
		return p.patchOperations(before)
	}
	if p.strict() {
		if strict, err = kjson.UnmarshalStrict(p.Body, &map[string]any{}); err != nil {
			return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
		}
	}
	after, err = jsonpatch.MergePatch(before, p.Body)
	if errors.Is(err, jsonpatch.ErrBadJSONPatch) {
		err = apierrors.NewBadRequest(err.Error())
	}
	return after, strict, err
}

// operation is there for the fields that an operation may have.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from"`
	Value any    `json:"value"`
}

func (p Patch) patchOperations(before []byte) (after []byte, strict []error, err error) {
	if p.strict() {
		if strict, err = kjson.UnmarshalStrict(p.Body, &[]operation{}); err != nil {
			return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
		}
		for i, each := range strict {
			strict[i] = fmt.Errorf("json patch %w", each)
		}
	}
	operations, err := jsonpatch.DecodePatch(p.Body)
	if err != nil {
		return nil, nil, apierrors.NewBadRequest(err.Error())
	}
	if len(operations) > maxOperations {
		return nil, nil, apierrors.NewRequestEntityTooLargeError(
			fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxOperations, len(operations)))
	}
	after, err = operate(operations, before)
	if err != nil {
		return nil, nil, unprocessable(err)
	}
	return after, strict, nil
}

// operate applies operations. The library panics at some that lack what they
// need, a replace of the whole document without a value for instance.
func operate(operations jsonpatch.Patch, before []byte) (after []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the patch is incomplete: %v", reason)
		}
	}()
	return operations.Apply(before)
}

// strategic merges by the merge keys that the type's fields declare.
func (p Patch) strategic(current, into runtime.Object) (warnings []string, err error) {
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(current)
	if err != nil {
		return nil, err
	}
	var strict []error
	changes := map[string]any{}
	if p.strict() {
		strict, err = kjson.UnmarshalStrict(p.Body, &changes)
	} else {
		err = kjson.UnmarshalCaseSensitivePreserveInts(p.Body, &changes)
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	// The merge consumes its input; errors show the patch as it came.
	shown := fmt.Sprintf("%+v", changes)
	after, err := mergeObject(before, changes, reflect.TypeOf(into).Elem())
	if err != nil {
		return nil, interpret(err)
	}
	err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(after, into, p.strict())
	if more, ok := runtime.AsStrictDecodingError(err); ok {
		return p.judge(append(strict, more.Errors()...), shown)
	}
	if err != nil {
		return nil, invalid(shown, err)
	}
	return p.judge(strict, shown)
}

func interpret(err error) error {
	switch {
	case is(err, mergepatch.ErrBadJSONDoc, mergepatch.ErrBadPatchFormatForPrimitiveList, mergepatch.ErrBadPatchFormatForRetainKeys,
		mergepatch.ErrBadPatchFormatForSetElementOrderList, mergepatch.ErrUnsupportedStrategicMergePatchFormat):
		return apierrors.NewBadRequest(err.Error())
	case is(err, mergepatch.ErrNoListOfLists, mergepatch.ErrPatchContentNotMatchRetainKeys):
		return unprocessable(err)
	}
	return err
}

func is(err error, any ...error) bool {
	for _, each := range any {
		if errors.Is(err, each) {
			return true
		}
	}
	return false
}
