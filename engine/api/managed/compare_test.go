package managed

import (
	"encoding/json"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	upstream "k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/randfill"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/openapi"
	"tidepool.dev/tidepool/engine/api/openapi/embedded"
	"tidepool.dev/tidepool/engine/store"
)

// typeConverter is upstream's, of our OpenAPI documents.
func typeConverter(t *testing.T) upstream.TypeConverter {
	t.Helper()
	schemas := map[string]*spec.Schema{}
	for _, entry := range openapi.Index {
		text, err := embedded.Source(t.Context(), entry.Path)
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			Components struct {
				Schemas map[string]*spec.Schema `json:"schemas"`
			} `json:"components"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		for name, schema := range document.Components.Schemas {
			schemas[name] = schema
		}
	}
	converter, err := upstream.NewTypeConverter(schemas, false)
	if err != nil {
		t.Fatal(err)
	}
	return converter
}

// filler fills objects at random, with few different values so that two often
// have something in common.
func filler(seed int64) *randfill.Filler {
	words := []string{"a", "b", "c", `d"e`, "é", "f/g"}
	return randfill.NewWithSeed(seed).NilChance(0.6).NumElements(0, 2).MaxDepth(12).Funcs(
		func(s *string, c randfill.Continue) { *s = words[c.Intn(len(words))] },
		func(j *apiextensionsv1.JSON, c randfill.Continue) { j.Raw = []byte{'1' + byte(c.Intn(3))} },
		func(i *int32, c randfill.Continue) { *i = int32(c.Intn(3)) },
		func(i *int64, c randfill.Continue) { *i = int64(c.Intn(3)) },
		func(q *resource.Quantity, c randfill.Continue) {
			*q = *resource.NewMilliQuantity(int64(c.Intn(3)*500), resource.DecimalSI)
		},
		func(i *intstr.IntOrString, c randfill.Continue) {
			if c.Bool() {
				*i = intstr.FromInt32(int32(c.Intn(2)))
			} else {
				*i = intstr.FromString("x")
			}
		},
		func(at *metav1.Time, c randfill.Continue) {
			if c.Bool() {
				*at = metav1.Unix(int64(c.Intn(3)), 0)
			}
		},
		func(at *metav1.MicroTime, c randfill.Continue) {
			*at = metav1.NewMicroTime(metav1.Unix(1, int64(c.Intn(2)*1000)).Time)
		},
		func(entries *[]metav1.ManagedFieldsEntry, c randfill.Continue) {},
		func(raw *runtime.RawExtension, c randfill.Continue) { raw.Raw = []byte(`{"a":1}`) },
	)
}

// TestComparesAsUpstream: our comparison finds what that of structured-merge-diff
// finds by the schema that Kubernetes makes of the OpenAPI documents.
func TestComparesAsUpstream(t *testing.T) {
	converter := typeConverter(t)
	for _, k := range append(kinds.All(), kinds.Administrative(nil)...) {
		t.Run(k.Kind, func(t *testing.T) {
			compared := 0
			for seed := range int64(36) {
				live, next := k.New(), k.New()
				filler(seed / 2).Fill(live)
				filler(seed).Fill(next)
				if seed%3 == 0 { // a small change
					next = live.DeepCopyObject().(store.Object)
					alter(rand.New(rand.NewSource(seed)), reflect.ValueOf(next).Elem())
				}
				for _, obj := range []store.Object{live, next} {
					obj.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
				}
				script, ok := compare(nil, typeOf(live), live, next)
				if !ok {
					continue
				}
				want, err := compareUpstream(converter, live, next)
				if err != nil {
					continue // the random object is none, and upstream does not track it
				}
				compared++
				touched, gone, err := sets(typeOf(live), script)
				if err != nil {
					t.Fatal(err)
				}
				if changed := want.Added.Union(want.Modified); !touched.Equals(changed) {
					t.Fatalf("seed %d: touched\n%v\nand upstream has more\n%v\nand not\n%v", seed, touched, changed.Difference(touched), touched.Difference(changed))
				}
				if !gone.Equals(want.Removed) {
					t.Fatalf("seed %d: removed\n%v\nupstream\n%v", seed, gone, want.Removed)
				}
			}
			if compared < 10 {
				t.Errorf("only %d comparisons", compared)
			}
		})
	}
}

func compareUpstream(converter upstream.TypeConverter, live, next runtime.Object) (*typed.Comparison, error) {
	a, err := converter.ObjectToTyped(live, typed.AllowDuplicates)
	if err != nil {
		return nil, err
	}
	b, err := converter.ObjectToTyped(next, typed.AllowDuplicates)
	if err != nil {
		return nil, err
	}
	return a.Compare(b)
}

// alter changes one field somewhere in a struct.
func alter(random *rand.Rand, v reflect.Value) {
	for range 100 {
		f := v.Field(random.Intn(v.NumField()))
		for f.Kind() == reflect.Pointer && !f.IsNil() {
			f = f.Elem()
		}
		switch {
		case f.Type() == reflect.TypeFor[metav1.TypeMeta]():
		case f.Kind() == reflect.Struct && f.NumField() > 0 && f.Type().Field(0).IsExported():
			alter(random, f)
			return
		case f.Kind() == reflect.Slice && f.Len() > 0 && f.Index(0).Kind() == reflect.Struct:
			alter(random, f.Index(0))
			return
		case f.CanSet():
			f.SetZero()
			return
		}
	}
}

// TestSchemasAreUpstreams: the schemas made of Go types read and merge as those
// made of the OpenAPI documents.
func TestSchemasAreUpstreams(t *testing.T) {
	converter := typeConverter(t)
	for _, k := range append(kinds.All(), kinds.Administrative(nil)...) {
		t.Run(k.Kind, func(t *testing.T) {
			for seed := range int64(16) {
				obj := k.New()
				filler(seed).Fill(obj)
				obj.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
				content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
				if err != nil {
					t.Fatal(err)
				}
				ours, err := fieldSet(parseable(typeOf(obj)).FromUnstructured(content))
				theirs, theirErr := fieldSet(converter.ObjectToTyped(&unstructured.Unstructured{Object: content}))
				if (err == nil) != (theirErr == nil) {
					t.Fatalf("seed %d: %v; upstream: %v", seed, err, theirErr)
				}
				if err == nil && !ours.Equals(theirs) {
					t.Fatalf("seed %d: upstream has more\n%v\nand not\n%v", seed, theirs.Difference(ours), ours.Difference(theirs))
				}
			}
		})
	}
}

func fieldSet(value *typed.TypedValue, err error) (*fieldpath.Set, error) {
	if err != nil {
		return nil, err
	}
	return value.ToFieldSet()
}

func TestSetsOfAChangeOfPodStatus(t *testing.T) {
	gvk := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	for _, k := range append(kinds.All(), kinds.Administrative(nil)...) {
		if k.GroupVersionKind != gvk {
			continue
		}
		read := func(text string) store.Object {
			obj := k.New()
			if err := json.Unmarshal([]byte(text), obj); err != nil {
				t.Fatal(err)
			}
			return obj
		}
		live := read(`{"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"True"}]}}`)
		next := read(`{"status":{"phase":"Running","podIPs":[{"ip":"10.0.0.1"}],"conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"False"}]}}`)
		script, ok := compare(nil, typeOf(live), live, next)
		touched, gone, err := sets(typeOf(live), script)
		if !ok || err != nil || !gone.Empty() {
			t.Fatal(ok, err, gone)
		}
		text, _ := touched.ToJSON()
		want := `{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:phase":{},"f:podIPs":{".":{},"k:{\"ip\":\"10.0.0.1\"}":{".":{},"f:ip":{}}}}}`
		if strings.TrimSpace(string(text)) != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
	}
}
