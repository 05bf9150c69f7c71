// Package storetest is the behavioural suite of store.Interface: every
// implementation passes it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

// Run tests the stores that open returns, each of them empty.
func Run(t *testing.T, open func(t *testing.T) store.Interface) {
	for _, test := range []struct {
		name string
		run  func(*harness)
	}{
		{"create, get, update and delete", testLifecycle},
		{"a write fails without a change", testFailedWrites},
		{"one revision per write", testRevisions},
		{"stored objects never change", testImmutability},
		{"lists are ordered and paged", testListPages},
		{"lists show an earlier revision", testListRevision},
		{"a watch delivers every change in order", testWatchOrder},
		{"a watch selects resource and namespace", testWatchSelection},
		{"a watch starts in the past", testWatchPast},
		{"a watch wakes once until it is drained", testWatchWake},
		{"a watch's revision passes what it does not select", testWatchBookmark},
		{"a limited watch goes on where it stopped", testWatchLimit},
		{"a stopped watch sleeps", testWatchStop},
		{"compaction ends what needs the past", testCompaction},
		{"the future is refused", testFuture},
		{"writes carry their cause", testCause},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(&harness{T: t, store: open(t), ctx: t.Context()})
		})
	}
}

type harness struct {
	*testing.T
	store store.Interface
	ctx   context.Context
}

const maps = "configmaps"

func key(namespace, name string) store.Key {
	return store.Key{Resource: maps, Namespace: namespace, Name: name}
}

func object(namespace, name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Data:       map[string]string{"value": value},
	}
}

func text(obj store.Object) string {
	return fmt.Sprintf("%s/%s=%s", obj.GetNamespace(), obj.GetName(), obj.(*corev1.ConfigMap).Data["value"])
}

func (h *harness) must(obj store.Object, err error) store.Object {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
	return obj
}

func (h *harness) fails(want error, _ any, err error) {
	h.Helper()
	if !errors.Is(err, want) {
		h.Errorf("got error %v, want %v", err, want)
	}
}

func (h *harness) create(namespace, name, value string) store.Object {
	h.Helper()
	return h.must(h.store.Create(h.ctx, key(namespace, name), object(namespace, name, value)))
}

func (h *harness) update(old store.Object, value string) store.Object {
	h.Helper()
	namespace, name := old.GetNamespace(), old.GetName()
	return h.must(h.store.Update(h.ctx, key(namespace, name), object(namespace, name, value), store.RevisionOf(old)))
}

func (h *harness) delete(old store.Object) store.Object {
	h.Helper()
	return h.must(h.store.Delete(h.ctx, key(old.GetNamespace(), old.GetName()), store.RevisionOf(old)))
}

func (h *harness) list(namespace string, opts store.ListOptions) (texts []string, list store.List) {
	h.Helper()
	list, err := h.store.List(h.ctx, maps, namespace, opts)
	if err != nil {
		h.Fatal(err)
	}
	for _, obj := range list.Items {
		texts = append(texts, text(obj))
	}
	return texts, list
}

func (h *harness) revision() int64 {
	h.Helper()
	revision, err := h.store.Revision(h.ctx)
	if err != nil {
		h.Fatal(err)
	}
	return revision
}

func (h *harness) watch(resource, namespace string, from int64, wake func()) store.Watcher {
	h.Helper()
	watcher, err := h.store.Watch(resource, namespace, from, wake)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(watcher.Stop)
	return watcher
}

// next pulls events until there have been count of them.
func (h *harness) next(watcher store.Watcher, count int) (texts []string) {
	h.Helper()
	for _, event := range h.events(watcher, count) {
		texts = append(texts, event.Type.String()+" "+text(event.Object))
	}
	return texts
}

func (h *harness) equal(got, want []string) {
	h.Helper()
	if !slices.Equal(got, want) {
		h.Errorf("got  %q\nwant %q", got, want)
	}
}

func testLifecycle(h *harness) {
	created := h.create("a", "x", "1")
	got := h.must(h.store.Get(h.ctx, key("a", "x")))
	h.equal([]string{text(got), got.GetResourceVersion()}, []string{"a/x=1", created.GetResourceVersion()})

	updated := h.update(created, "2")
	got = h.must(h.store.Get(h.ctx, key("a", "x")))
	h.equal([]string{text(got), got.GetResourceVersion()}, []string{"a/x=2", updated.GetResourceVersion()})

	deleted := h.delete(updated)
	h.equal([]string{text(deleted)}, []string{"a/x=2"})
	if store.RevisionOf(deleted) != h.revision() {
		h.Errorf("the deleted object has revision %s, not that of its deletion, %d", deleted.GetResourceVersion(), h.revision())
	}
	_, err := h.store.Get(h.ctx, key("a", "x"))
	h.fails(store.ErrNotFound, nil, err)
}

