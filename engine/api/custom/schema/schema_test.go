package schema_test

import (
	"encoding/json"
	"slices"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	upstream "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"tidepool.dev/tidepool/engine/api/custom/schema"
)

const definition = `{"type": "object", "required": ["spec"], "properties": {
  "spec": {"type": "object", "required": ["name"], "minProperties": 1, "maxProperties": 20, "properties": {
    "name": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
    "size": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
    "big": {"type": "integer", "format": "int32"},
    "ratio": {"type": "number", "exclusiveMinimum": true, "minimum": 0, "multipleOf": 0.5},
    "on": {"type": "boolean"},
    "colour": {"type": "string", "enum": ["red", "white"]},
    "level": {"type": "integer", "enum": [1, 2]},
    "port": {"x-kubernetes-int-or-string": true},
    "maybe": {"type": "string", "nullable": true, "default": "x"},
    "list": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "integer", "default": 7}}}},
    "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "string"}}}},
    "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 3}},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"known": {"type": "object", "properties": {"x": {"type": "string"}}}}},
    "mail": {"type": "string", "format": "email"}, "ip": {"type": "string", "format": "ipv4"}, "net": {"type": "string", "format": "cidr"},
    "day": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"}, "url": {"type": "string", "format": "uri"}, "id": {"type": "string", "format": "uuid"},
    "one": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "any": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "no": {"type": "string", "not": {"enum": ["never"]}},
    "inner": {"type": "object", "default": {}, "properties": {"deep": {"type": "string", "default": "d"}}},
    "embedded": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}}
  }}}}`

var objects = []string{
	`{}`,
	`{"spec": null}`,
	`{"spec": 3}`,
	`{"spec": {}}`,
	`{"spec": {"name": "ok"}}`,
	`{"spec": {"name": "a"}}`,
	`{"spec": {"name": "toolong"}}`,
	`{"spec": {"name": "A1"}}`,
	`{"spec": {"name": 5, "size": "x", "on": "yes", "list": {}, "labels": []}}`,
	`{"spec": {"name": "ok", "size": 0, "ratio": 0, "level": 3, "colour": "green"}}`,
	`{"spec": {"name": "ok", "size": 11, "ratio": 0.3, "big": 4}}`,
	`{"spec": {"name": "ok", "size": 2.5}}`,
	`{"spec": {"name": "ok", "size": 2.0, "ratio": 2, "port": 80}}`,
	`{"spec": {"name": "ok", "port": "http"}}`,
	`{"spec": {"name": "ok", "port": true}}`,
	`{"spec": {"name": "ok", "maybe": null, "size": null, "on": null}}`,
	`{"spec": {"name": "ok", "list": []}}`,
	`{"spec": {"name": "ok", "list": [{"a": "x", "u": 1}, {"b": "y"}, {}]}}`,
	`{"spec": {"name": "ok", "set": ["a", "b", "a"], "map": [{"k": "a"}, {"k": "a", "v": "x"}]}}`,
	`{"spec": {"name": "ok", "labels": {"a": "abcd", "b": 1}}}`,
	`{"spec": {"name": "ok", "unknown": 1, "free": {"any": {"thing": 1}, "known": {"x": "y", "z": 1}}}}`,
	`{"spec": {"name": "ok", "mail": "nobody", "ip": "::1", "net": "10.0.0.0", "day": "now", "at": "now", "url": "x", "id": "x"}}`,
	`{"spec": {"name": "ok", "mail": "a@b.c", "ip": "1.2.3.4", "net": "10.0.0.0/8", "day": "2026-01-02", "at": "2026-01-02T03:04:05Z", "url": "http://a/b", "id": "550e8400-e29b-41d4-a716-446655440000"}}`,
	`{"spec": {"name": "ok", "one": {}}}`,
	`{"spec": {"name": "ok", "one": {"a": "x", "b": "y"}}}`,
	`{"spec": {"name": "ok", "one": {"a": "x"}, "any": {"b": "x"}}}`,
	`{"spec": {"name": "ok", "any": {}}}`,
	`{"spec": {"name": "ok", "no": "never"}}`,
	`{"spec": {"name": "ok", "embedded": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}, "more": 1}}}`,
}

// TestAsUpstream holds pruning, defaulting and validation against Kubernetes'.
func TestAsUpstream(t *testing.T) {
	var props apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal([]byte(definition), &props); err != nil {
		t.Fatal(err)
	}
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&props, &internal, nil); err != nil {
		t.Fatal(err)
	}
	theirs, err := structural.NewStructural(&internal)
	if err != nil {
		t.Fatal(err)
	}
	validator, _, err := upstream.NewSchemaValidator(&internal)
	if err != nil {
		t.Fatal(err)
	}
	ours := schema.New(&props)
	for _, text := range objects {
		t.Run(text, func(t *testing.T) {
			var object map[string]any
			if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &object); err != nil {
				t.Fatal(err)
			}
			expected := runtime.DeepCopyJSON(object)
			unknown := pruning.PruneWithOptions(expected, theirs, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
			if got := ours.Prune(object); !slices.Equal(got, unknown) {
				t.Errorf("unknown fields %q, upstream %q", got, unknown)
			}
			defaulting.PruneNonNullableNullsWithoutDefaults(expected, theirs)
			defaulting.Default(expected, theirs)
			ours.Default(object)
			a, _ := json.Marshal(object)
			b, _ := json.Marshal(expected)
			if string(a) != string(b) {
				t.Errorf("read as\n%s, upstream\n%s", a, b)
			}
			equal(t, ours.Validate(nil, object), upstream.ValidateCustomResource(nil, expected, validator))
			equal(t, ours.ValidateLists(nil, object), listtype.ValidateListSetsAndMaps(nil, theirs, expected))
		})
	}
}

// equal compares errors in any order: upstream's is that of a map.
func equal(t *testing.T, got, want field.ErrorList) {
	t.Helper()
	texts := func(errs field.ErrorList) (all []string) {
		for _, err := range errs {
			all = append(all, err.Error())
		}
		slices.Sort(all)
		return all
	}
	if g, w := texts(got), texts(want); !slices.Equal(g, w) {
		t.Errorf("errors\n%q, upstream\n%q", g, w)
	}
}
