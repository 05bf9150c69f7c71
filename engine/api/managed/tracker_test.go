package managed

import (
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	upstream "k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// nothing is a defaulter that fills in nothing.
type nothing struct{}

func (nothing) Default(runtime.Object) {}

// fieldManager is upstream's, of a kind in its own version.
func fieldManager(t *testing.T, converter upstream.TypeConverter, k *kind.Kind, subresource string) *upstream.FieldManager {
	t.Helper()
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(k.GroupVersionKind, k.New())
	var reset map[fieldpath.APIVersion]fieldpath.Filter
	if paths := k.ResetFields(subresource); len(paths) > 0 {
		out := fieldpath.NewSet()
		for _, path := range paths {
			var p fieldpath.Path
			for _, name := range path {
				p = append(p, fieldpath.PathElement{FieldName: &name})
			}
			out.Insert(p)
		}
		reset = map[fieldpath.APIVersion]fieldpath.Filter{fieldpath.APIVersion(k.GroupVersion().String()): fieldpath.NewExcludeSetFilter(out)}
	}
	manager, err := upstream.NewDefaultFieldManager(converter, scheme, nothing{}, scheme, k.GroupVersionKind, k.GroupVersion(), subresource, reset)
	if err != nil {
		t.Fatal(err)
	}
	return manager
}

// TestTracksAsUpstream: long rows of writes by several managers leave the
// managedFields that k8s.io/apimachinery/pkg/util/managedfields finds.
func TestTracksAsUpstream(t *testing.T) {
	converter := typeConverter(t)
	for _, k := range kinds.All() {
		t.Run(k.Kind, func(t *testing.T) {
			main, status := fieldManager(t, converter, k, ""), fieldManager(t, converter, k, "status")
			for seed := range int64(4) {
				random := rand.New(rand.NewSource(seed))
				tracker := New(clock.NewVirtual(start))
				var ours, theirs store.Object
				for step := range 12 {
					next := nextState(k, random, ours)
					if _, err := converter.ObjectToTyped(next); err != nil {
						continue // random, and no object
					}
					w := Write{Manager: []string{"a", "b", "c"}[random.Intn(3)]}
					manager := main
					if ours != nil && random.Intn(3) == 0 {
						w.Subresource, manager = "status", status
					}
					expected := next.DeepCopyObject().(store.Object)
					live := k.New()
					if theirs != nil {
						live = theirs.DeepCopyObject().(store.Object)
					}
					live.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
					theirs = manager.UpdateNoErrors(live, expected, w.Manager).(store.Object)
					tracker.Update(k, ours, next, w)
					ours = next
					same(t, seed, step, ours, theirs)
				}
			}
		})
	}
}

func nextState(k *kind.Kind, random *rand.Rand, current store.Object) store.Object {
	next := k.New()
	if current == nil || random.Intn(4) == 0 {
		filler(random.Int63()).Fill(next)
	} else {
		next = current.DeepCopyObject().(store.Object)
		alter(random, reflect.ValueOf(next).Elem())
	}
	next.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
	next.SetManagedFields(nil)
	next.SetUID("u")
	if current == nil {
		next.SetUID("")
	}
	return next
}

func same(t *testing.T, seed int64, step int, ours, theirs store.Object) {
	t.Helper()
	texts := func(obj store.Object) (list []string) {
		for _, entry := range obj.GetManagedFields() {
			list = append(list, identityOf(&entry).name()+" "+entry.FieldsV1.GetRawString())
		}
		slices.Sort(list)
		return list
	}
	got, want := texts(ours), texts(theirs)
	if !slices.Equal(got, want) {
		t.Fatalf("seed %d, step %d:\ngot  %q\nwant %q", seed, step, got, want)
	}
}

// TestAppliesAsUpstream: a row of applies and updates of several managers leaves
// the same object, managers and conflicts.
func TestAppliesAsUpstream(t *testing.T) {
	converter := typeConverter(t)
	for _, k := range kinds.All() {
		t.Run(k.Kind, func(t *testing.T) {
			upstreams := fieldManager(t, converter, k, "")
			applied, conflicts := 0, 0
			for seed := range int64(8) {
				random := rand.New(rand.NewSource(seed))
				tracker := New(clock.NewVirtual(start))
				ours, theirs := k.New(), k.New()
				for _, obj := range []store.Object{ours, theirs} {
					obj.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
				}
				for step := range 8 {
					wanted := nextState(k, random, nil)
					content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
					if err != nil {
						t.Fatal(err)
					}
					config := &unstructured.Unstructured{Object: content}
					unstructured.RemoveNestedField(content, "metadata", "managedFields")
					w, force := Write{Manager: []string{"a", "b", "kubectl"}[random.Intn(3)]}, random.Intn(2) == 0
					next, err := tracker.Apply(k, ours, config.DeepCopy(), force, w)
					expected, theirErr := upstreams.Apply(theirs.DeepCopyObject(), config.DeepCopy(), w.Manager, force)
					if (err == nil) != (theirErr == nil) {
						t.Fatalf("seed %d, step %d: %v; upstream: %v", seed, step, err, theirErr)
					}
					if err != nil {
						conflicts++
						continue
					}
					applied++
					ours, theirs = next, expected.(store.Object)
					same(t, seed, step, ours, theirs)
					ours.SetUID("u")
					theirs.SetUID("u")
					a, b := ours.DeepCopyObject().(store.Object), theirs.DeepCopyObject().(store.Object)
					a.SetManagedFields(nil)
					b.SetManagedFields(nil)
					if !reflect.DeepEqual(a, b) {
						t.Fatalf("seed %d, step %d: got %v\nwant %v", seed, step, a, b)
					}
				}
			}
			if applied < 5 || conflicts < 5 {
				t.Errorf("%d applied, %d did not", applied, conflicts)
			}
		})
	}
}

// TestTimesAreOfTheLastChange: a manager's time is that of its last write that
// changed something, and others keep theirs.
func TestTimesAreOfTheLastChange(t *testing.T) {
	virtual := clock.NewVirtual(start)
	tracker := New(virtual)
	k := kinds.All()[0] // ConfigMaps
	write := func(live store.Object, manager string, labels map[string]string) store.Object {
		virtual.Set(virtual.Now().Add(time.Minute))
		next := k.New()
		next.SetLabels(labels)
		tracker.Update(k, live, next, Write{Manager: manager})
		return next
	}
	first := write(nil, "a", map[string]string{"x": "1"})
	second := write(first, "b", map[string]string{"x": "1", "y": "1"})
	third := write(second, "b", map[string]string{"x": "1", "y": "2"})
	fourth := write(third, "b", map[string]string{"x": "1", "y": "2"})
	var got []string
	for _, entry := range fourth.GetManagedFields() {
		got = append(got, entry.Manager+" "+entry.Time.Format("15:04"))
	}
	if want := []string{"a 00:01", "b 00:03"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestManagerOf(t *testing.T) {
	for _, test := range []struct{ manager, agent, want string }{
		{"me", "kubectl/v1", "me"},
		{"", "kubectl/v1.32 (linux/amd64)", "kubectl"},
		{"a\xffb", "", "a\uFFFDb"},
		{"", "a\x01b", "ab"},
		{"", "", ""},
	} {
		if got := ManagerOf(test.manager, test.agent); got != test.want {
			t.Errorf("%q, %q: got %q", test.manager, test.agent, got)
		}
	}
}
