package schema

import (
	"encoding/json"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateLists refuses lists that are sets or maps and have equal items
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype).
func (s *Schema) ValidateLists(path *field.Path, value any) field.ErrorList {
	if s == nil {
		return nil
	}
	var errs field.ErrorList
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			below := path.Child(name)
			if _, declared := s.properties[name]; !declared {
				below = path.Key(name)
			}
			errs = append(errs, s.field(name).ValidateLists(below, value[name])...)
		}
	case []any:
		errs = s.unique(path, value)
		for i := range value {
			errs = append(errs, s.items.ValidateLists(path.Index(i), value[i])...)
		}
	}
	return errs
}

func (s *Schema) unique(path *field.Path, list []any) field.ErrorList {
	listType := s.props.XListType
	if listType == nil || *listType != "set" && *listType != "map" {
		return nil
	}
	var errs field.ErrorList
	seen := map[string]int{}
	for i, item := range list {
		key := item
		if *listType == "map" {
			fields, isObject := item.(map[string]any)
			if item != nil && !isObject {
				return field.ErrorList{field.Invalid(path.Index(i), item, "must be an object for an array of list-type map")}
			}
			keys := map[string]any{}
			for _, name := range s.props.XListMapKeys {
				if part, ok := fields[name]; ok {
					keys[name] = part
				}
			}
			key = keys
		}
		text, err := json.Marshal(key)
		if err != nil {
			return field.ErrorList{field.Invalid(path.Index(i), item, "internal error")}
		}
		if seen[string(text)]++; seen[string(text)] == 2 {
			errs = append(errs, field.Duplicate(path.Index(i), key))
		}
	}
	return errs
}
