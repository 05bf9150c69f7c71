package rest_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type fixture struct {
	testing.TB
	*rest.Operations
	ctx   context.Context
	clock *clock.Virtual
}

// newFixture is a bootstrapped API with a service account in the default
// namespace.
func newFixture(t testing.TB) *fixture {
	virtual := clock.NewVirtual(start)
	o := rest.New(store.NewMemory(0), virtual, rand.New(rand.NewPCG(1, 0)), kinds.All())
	f := &fixture{TB: t, Operations: o, ctx: context.Background(), clock: virtual}
	if err := o.Bootstrap(f.ctx); err != nil {
		t.Fatal(err)
	}
	f.create("serviceaccounts", &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
	return f
}

func (f *fixture) create(resource string, obj store.Object) store.Object {
	f.Helper()
	k, _ := f.Kind(resource)
	created, err := f.Create(f.ctx, k, obj, rest.WriteOptions{})
	if err != nil {
		f.Fatal(err)
	}
	return created
}

func newPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "nginx"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "nginx", Image: "nginx:1.14.2", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
		}}},
	}
}

func TestCreateFillsInWhatTheServerSets(t *testing.T) {
	f := newFixture(t)
	pod := f.create("pods", newPod("web")).(*corev1.Pod)
	if pod.UID == "" || !pod.CreationTimestamp.Equal(&metav1.Time{Time: start}) || pod.ResourceVersion == "" || pod.Kind != "Pod" {
		t.Errorf("metadata: %+v %+v", pod.TypeMeta, pod.ObjectMeta)
	}
	if pod.Spec.ServiceAccountName != "default" || *pod.Spec.Priority != 0 || len(pod.Spec.Tolerations) != 2 {
		t.Errorf("admission: %+v", pod.Spec)
	}
	mounts := pod.Spec.Containers[0].VolumeMounts
	if len(mounts) != 1 || mounts[0].Name != pod.Spec.Volumes[0].Name || !strings.HasPrefix(mounts[0].Name, "kube-api-access-") {
		t.Errorf("token: %v", mounts)
	}
}