func testFailedWrites(h *harness) {
	old := h.create("a", "x", "1")
	current := h.update(old, "2")
	before := h.revision()
	_, err := h.store.Create(h.ctx, key("a", "x"), object("a", "x", "3"))
	h.fails(store.ErrExists, nil, err)
	_, err = h.store.Update(h.ctx, key("a", "x"), object("a", "x", "3"), store.RevisionOf(old))
	h.fails(store.ErrConflict, nil, err)
	_, err = h.store.Update(h.ctx, key("a", "y"), object("a", "y", "3"), store.RevisionOf(old))
	h.fails(store.ErrNotFound, nil, err)
	_, err = h.store.Delete(h.ctx, key("a", "x"), store.RevisionOf(old))
	h.fails(store.ErrConflict, nil, err)
	_, err = h.store.Delete(h.ctx, key("a", "y"), store.RevisionOf(current))
	h.fails(store.ErrNotFound, nil, err)
	if h.revision() != before {
		h.Errorf("failed writes took the revision from %d to %d", before, h.revision())
	}
	h.equal([]string{text(h.must(h.store.Get(h.ctx, key("a", "x"))))}, []string{"a/x=2"})
}

func testRevisions(h *harness) {
	start := h.revision()
	x := h.create("a", "x", "1")
	y := h.create("b", "y", "1")
	x2 := h.update(x, "2")
	gone := h.delete(y)
	for i, obj := range []store.Object{x, y, x2, gone} {
		if store.RevisionOf(obj) != start+int64(i)+1 {
			h.Errorf("write %d has revision %d, want %d", i+1, store.RevisionOf(obj), start+int64(i)+1)
		}
	}
}

func testImmutability(h *harness) {
	first := h.create("a", "x", "1")
	before := first.DeepCopyObject().(store.Object)
	second := h.update(first, "2")
	h.delete(second)
	h.equal([]string{text(first), first.GetResourceVersion()}, []string{text(before), before.GetResourceVersion()})
}

func testListPages(h *harness) {
	for _, name := range []string{"b/x", "a/z", "a/x", "c/x", "a/y"} {
		h.create(name[:1], name[2:], "1")
	}
	all, _ := h.list("", store.ListOptions{})
	h.equal(all, []string{"a/x=1", "a/y=1", "a/z=1", "b/x=1", "c/x=1"})
	one, _ := h.list("a", store.ListOptions{})
	h.equal(one, []string{"a/x=1", "a/y=1", "a/z=1"})
	none, _ := h.list("d", store.ListOptions{})
	h.equal(none, nil)

	page, list := h.list("", store.ListOptions{Limit: 2})
	h.equal(page, []string{"a/x=1", "a/y=1"})
	if list.Remaining != 3 {
		h.Errorf("%d objects remain, want 3", list.Remaining)
	}
	h.create("a", "yy", "late") // must not show up in the later pages of the first revision
	after := key("a", "y")
	page, list = h.list("", store.ListOptions{Revision: list.Revision, After: &after})
	h.equal(page, []string{"a/z=1", "b/x=1", "c/x=1"})
	if list.Remaining != 0 {
		h.Errorf("%d objects remain, want 0", list.Remaining)
	}
	page, _ = h.list("a", store.ListOptions{After: &after})
	h.equal(page, []string{"a/yy=late", "a/z=1"})
}

func testListRevision(h *harness) {
	x := h.create("a", "x", "1")
	y := h.create("a", "y", "1")
	then := h.revision()
	x = h.update(x, "2")
	h.update(x, "3")
	h.delete(y)
	h.create("a", "y", "again")
	h.create("a", "z", "1")
	now, _ := h.list("", store.ListOptions{})
	h.equal(now, []string{"a/x=3", "a/y=again", "a/z=1"})
	past, list := h.list("", store.ListOptions{Revision: then})
	h.equal(past, []string{"a/x=1", "a/y=1"})
	if list.Revision != then {
		h.Errorf("the list says revision %d, want %d", list.Revision, then)
	}
}

