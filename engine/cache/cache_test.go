package cache_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/store"
)

var pods = []string{"pods"}

func pod(namespace, name, node, owner string) *corev1.Pod {
	controls := true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: types.UID("uid-" + name),
			OwnerReferences: []metav1.OwnerReference{{UID: types.UID(owner), Controller: &controls}},
		},
		Spec: corev1.PodSpec{NodeName: node},
	}
}

func create(t *testing.T, s store.Interface, obj *corev1.Pod) store.Object {
	t.Helper()
	created, err := s.Create(t.Context(), store.Key{Resource: "pods", Namespace: obj.Namespace, Name: obj.Name}, obj)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func sync(t *testing.T, c *cache.Cache) (changes []string) {
	t.Helper()
	events, err := c.Sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events {
		changes = append(changes, fmt.Sprint(event.Type, " ", event.Key.Name))
	}
	return changes
}

func names(pods []*corev1.Pod) (names []string) {
	for _, pod := range pods {
		names = append(names, pod.Namespace+"/"+pod.Name)
	}
	return names
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestCacheFollowsTheStore(t *testing.T) {
	s := store.NewMemory(0)
	create(t, s, pod("b", "one", "node-1", "rs"))
	c, err := cache.New(t.Context(), s, pods, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "first sync", sync(t, c), []string{"ADDED one"})
	two := create(t, s, pod("a", "two", "", "rs"))
	bound := pod("a", "two", "node-1", "rs")
	if _, err := s.Update(context.Background(), store.Key{Resource: "pods", Namespace: "a", Name: "two"}, bound, store.RevisionOf(two)); err != nil {
		t.Fatal(err)
	}
	create(t, s, pod("b", "three", "node-2", "other"))
	equal(t, "second sync", sync(t, c), []string{"ADDED two", "MODIFIED two", "ADDED three"})
	equal(t, "third sync", sync(t, c), nil)

	equal(t, "all", names(cache.List[*corev1.Pod](c, "pods", "")), []string{"a/two", "b/one", "b/three"})
	equal(t, "namespace b", names(cache.List[*corev1.Pod](c, "pods", "b")), []string{"b/one", "b/three"})
	equal(t, "node-1", names(cache.Find[*corev1.Pod](c, "pods", cache.ByNode, "node-1")), []string{"a/two", "b/one"})
	equal(t, "controlled", names(cache.Find[*corev1.Pod](c, "pods", cache.ByController, "rs")), []string{"a/two", "b/one"})
	equal(t, "owned", names(cache.Find[*corev1.Pod](c, "pods", cache.ByOwner, "other")), []string{"b/three"})
	equal(t, "by UID", names(cache.Find[*corev1.Pod](c, "pods", cache.ByUID, "uid-two")), []string{"a/two"})
	if _, ok := cache.Get[*corev1.Pod](c, "pods", "a", "absent"); ok {
		t.Error("found an absent object")
	}

	if _, err := s.Delete(t.Context(), store.Key{Resource: "pods", Namespace: "a", Name: "two"}, store.RevisionOf(bound)); err != nil {
		t.Fatal(err)
	}
	equal(t, "deletion", sync(t, c), []string{"DELETED two"})
	equal(t, "node-1", names(cache.Find[*corev1.Pod](c, "pods", cache.ByNode, "node-1")), []string{"b/one"})
	equal(t, "by UID", names(cache.Find[*corev1.Pod](c, "pods", cache.ByUID, "uid-two")), nil)
}

// TestCacheResyncs: a cache that fell behind the store's compaction starts again
// and tells the differences.
func TestCacheResyncs(t *testing.T) {
	s := store.NewMemory(0)
	kept := create(t, s, pod("a", "kept", "", ""))
	gone := create(t, s, pod("a", "gone", "", ""))
	changed := create(t, s, pod("a", "changed", "", ""))
	c, err := cache.New(t.Context(), s, pods, nil)
	if err != nil {
		t.Fatal(err)
	}
	sync(t, c)
	if _, err := s.Delete(t.Context(), store.Key{Resource: "pods", Namespace: "a", Name: "gone"}, store.RevisionOf(gone)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), store.Key{Resource: "pods", Namespace: "a", Name: "changed"}, pod("a", "changed", "node-1", ""), store.RevisionOf(changed)); err != nil {
		t.Fatal(err)
	}
	create(t, s, pod("a", "new", "", ""))
	newest, _ := s.Revision(t.Context())
	if err := s.Compact(t.Context(), newest); err != nil {
		t.Fatal(err)
	}
	equal(t, "resync", sync(t, c), []string{"MODIFIED changed", "ADDED new", "DELETED gone"})
	equal(t, "all", names(cache.List[*corev1.Pod](c, "pods", "")), []string{"a/changed", "a/kept", "a/new"})
	if got, _ := cache.Get[*corev1.Pod](c, "pods", "a", "kept"); got != kept {
		t.Error("the unchanged object was replaced")
	}
	create(t, s, pod("a", "later", "", ""))
	equal(t, "afterwards", sync(t, c), []string{"ADDED later"})
}
