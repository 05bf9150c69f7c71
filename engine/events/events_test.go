package events

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// memoryClient is as much of an API as a recorder uses, over a real store.
type memoryClient struct {
	client.Client
	store store.Interface
}

func keyOf(obj store.Object) store.Key {
	return store.Key{Resource: resource, Namespace: obj.GetNamespace(), Name: obj.GetName()}
}

func (c memoryClient) Get(ctx context.Context, _, namespace, name string) (store.Object, error) {
	obj, err := c.store.Get(ctx, store.Key{Resource: resource, Namespace: namespace, Name: name})
	if err != nil {
		return nil, errors.NewNotFound(schema.GroupResource{Resource: resource}, name)
	}
	return obj, nil
}

func (c memoryClient) Create(ctx context.Context, _ string, obj store.Object) (store.Object, error) {
	created, err := c.store.Create(ctx, keyOf(obj), obj)
	if err != nil {
		return nil, errors.NewAlreadyExists(schema.GroupResource{Resource: resource}, obj.GetName())
	}
	return created, nil
}

func (c memoryClient) Update(ctx context.Context, _ string, obj store.Object) (store.Object, error) {
	return c.store.Update(ctx, keyOf(obj), obj, store.RevisionOf(obj))
}

type fixture struct {
	*testing.T
	store    *store.Memory
	clock    *clock.Virtual
	recorder Recorder
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{T: t, store: store.NewMemory(0), clock: clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	f.recorder = NewRecorder(memoryClient{store: f.store}, f.clock, "test-controller", "")
	return f
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name, UID: "1"},
	}
}

func (f *fixture) record(name, reason, message string) { f.recordAt("", name, reason, message) }

func (f *fixture) recordAt(fieldPath, name, reason, message string) {
	f.recorder.EventAt(f.Context(), pod(name), fieldPath, corev1.EventTypeNormal, reason, message)
}

func (f *fixture) warn(name, reason, message string) {
	f.recorder.Event(f.Context(), pod(name), corev1.EventTypeWarning, reason, message)
}

func (f *fixture) recorded() (texts []string) {
	list, err := f.store.List(f.Context(), resource, "", store.ListOptions{})
	if err != nil {
		f.Fatal(err)
	}
	for _, obj := range list.Items {
		event := obj.(*corev1.Event)
		texts = append(texts, fmt.Sprintf("%s %s ×%d", event.Reason, event.Message, event.Count))
	}
	return texts
}

func TestRecorder(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*fixture)
		want []string
	}{
		{"an event is recorded", func(f *fixture) {
			f.record("web", "Started", "it runs")
		}, []string{"Started it runs ×1"}},
		{"a repeated event is counted", func(f *fixture) {
			for range 3 {
				f.record("web", "BackOff", "waiting")
				f.clock.Set(f.clock.Now().Add(time.Second))
			}
		}, []string{"BackOff waiting ×3"}},
		{"different events at the same instant are apart", func(f *fixture) {
			f.record("web", "Created", "made")
			f.record("web", "Started", "runs")
		}, []string{"Created made ×1", "Started runs ×1"}},
		{"the tenth similar event and later ones are combined", func(f *fixture) {
			for i := range 12 {
				f.record("web", "SuccessfulCreate", fmt.Sprint("pod ", i))
			}
		}, []string{
			"SuccessfulCreate pod 0 ×1", "SuccessfulCreate pod 1 ×1", "SuccessfulCreate pod 2 ×1",
			"SuccessfulCreate pod 3 ×1", "SuccessfulCreate pod 4 ×1", "SuccessfulCreate pod 5 ×1",
			"SuccessfulCreate pod 6 ×1", "SuccessfulCreate pod 7 ×1", "SuccessfulCreate pod 8 ×1",
			"SuccessfulCreate (combined from similar events): pod 11 ×3",
		}},
		{"a flood is muted after the burst", func(f *fixture) {
			for range 100 {
				f.record("web", "Unhealthy", "probe failed")
			}
		}, []string{"Unhealthy probe failed ×25"}},
		{"a muted object may speak again later, and tells how often it was seen", func(f *fixture) {
			for range 100 {
				f.record("web", "Unhealthy", "probe failed")
			}
			f.clock.Set(f.clock.Now().Add(refill))
			for range 2 {
				f.record("web", "Unhealthy", "probe failed")
			}
		}, []string{"Unhealthy probe failed ×101"}}, // as kubectl shows it: it was seen so often
		{"a flood of one type leaves the other to be heard", func(f *fixture) {
			for range 100 {
				f.record("web", "Unhealthy", "probe failed")
			}
			f.warn("web", "Failed", "no image")
		}, []string{"Unhealthy probe failed ×25", "Failed no image ×1"}},
		{"what was seen long ago is counted on", func(f *fixture) {
			for range 2 {
				f.record("web", "BackOff", "waiting")
				f.clock.Set(f.clock.Now().Add(2 * similarInterval))
			}
		}, []string{"BackOff waiting ×2"}},
		{"containers' similar events are combined", func(f *fixture) {
			for i := range 11 {
				f.recordAt(fmt.Sprintf("spec.containers{%d}", i), "web", "Pulled", fmt.Sprint("image ", i))
			}
		}, []string{
			"Pulled image 0 ×1", "Pulled image 1 ×1", "Pulled image 2 ×1", "Pulled image 3 ×1", "Pulled image 4 ×1",
			"Pulled image 5 ×1", "Pulled image 6 ×1", "Pulled image 7 ×1", "Pulled image 8 ×1",
			"Pulled (combined from similar events): image 10 ×2",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			test.run(f)
			if got := f.recorded(); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestRecorderNamesTheObject(t *testing.T) {
	f := newFixture(t)
	node := &corev1.Node{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}, ObjectMeta: metav1.ObjectMeta{Name: "node-1", UID: "u"}}
	f.recorder.EventAt(f.Context(), node, "spec", corev1.EventTypeWarning, "Odd", "odd")
	list, err := f.store.List(f.Context(), resource, metav1.NamespaceDefault, store.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("an event about a node is not in the default namespace: %v, %v", list.Items, err)
	}
	event := list.Items[0].(*corev1.Event)
	want := corev1.ObjectReference{Kind: "Node", APIVersion: "v1", Name: "node-1", UID: "u", FieldPath: "spec"}
	if event.InvolvedObject != want {
		t.Errorf("got %v, want %v", event.InvolvedObject, want)
	}
	if event.Source.Component != "test-controller" || event.ReportingController != "test-controller" {
		t.Errorf("got source %v, reporting controller %q", event.Source, event.ReportingController)
	}
	if want := fmt.Sprintf("node-1.%x", f.clock.Now().UnixNano()); event.Name != want {
		t.Errorf("got name %q, want %q", event.Name, want)
	}
}

// TestRecorderSurvivesExpiry: an event that was deleted in the meantime is
// recorded anew.
func TestRecorderSurvivesExpiry(t *testing.T) {
	f := newFixture(t)
	f.record("web", "BackOff", "waiting")
	list, _ := f.store.List(t.Context(), resource, "", store.ListOptions{})
	if _, err := f.store.Delete(t.Context(), keyOf(list.Items[0]), store.RevisionOf(list.Items[0])); err != nil {
		t.Fatal(err)
	}
	f.record("web", "BackOff", "waiting")
	if got, want := f.recorded(), []string{"BackOff waiting ×2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
