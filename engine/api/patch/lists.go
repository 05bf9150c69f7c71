package patch

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/mergepatch"
)

// elements says what the lists hold: objects with a merge key or scalars.
type elements struct {
	objects  bool
	mergeKey string
}

// elementsOf refuses lists of lists and of mixed types.
func elementsOf(mergeKey string, lists ...[]any) (elements, error) {
	var first reflect.Type
	for _, list := range lists {
		for _, each := range list {
			switch t := reflect.TypeOf(each); {
			case t == nil:
				return elements{}, errors.New("list elements must not be null")
			case first == nil && t.Kind() == reflect.Slice:
				return elements{}, mergepatch.ErrNoListOfLists
			case first == nil:
				first = t
			case t != first:
				return elements{}, fmt.Errorf("list element types are not identical: %v", lists)
			}
		}
	}
	if first == nil {
		return elements{}, errors.New("no elements in any of the given slices")
	}
	return elements{first.Kind() == reflect.Map, mergeKey}, nil
}

// key is that by which an element is found.
func (e elements) key(element any) any {
	if !e.objects {
		return element
	}
	fields, _ := element.(object)
	return fields[e.mergeKey]
}

func (e elements) index(list []any, element any) int {
	key := e.key(element)
	return slices.IndexFunc(list, func(each any) bool { return same(e.key(each), key) })
}

func (e elements) check(lists ...[]any) error {
	if !e.objects {
		return nil
	}
	for _, list := range lists {
		for _, each := range list {
			fields, ok := each.(object)
			if !ok {
				return mergepatch.ErrBadArgType(fields, each)
			}
			if _, ok := fields[e.mergeKey]; !ok {
				return mergepatch.ErrNoMergeKey(fields, e.mergeKey)
			}
		}
	}
	return nil
}

func mergeList(original, patch []any, meta fieldMeta, isDeletion bool) ([]any, error) {
	if meta.strategy != strategyMerge && !isDeletion {
		return patch, nil
	}
	if len(original) == 0 && len(patch) == 0 {
		return original, nil
	}
	e, err := elementsOf(meta.mergeKey, original, patch)
	if err != nil {
		return nil, err
	}
	if !e.objects && isDeletion {
		return slices.DeleteFunc(original, func(each any) bool { return e.index(patch, each) >= 0 }), nil
	}
	var merged []any
	if e.objects {
		if meta.mergeKey == "" {
			return nil, fmt.Errorf("cannot merge lists without merge key for %s", meta.Kind())
		}
		if original, patch, err = e.obey(original, patch); err != nil {
			return nil, err
		}
		if merged, err = e.mergeObjects(original, patch, meta.Type); err != nil {
			return nil, err
		}
	} else {
		merged = union(original, patch)
	}
	return e.arrange(merged, patch, original)
}

// union keeps each scalar once.
func union(lists ...[]any) []any {
	var all []any
	for _, list := range lists {
		for _, each := range list {
			if !slices.ContainsFunc(all, func(other any) bool { return same(each, other) }) {
				all = append(all, each)
			}
		}
	}
	return all
}

// obey carries out the instructions among the patch's elements and returns the
// patch without them.
func (e elements) obey(original, patch []any) (remaining, elements []any, err error) {
	replace := false
	for _, each := range patch {
		fields := each.(object)
		directive, ok := fields[directiveKey]
		if !ok {
			elements = append(elements, each)
			continue
		}
		switch directive {
		case strategyReplace:
			replace = true
		case strategyDelete:
			if _, ok := fields[e.mergeKey]; !ok {
				return nil, nil, mergepatch.ErrNoMergeKey(fields, e.mergeKey)
			}
			for at := e.index(original, each); at >= 0; at = e.index(original, each) {
				original = append(original[:at], original[at+1:]...)
			}
		case strategyMerge:
			return nil, nil, errors.New("merging lists cannot yet be specified in the patch")
		default:
			return nil, nil, mergepatch.ErrBadPatchType(directive, fields)
		}
	}
	if replace {
		return elements, nil, nil
	}
	return original, elements, nil
}

