package patch

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kjson "sigs.k8s.io/json"
)

// compare merges by this package and by upstream's, which must agree.
func compare(t *testing.T, dataStruct any, original, patch string) {
	t.Helper()
	want, wantErr := strategicpatch.StrategicMergeMapPatch(parse(t, original), parse(t, patch), dataStruct)
	got, err := mergeObject(parse(t, original), parse(t, patch), reflect.TypeOf(dataStruct).Elem())
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("error %v, upstream %v\noriginal %s\npatch %s", err, wantErr, original, patch)
	}
	if err != nil {
		if err.Error() != wantErr.Error() {
			t.Errorf("error %q, upstream %q", err, wantErr)
		}
		return
	}
	if text, wanted := show(t, got), show(t, want); text != wanted {
		t.Fatalf("original %s\npatch    %s\ngot      %s\nupstream %s", original, patch, text, wanted)
	}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	fields := map[string]any{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &fields); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return fields
}

func show(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const podWith = `{"metadata":{"name":"p","labels":{"a":"b","c":"d"},"finalizers":["x/a","x/b","x/c"]},"spec":{"nodeName":"n",` +
	`"containers":[{"name":"a","image":"a:1","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]},{"name":"b","image":"b:1"},{"name":"c"}],` +
	`"tolerations":[{"key":"k","operator":"Exists"}],"volumes":[{"name":"v","emptyDir":{}},{"name":"w","secret":{"secretName":"s"}}]}}`

func TestStrategicMerge(t *testing.T) {
	tests := map[string]string{
		"nothing":               `{}`,
		"scalar":                `{"spec":{"nodeName":"m"}}`,
		"delete a field":        `{"spec":{"nodeName":null}}`,
		"delete what is absent": `{"spec":{"hostname":null,"dnsConfig":{"nameservers":null}}}`,
		"merge a map":           `{"metadata":{"labels":{"a":null,"e":"f"}}}`,
		"replace a map":         `{"metadata":{"labels":{"$patch":"replace","e":"f"}}}`,
		"delete a map":          `{"metadata":{"labels":{"$patch":"delete"}}}`,
		"merge by key":          `{"spec":{"containers":[{"name":"b","image":"b:2"}]}}`,
		"new element":           `{"spec":{"containers":[{"name":"d","image":"d:1"}]}}`,
		"both":                  `{"spec":{"containers":[{"name":"d"},{"name":"b","command":["x"]}]}}`,
		"deep by key":           `{"spec":{"containers":[{"name":"a","env":[{"name":"Y","value":"3"},{"name":"Z","value":"4"}]}]}}`,
		"delete by key":         `{"spec":{"containers":[{"name":"b","$patch":"delete"}]}}`,
		"delete absent by key":  `{"spec":{"containers":[{"name":"z","$patch":"delete"}]}}`,
		"replace a list":        `{"spec":{"containers":[{"$patch":"replace"},{"name":"z"}]}}`,
		"atomic list":           `{"spec":{"tolerations":[{"key":"l"}]}}`,
		"set of scalars":        `{"metadata":{"finalizers":["x/d","x/b"]}}`,
		"delete scalars":        `{"metadata":{"$deleteFromPrimitiveList/finalizers":["x/a","x/c"]}}`,
		"order of objects":      `{"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"},{"name":"d"}],"containers":[{"name":"d"}]}}`,
		"order alone":           `{"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"b"},{"name":"a"}]}}`,
		"order with deletion":   `{"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}],"containers":[{"name":"b","$patch":"delete"}]}}`,
		"order of scalars":      `{"metadata":{"$setElementOrder/finalizers":["x/c","x/e","x/a"],"finalizers":["x/e"]}}`,
		"order of a new list":   `{"spec":{"$setElementOrder/initContainers":[{"name":"i"},{"name":"j"}],"initContainers":[{"name":"i"},{"name":"j"}]}}`,
		"order of nothing":      `{"spec":{"$setElementOrder/initContainers":[{"name":"i"}]}}`,
		"retain keys":           `{"spec":{"volumes":[{"name":"w","$retainKeys":["name","configMap"],"configMap":{"name":"m"}}]}}`,
		"new with directives":   `{"spec":{"initContainers":[{"name":"i","$patch":"delete"},{"name":"j","env":null}]}}`,
		"other type":            `{"spec":"none"}`,
		"list for a map":        `{"metadata":{"labels":["a"]}}`,
		"bad directive":         `{"metadata":{"$patch":"destroy"}}`,
		"bad element directive": `{"spec":{"containers":[{"name":"a","$patch":"destroy"}]}}`,
		"merge directive":       `{"spec":{"containers":[{"name":"a","$patch":"merge"}]}}`,
		"no merge key":          `{"spec":{"containers":[{"image":"x"}]}}`,
		"delete without key":    `{"spec":{"containers":[{"$patch":"delete"}]}}`,
		"retain too few":        `{"spec":{"volumes":[{"name":"w","$retainKeys":["name"],"configMap":{"name":"m"}}]}}`,
		"retain nonsense":       `{"spec":{"volumes":[{"name":"w","$retainKeys":"name"}]}}`,
		"order nonsense":        `{"spec":{"$setElementOrder/containers":"name"}}`,
		"order without a list":  `{"spec":{"$setElementOrder":[]}}`,
		"order disagrees":       `{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"d"}]}}`,
		"order of unknown":      `{"spec":{"$setElementOrder/things":[]}}`,
		"deletion from unnamed": `{"metadata":{"$deleteFromPrimitiveList":["x"]}}`,
		"mixed list":            `{"spec":{"containers":[{"name":"a"},"b"]}}`,
		"list of lists":         `{"metadata":{"finalizers":[["x"]]}}`,
	}
	for name, patch := range tests {
		t.Run(name, func(t *testing.T) { compare(t, &corev1.Pod{}, podWith, patch) })
	}
}

// Values that cannot be compared are no reason to panic, as upstream does.
func TestStrategicMergeNeverPanics(t *testing.T) {
	for _, patch := range []string{
		`{"metadata":{"finalizers":[{"a":"b"}]}}`,
		`{"metadata":{"finalizers":[null]}}`,
		`{"spec":{"containers":[null]}}`,
		`{"spec":{"containers":[{"name":{"a":"b"}}]}}`,
		`{"spec":{"containers":[{"name":{"a":"b"},"$patch":"delete"}]}}`,
		`{"spec":{"$setElementOrder/containers":[{"name":{}}],"containers":[{"name":{}}]}}`,
		`{"spec":{"$setElementOrder/containers":["a"]}}`,
		`{"spec":{"volumes":[{"name":"w","$retainKeys":[{}]}]}}`,
		`{"metadata":{"$deleteFromPrimitiveList/finalizers":[{}]}}`,
		`{"spec":{"containers":{"$patch":{}}}}`,
	} {
		_, _ = mergeObject(parse(t, podWith), parse(t, patch), reflect.TypeFor[corev1.Pod]())
	}
}

// TestStrategicMergeAtRandom turns one random Deployment into another by the
// patch that kubectl would make, and compares with upstream's merge.
func TestStrategicMergeAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		from, to, other := randomDeployment(random), randomDeployment(random), randomDeployment(random)
		patch, err := strategicpatch.CreateTwoWayMergePatch([]byte(from), []byte(to), &appsv1.Deployment{})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, &appsv1.Deployment{}, from, string(patch))
		compare(t, &appsv1.Deployment{}, other, string(patch)) // as if somebody had changed it meanwhile
	}
}