func testWatchOrder(h *harness) {
	watcher := h.watch(maps, "", h.revision(), nil)
	x := h.create("a", "x", "1")
	x = h.update(x, "2")
	h.create("b", "y", "1")
	h.delete(x)
	events := h.events(watcher, 4)
	h.equal(eventTexts(events), []string{"ADDED a/x=1", "MODIFIED a/x=2", "ADDED b/y=1", "DELETED a/x=2"})
	for i, event := range events {
		if store.RevisionOf(event.Object) != event.Revision {
			h.Errorf("event %d of revision %d has an object of %d", i, event.Revision, store.RevisionOf(event.Object))
		}
	}
	if events[0].Prev != nil || text(events[1].Prev) != "a/x=1" || text(events[3].Prev) != "a/x=2" {
		h.Errorf("wrong states before: %v", events)
	}
}

func testWatchSelection(h *harness) {
	from := h.revision()
	all, some, other := h.watch("", "", from, nil), h.watch(maps, "a", from, nil), h.watch("secrets", "", from, nil)
	h.create("a", "x", "1")
	h.create("b", "x", "1")
	secret := store.Key{Resource: "secrets", Namespace: "a", Name: "s"}
	h.must(h.store.Create(h.ctx, secret, object("a", "s", "1")))
	h.equal(h.next(all, 3), []string{"ADDED a/x=1", "ADDED b/x=1", "ADDED a/s=1"})
	h.equal(h.next(some, 1), []string{"ADDED a/x=1"})
	h.equal(h.next(other, 1), []string{"ADDED a/s=1"})
}

func testWatchPast(h *harness) {
	x := h.create("a", "x", "1")
	from := h.revision()
	h.update(x, "2")
	h.create("a", "y", "1")
	h.equal(h.next(h.watch(maps, "", from, nil), 2), []string{"MODIFIED a/x=2", "ADDED a/y=1"})
}

func testWatchBookmark(h *harness) {
	watcher := h.watch(maps, "a", h.revision(), nil)
	h.create("a", "x", "1")
	h.create("b", "x", "1")
	h.next(watcher, 1)
	h.settle(watcher)
	if watcher.Revision() != h.revision() {
		h.Errorf("the watcher is at revision %d, want %d", watcher.Revision(), h.revision())
	}
}

func testWatchLimit(h *harness) {
	watcher := h.watch(maps, "", h.revision(), nil)
	for i := range 5 {
		h.create("a", fmt.Sprint(i), "1")
	}
	h.settle(h.watch(maps, "", h.revision(), nil))
	var got []string
	for len(got) < 5 {
		events, err := watcher.Next(nil, 2)
		if err != nil {
			h.Fatal(err)
		}
		if len(events) > 2 {
			h.Fatalf("got %d events, want at most 2", len(events))
		}
		got = append(got, eventTexts(events)...)
	}
	h.equal(got, []string{"ADDED a/0=1", "ADDED a/1=1", "ADDED a/2=1", "ADDED a/3=1", "ADDED a/4=1"})
}

func testCompaction(h *harness) {
	x := h.create("a", "x", "1")
	early := h.revision()
	behind := h.watch(maps, "", early, nil)
	x = h.update(x, "2")
	late := h.revision()
	h.update(x, "3")
	if err := h.store.Compact(h.ctx, late); err != nil {
		h.Fatal(err)
	}
	_, err := h.store.Watch(maps, "", early, nil)
	h.fails(store.ErrCompacted, nil, err)
	_, err = h.store.List(h.ctx, maps, "", store.ListOptions{Revision: early})
	h.fails(store.ErrCompacted, nil, err)
	h.failsEventually(behind, store.ErrCompacted)
	h.equal(h.next(h.watch(maps, "", late, nil), 1), []string{"MODIFIED a/x=3"})
	past, _ := h.list("", store.ListOptions{Revision: late})
	h.equal(past, []string{"a/x=2"})
}

func testFuture(h *harness) {
	next := h.revision() + 1
	_, err := h.store.Watch(maps, "", next, nil)
	h.fails(store.ErrFuture, nil, err)
	_, err = h.store.List(h.ctx, maps, "", store.ListOptions{Revision: next})
	h.fails(store.ErrFuture, nil, err)
	h.fails(store.ErrFuture, nil, h.store.Compact(h.ctx, next))
}

func testCause(h *harness) {
	cause := store.Cause{Actor: "someone", Trigger: key("a", "y"), TriggerRevision: 7}
	watcher := h.watch(maps, "", h.revision(), nil)
	h.must(h.store.Create(store.WithCause(h.ctx, cause), key("a", "x"), object("a", "x", "1")))
	if got := h.events(watcher, 1)[0].Cause; got != cause {
		h.Errorf("the event's cause is %v, want %v", got, cause)
	}
}