func (e elements) mergeObjects(merged, patch []any, t reflect.Type) ([]any, error) {
	for _, each := range patch {
		fields := each.(object)
		if _, ok := fields[e.mergeKey]; !ok {
			return nil, mergepatch.ErrNoMergeKey(fields, e.mergeKey)
		}
		at := e.index(merged, each)
		if at < 0 {
			merged = append(merged, each)
			continue
		}
		element, err := mergeObject(merged[at].(object), fields, t)
		if err != nil {
			return nil, err
		}
		merged[at] = element
	}
	return merged, nil
}

// arrange brings a merged list into order: what the patch names as in order,
// the rest as it was, each of the rest before the first of the others that it
// was before.
func (e elements) arrange(merged, order, was []any) ([]any, error) {
	var named, others []any
	if err := e.check(merged, order, was); err != nil {
		return nil, err
	}
	for _, each := range merged {
		if e.index(order, each) >= 0 {
			named = append(named, each)
		} else {
			others = append(others, each)
		}
	}
	e.sort(named, order)
	e.sort(others, was)
	all := make([]any, 0, len(merged))
	for len(named) > 0 && len(others) > 0 {
		first, second := e.index(was, others[0]), e.index(was, named[0])
		if first >= 0 && second >= 0 && first < second {
			all, others = append(all, others[0]), others[1:]
		} else {
			all, named = append(all, named[0]), named[1:]
		}
	}
	return append(append(all, named...), others...), nil
}

func (e elements) sort(list, order []any) {
	slices.SortStableFunc(list, func(a, b any) int { return e.index(order, a) - e.index(order, b) })
}

// mergeOrderedLists merges the lists for which the patch says an order, and
// takes them out of the patch.
func mergeOrderedLists(original, patch object, t reflect.Type) error {
	for _, instruction := range slices.Sorted(maps.Keys(patch)) {
		if !strings.HasPrefix(instruction, orderPrefix) {
			continue
		}
		order, ok := patch[instruction].([]any)
		if !ok {
			return mergepatch.ErrBadArgType(order, patch[instruction])
		}
		delete(patch, instruction)
		key, err := listKey(instruction, orderPrefix, mergepatch.ErrBadPatchFormatForSetElementOrderList)
		if err != nil {
			return err
		}
		if err := mergeOrderedList(original, patch, key, order, t); err != nil {
			return err
		}
	}
	return nil
}

func mergeOrderedList(original, patch object, key string, order []any, t reflect.Type) error {
	current, has, err := listIn(original, key)
	if err != nil {
		return err
	}
	changes, changed, err := listIn(patch, key)
	if err != nil {
		return err
	}
	meta, err := listMetaOf(t, key)
	if err != nil {
		return err
	}
	if err := checkOrder(changes, order, meta.mergeKey); err != nil {
		return err
	}
	var merged []any
	switch {
	case has && changed:
		// Merging works in place, so that current, whose order decides where
		// the patch says nothing, ends as a mixture of old and new elements;
		// what that leads to is Kubernetes' behaviour.
		merged, err = mergeList(current, changes, meta, false)
	case has:
		merged = current
	case changed:
		cleaned, _ := withoutDirectives(changes)
		merged = cleaned.([]any)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	e, err := elementsOf(meta.mergeKey, current, changes)
	if err != nil {
		return err
	}
	if original[key], err = e.arrange(merged, order, current); err != nil {
		return err
	}
	delete(patch, key)
	return nil
}

func listIn(fields object, key string) (list []any, has bool, err error) {
	value, has := fields[key]
	if !has {
		return nil, false, nil
	}
	list, ok := value.([]any)
	if !ok {
		err = mergepatch.ErrBadArgType(list, value)
	}
	return list, true, err
}

// checkOrder wants the patch's elements to be in the order that it states.
func checkOrder(changes, order []any, mergeKey string) error {
	if len(changes) == 0 || len(order) == 0 {
		return nil
	}
	e := elements{mergeKey != "", mergeKey}
	at := 0
	for _, each := range changes {
		if fields, ok := each.(object); ok && fields[directiveKey] != nil {
			continue
		}
		if err := e.check([]any{each}, order); err != nil {
			return err
		}
		found := e.index(order[at:], each)
		if found < 0 {
			//lint:ignore ST1005 as Kubernetes words it
			return fmt.Errorf("The order in patch list:\n%v\n doesn't match %s list:\n%v\n", changes, orderPrefix, order)
		}
		at += found + 1
	}
	return nil
}
