package store_test

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
	"tidepool.dev/tidepool/engine/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Interface { return store.NewMemory(0) })
}

// TestMemoryForgets: the memory store compacts by itself what is behind its
// history, and remembers at least as much as it promises.
func TestMemoryForgets(t *testing.T) {
	const keep = 8
	m := store.NewMemory(keep)
	for i := range 10 * keep {
		key := store.Key{Resource: "configmaps", Namespace: "a", Name: fmt.Sprint(i)}
		obj := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: key.Name}}
		if _, err := m.Create(t.Context(), key, obj); err != nil {
			t.Fatal(err)
		}
	}
	newest, _ := m.Revision(t.Context())
	if _, err := m.Watch("", "", newest-keep, nil); err != nil {
		t.Errorf("the latest %d writes: %v", keep, err)
	}
	if _, err := m.Watch("", "", newest-2*keep, nil); !errors.Is(err, store.ErrCompacted) {
		t.Errorf("got error %v, want that the start is compacted", err)
	}
}

func BenchmarkMemoryUpdate(b *testing.B) {
	m := store.NewMemory(0)
	key := store.Key{Resource: "pods", Namespace: "default", Name: "web"}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	if _, err := m.Create(b.Context(), key, pod); err != nil {
		b.Fatal(err)
	}
	revision, _ := m.Revision(b.Context())
	for b.Loop() {
		next := *pod
		if _, err := m.Update(b.Context(), key, &next, revision); err != nil {
			b.Fatal(err)
		}
		revision++
	}
}
