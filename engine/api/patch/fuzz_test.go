package patch

import (
	"encoding/json"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// FuzzPatch: no patch changes the object that it is applied to, and what it
// makes is an object.
func FuzzPatch(f *testing.F) {
	kinds := []types.PatchType{types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType}
	for kind, bodies := range [][]string{
		{
			`[{"op":"add","path":"/spec/containers/-","value":{"name":"x"}},{"op":"remove","path":"/metadata/labels/a"}]`,
			`[{"op":"test","path":"/spec/nodeName","value":"n"},{"op":"move","from":"/spec/volumes/0","path":"/spec/volumes/1"}]`,
			`[{"op":"copy","from":"/metadata","path":"/metadata/annotations"},{"op":"replace","path":"","value":null}]`,
			`[{"op":"add","path":"/spec/containers/18446744073709551616","value":1}]`,
			`[{"op":"remove","path":"/spec/containers/-1"},{"path":"/~1~0"},{}]`,
			`[{"op":"replace","path":""}]`, // the library panics
		},
		{`{"metadata":{"labels":null,"finalizers":["z"]},"spec":{"containers":[{"name":null}]}}`, `[1]`, `null`},
		{
			`{"spec":{"containers":[{"name":"b","$patch":"delete"},{"name":"a","env":[{"name":"Z"}]}],"$setElementOrder/containers":[{"name":"a"}]}}`,
			`{"metadata":{"$deleteFromPrimitiveList/finalizers":["x/a"],"$retainKeys":["name"],"labels":{"$patch":"replace","q":"r"}}}`,
			`{"spec":{"volumes":[{"$patch":"replace"}],"tolerations":null,"containers":{"name":"a"}}}`,
		},
	} {
		for _, body := range bodies {
			f.Add(uint8(kind), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		p := Patch{Type: kinds[int(kind)%len(kinds)], Body: body}
		var current, into corev1.Pod
		if err := json.Unmarshal([]byte(podWith), &current); err != nil {
			t.Fatal(err)
		}
		before := current.DeepCopy()
		if p.Check() != nil {
			return
		}
		if _, err := p.Apply(&current, &into); err == nil {
			if _, err := json.Marshal(&into); err != nil {
				t.Errorf("the patched object can't be written: %v", err)
			}
		}
		if !reflect.DeepEqual(&current, before) {
			t.Errorf("the object was changed by applying %q", body)
		}
	})
}

// FuzzConfiguration: what is to be applied is an object or refused.
func FuzzConfiguration(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}]}"))
	f.Add([]byte("a: &a\n  b: *a"))
	f.Add([]byte("null"))
	f.Add([]byte("? [a]\n: b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := Patch{Type: types.ApplyYAMLPatchType, Body: body, Validation: metav1.FieldValidationWarn}
		if p.Check() != nil {
			return
		}
		config, err := p.Configuration()
		if err != nil {
			return
		}
		if _, err := p.CheckStrictly(); err != nil {
			t.Errorf("it is only to be warned of: %v", err)
		}
		if _, err := json.Marshal(config.Object); err != nil {
			t.Error(err)
		}
	})
}