func randomDeployment(random *rand.Rand) string {
	object := map[string]any{
		"metadata": map[string]any{"name": "web", "labels": randomStrings(random), "finalizers": randomSet(random, "example.com/")},
		"spec": map[string]any{
			"replicas": random.IntN(3),
			"template": map[string]any{"spec": map[string]any{
				"containers":  randomNamed(random, 2),
				"volumes":     randomNamed(random, 0),
				"tolerations": []any{map[string]any{"key": fmt.Sprint(random.IntN(3))}},
			}},
		},
	}
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func randomStrings(random *rand.Rand) map[string]any {
	fields := map[string]any{}
	for range random.IntN(4) {
		fields[fmt.Sprint("k", random.IntN(4))] = fmt.Sprint("v", random.IntN(3))
	}
	return fields
}

func randomSet(random *rand.Rand, prefix string) []any {
	list := []any{}
	for _, i := range random.Perm(5)[:random.IntN(5)] {
		list = append(list, fmt.Sprint(prefix, i))
	}
	return list
}

func randomNamed(random *rand.Rand, nested int) []any {
	list := []any{}
	for _, i := range random.Perm(5)[:random.IntN(5)] {
		element := map[string]any{"name": fmt.Sprint("n", i)}
		if nested > 0 {
			element["image"] = fmt.Sprint("image:", random.IntN(3))
			element["env"] = randomEnv(random)
			element["command"] = randomSet(random, "arg")
		} else if random.IntN(2) == 0 {
			element["emptyDir"] = map[string]any{}
		} else {
			element["secret"] = map[string]any{"secretName": fmt.Sprint("s", random.IntN(2))}
		}
		list = append(list, element)
	}
	return list
}

func randomEnv(random *rand.Rand) []any {
	list := []any{}
	for _, i := range random.Perm(4)[:random.IntN(4)] {
		list = append(list, map[string]any{"name": fmt.Sprint("E", i), "value": fmt.Sprint(random.IntN(2))})
	}
	return list
}
