package schema

import (
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
)

// resourceFields are those that every resource has, whatever its schema says.
var resourceFields = map[string]bool{"apiVersion": true, "kind": true, "metadata": true}

// Prune drops the fields of an object that its schema does not know, and returns
// their paths in order (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning).
func (s *Schema) Prune(object map[string]any) []string {
	if s == nil {
		return nil
	}
	p := pruning{}
	p.fields(s, object, true, "")
	slices.Sort(p.unknown)
	return p.unknown
}

type pruning struct{ unknown []string }

func (p *pruning) value(s *Schema, value any, path string) {
	switch value := value.(type) {
	case map[string]any:
		p.fields(s, value, s != nil && s.embedded, path)
	case []any:
		if s != nil && s.preserve && s.items == nil {
			return
		}
		for i := range value {
			var items *Schema
			if s != nil {
				items = s.items
			}
			p.value(items, value[i], path+"["+strconv.Itoa(i)+"]")
		}
	}
}

func (p *pruning) fields(s *Schema, object map[string]any, resource bool, path string) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if resource && resourceFields[name] {
			continue
		}
		below := name
		if path != "" {
			below = path + "." + name
		}
		if field := s.field(name); field != nil {
			p.value(field, object[name], below)
		} else if s == nil || !s.preserve {
			delete(object, name)
			p.unknown = append(p.unknown, below)
		}
	}
}

// Default fills in the defaults of absent fields, and drops nulls where there may
// be none (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting).
func (s *Schema) Default(value any) {
	if s == nil {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if field := s.field(name); value[name] == nil && field != nil && !field.nullable() && field.fallback == nil {
				delete(value, name)
			}
		}
		for _, name := range s.names {
			field := s.properties[name]
			present, ok := value[name]
			if field.fallback != nil && (!ok || present == nil && !field.nullable()) {
				value[name] = runtime.DeepCopyJSONValue(field.fallback)
			}
		}
		for name, present := range value {
			field := s.field(name)
			if field == nil {
				continue
			}
			if present == nil && !field.nullable() && field.fallback != nil {
				value[name] = runtime.DeepCopyJSONValue(field.fallback)
			}
			field.Default(value[name])
		}
	case []any:
		if s.items == nil {
			return
		}
		for i := range value {
			if value[i] == nil && !s.items.nullable() && s.items.fallback != nil {
				value[i] = runtime.DeepCopyJSONValue(s.items.fallback)
			}
			s.items.Default(value[i])
		}
	}
}