func TestErrorsAreWordedAsKubernetesWordsThem(t *testing.T) {
	f := newFixture(t)
	pods, _ := f.Kind("pods")
	maps, _ := f.Kind("configmaps")
	namespaces, _ := f.Kind("namespaces")
	configMap := func(namespace string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "x"}}
	}
	terminating := f.create("namespaces", &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ending"}})
	if _, _, err := f.Delete(f.ctx, namespaces, "", terminating.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	first := f.create("configmaps", configMap("default"))
	stale := first.DeepCopyObject().(*corev1.ConfigMap)
	changed := first.DeepCopyObject().(*corev1.ConfigMap)
	changed.Data = map[string]string{"a": "b"}
	if _, err := f.Update(f.ctx, maps, "default", "x", rest.Main, rest.Replace(changed), rest.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	other := types.UID("other")
	for _, test := range []struct {
		name string
		call func() error
		want string
	}{
		{"absent", func() error { _, err := f.Get(f.ctx, pods, "default", "web"); return err },
			`pods "web" not found`},
		{"taken", func() error { _, err := f.Create(f.ctx, maps, configMap("default"), rest.WriteOptions{}); return err },
			`configmaps "x" already exists`},
		{"stale", func() error {
			stale.Data = map[string]string{"c": "d"}
			_, err := f.Update(f.ctx, maps, "default", "x", rest.Main, rest.Replace(stale), rest.WriteOptions{})
			return err
		}, `Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your changes to the latest version and try again`},
		{"no such namespace", func() error { _, err := f.Create(f.ctx, maps, configMap("nowhere"), rest.WriteOptions{}); return err },
			`namespaces "nowhere" not found`},
		{"ending namespace", func() error { _, err := f.Create(f.ctx, maps, configMap("ending"), rest.WriteOptions{}); return err },
			`configmaps "x" is forbidden: unable to create new content in namespace ending because it is being terminated`},
		{"protected namespace", func() error {
			_, _, err := f.Delete(f.ctx, namespaces, "", "default", metav1.DeleteOptions{})
			return err
		},
			`namespaces "default" is forbidden: this namespace may not be deleted`},
		{"precondition", func() error {
			_, _, err := f.Delete(f.ctx, maps, "default", "x", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}})
			return err
		}, `Operation cannot be fulfilled on ConfigMap "x": the UID in the precondition (other) does not match the UID in record (` + string(first.GetUID()) + `). The object might have been deleted and then recreated`},
		{"no name", func() error {
			_, err := f.Create(f.ctx, maps, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default"}}, rest.WriteOptions{})
			return err
		}, `ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.call(); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestUpdateOfNothingWritesNothing(t *testing.T) {
	f := newFixture(t)
	pods, _ := f.Kind("pods")
	pod := f.create("pods", newPod("web"))
	same, err := f.Update(f.ctx, pods, "default", "web", rest.Main, rest.Replace(pod.DeepCopyObject().(store.Object)), rest.WriteOptions{})
	if err != nil || same.GetResourceVersion() != pod.GetResourceVersion() {
		t.Errorf("got revision %v, %v; want %s", same, err, pod.GetResourceVersion())
	}
}

func TestFinalizersKeepADeletedObject(t *testing.T) {
	f := newFixture(t)
	maps, _ := f.Kind("configmaps")
	f.create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "x", Finalizers: []string{"example.com/wait"}}})
	last, gone, err := f.Delete(f.ctx, maps, "default", "x", metav1.DeleteOptions{})
	if err != nil || gone || last.GetDeletionTimestamp() == nil {
		t.Fatalf("got %v, %v, %v", last, gone, err)
	}
	next := last.DeepCopyObject().(store.Object)
	next.SetFinalizers(nil)
	if _, err := f.Update(f.ctx, maps, "default", "x", rest.Main, rest.Replace(next), rest.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(f.ctx, maps, "default", "x"); !apierrors.IsNotFound(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestWatchSeesThroughItsSelector(t *testing.T) {
	f := newFixture(t)
	maps, _ := f.Kind("configmaps")
	selector, err := labels.Parse("on")
	if err != nil {
		t.Fatal(err)
	}
	watch, err := f.OpenWatch(f.ctx, maps, "", rest.WatchOptions{ListOptions: rest.ListOptions{Labels: selector}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	current := f.create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "x"}})
	for _, set := range []map[string]string{{"on": ""}, {"on": "", "more": ""}, nil, {"on": ""}} {
		next := current.DeepCopyObject().(store.Object)
		next.SetLabels(set)
		if current, err = f.Update(f.ctx, maps, "default", "x", rest.Main, rest.Replace(next), rest.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := f.Delete(f.ctx, maps, "default", "x", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	events, err := watch.Next()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, event := range events {
		got = append(got, string(event.Type))
	}
	if want := "ADDED MODIFIED DELETED ADDED DELETED"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestListPages(t *testing.T) {
	f := newFixture(t)
	maps, _ := f.Kind("configmaps")
	selector, _ := labels.Parse("even")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		set := map[string]string{}
		if name == "b" || name == "d" {
			set["even"] = ""
		}
		f.create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: set}})
	}
	for _, test := range []struct {
		name string
		opts rest.ListOptions
		want string
	}{
		{"everything", rest.ListOptions{Limit: 2}, "a b|c d|e"},
		{"selected", rest.ListOptions{Limit: 1, Labels: selector}, "b|d"},
		{"at once", rest.ListOptions{}, "a b c d e"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var pages []string
			for {
				page, err := f.List(f.ctx, maps, "default", test.opts)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, obj := range page.Items {
					names = append(names, obj.GetName())
				}
				pages = append(pages, strings.Join(names, " "))
				if page.Continue == "" {
					break
				}
				test.opts.Continue = page.Continue
			}
			if got := strings.Join(pages, "|"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func BenchmarkCreatePod(b *testing.B) {
	f := newFixture(b)
	pods, _ := f.Kind("pods")
	for b.Loop() {
		pod := newPod("")
		pod.GenerateName = "web-"
		if _, err := f.Create(f.ctx, pods, pod, rest.WriteOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdatePodStatus(b *testing.B) {
	f := newFixture(b)
	client := f.Client("bench")
	current := f.create("pods", newPod("web")).(*corev1.Pod)
	for i := int64(0); b.Loop(); i++ {
		next := *current
		next.Status.Phase = corev1.PodRunning
		next.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, ObservedGeneration: i}}
		written, err := client.UpdateStatus(f.ctx, "pods", &next)
		if err != nil {
			b.Fatal(err)
		}
		current = written.(*corev1.Pod)
	}
}
