package patch

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/mergepatch"
	forkedjson "k8s.io/apimachinery/third_party/forked/golang/json"
)

// The strategic merge below is that of k8s.io/apimachinery's strategicpatch,
// which tests compare it with; that package brings along the machinery of
// OpenAPI and protobuf, a fifth of the engine's size in a browser.
// Its rules are in https://git.k8s.io/community/contributors/devel/sig-api-machinery/strategic-merge-patch.md.

type object = map[string]any

// Keys that are instructions, not fields.
const (
	directiveKey = "$patch"
	retainKeys   = "$retainKeys"
	// deletePrefix/LIST lists values to delete from a list of scalars.
	deletePrefix = "$deleteFromPrimitiveList"
	// orderPrefix/LIST is the order in which a merged list is wanted.
	orderPrefix = "$setElementOrder"
)

// What directiveKey, and a field's patchStrategy tag, may say.
const (
	strategyReplace = "replace"
	strategyMerge   = "merge"
	strategyDelete  = "delete"
)

// fieldMeta is what the tags of a field say about merging it.
type fieldMeta struct {
	reflect.Type // of the field or, for a list, its elements
	strategy     string
	mergeKey     string
}

func metaOf(t reflect.Type, key string) (fieldMeta, error) {
	fieldType, strategies, mergeKey, err := forkedjson.LookupPatchMetadataForStruct(t, key)
	if err != nil {
		return fieldMeta{}, err
	}
	strategies = slices.DeleteFunc(slices.Clone(strategies), func(s string) bool { return s == "retainKeys" })
	if len(strategies) > 1 {
		return fieldMeta{}, fmt.Errorf("unexpected patch strategy: %v", strategies)
	}
	meta := fieldMeta{Type: fieldType, mergeKey: mergeKey}
	if len(strategies) == 1 {
		meta.strategy = strategies[0]
	}
	return meta, nil
}

func listMetaOf(t reflect.Type, key string) (fieldMeta, error) {
	meta, err := metaOf(t, key)
	if err != nil {
		return meta, err
	}
	if meta.Kind() == reflect.Pointer {
		meta.Type = meta.Elem()
	}
	if meta.Kind() != reflect.Slice && meta.Kind() != reflect.Array {
		return meta, fmt.Errorf("expected slice or array type, but got: %s", t.Kind())
	}
	meta.Type = meta.Elem()
	return meta, nil
}

// mergeObject merges a patch into an object whose fields are declared by a
// type. Both are consumed.
func mergeObject(original, patch object, t reflect.Type) (object, error) {
	if directive, ok := patch[directiveKey]; ok {
		return replaceOrDelete(directive, patch)
	}
	if original == nil {
		original = object{}
	}
	if err := applyRetainKeys(original, patch); err != nil {
		return nil, err
	}
	if err := mergeOrderedLists(original, patch, t); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		if err := mergeField(original, key, patch[key], t); err != nil {
			return nil, err
		}
	}
	return original, nil
}

func replaceOrDelete(directive any, patch object) (object, error) {
	switch directive {
	case strategyReplace:
		delete(patch, directiveKey)
		return patch, nil
	case strategyDelete:
		return object{}, nil
	}
	return nil, mergepatch.ErrBadPatchType(directive, patch)
}

// applyRetainKeys clears the fields that the instruction does not name.
func applyRetainKeys(original, patch object) error {
	value, ok := patch[retainKeys]
	if !ok {
		return nil
	}
	delete(patch, retainKeys)
	list, ok := value.([]any)
	if !ok {
		return mergepatch.ErrBadPatchFormatForRetainKeys
	}
	retained := func(key string) bool {
		return slices.ContainsFunc(list, func(each any) bool { return same(each, key) })
	}
	for key, value := range patch {
		if value != nil && !strings.HasPrefix(key, deletePrefix) && !strings.HasPrefix(key, orderPrefix) && !retained(key) {
			return mergepatch.ErrBadPatchFormatForRetainKeys
		}
	}
	maps.DeleteFunc(original, func(key string, _ any) bool { return !retained(key) })
	return nil
}

// same compares scalars; nothing else is the same as anything.
func same(a, b any) bool {
	switch a.(type) {
	case object, []any:
		return false
	}
	switch b.(type) {
	case object, []any:
		return false
	}
	return a == b
}

func mergeField(original object, key string, value any, t reflect.Type) (err error) {
	isDeletion := strings.HasPrefix(key, deletePrefix)
	if isDeletion {
		if key, err = listKey(key, deletePrefix, mergepatch.ErrBadPatchFormatForPrimitiveList); err != nil {
			return err
		}
	}
	if value == nil {
		delete(original, key)
		return nil
	}
	current, ok := original[key]
	if !ok || reflect.TypeOf(current) != reflect.TypeOf(value) {
		if !isDeletion {
			put(original, key, value)
		}
		return nil
	}
	switch current := current.(type) {
	case object:
		original[key], err = mergeObjectField(current, value.(object), t, key)
	case []any:
		var meta fieldMeta
		if meta, err = listMetaOf(t, key); err == nil {
			original[key], err = mergeList(current, value.([]any), meta, isDeletion)
		}
	default:
		original[key] = value
	}
	return err
}

func mergeObjectField(current, value object, t reflect.Type, key string) (object, error) {
	meta, err := metaOf(t, key)
	if err != nil {
		return nil, err
	}
	if meta.strategy == strategyReplace {
		return value, nil
	}
	return mergeObject(current, value, meta.Type)
}

// listKey is the list that an instruction is about.
func listKey(key, prefix string, malformed error) (string, error) {
	before, list, ok := strings.Cut(key, "/")
	if !ok || before != prefix {
		return "", malformed
	}
	return list, nil
}

// put sets a field that there was not; the patch's instructions in it have
// nothing to work on.
func put(original object, key string, value any) {
	discardNulls(value)
	if value, keep := withoutDirectives(value); keep {
		original[key] = value
	} else {
		delete(original, key)
	}
}

func discardNulls(value any) {
	switch value := value.(type) {
	case object:
		maps.DeleteFunc(value, func(_ string, each any) bool { return each == nil })
		for _, each := range value {
			discardNulls(each)
		}
	case []any:
		for _, each := range value {
			discardNulls(each)
		}
	}
}

// withoutDirectives removes the objects that carry an instruction.
func withoutDirectives(value any) (cleaned any, keep bool) {
	switch value := value.(type) {
	case object:
		if _, ok := value[directiveKey]; ok {
			return nil, false
		}
		for key, each := range value {
			if cleaned, keep := withoutDirectives(each); keep {
				value[key] = cleaned
			} else {
				delete(value, key)
			}
		}
	case []any:
		kept := make([]any, 0, len(value))
		for _, each := range value {
			if cleaned, keep := withoutDirectives(each); keep {
				kept = append(kept, cleaned)
			}
		}
		return kept, true
	}
	return value, true
}
