package replicaset

import (
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/store"
)

const owner = types.UID("owner")

// tale is a sequence of pod events.
type tale struct {
	ledger   *ledger
	pods     map[string]*corev1.Pod
	revision int64
}

func newTale() *tale { return &tale{ledger: newLedger("ReplicaSet"), pods: map[string]*corev1.Pod{}} }

// put writes a pod that is pending unless changes say otherwise.
func (s *tale) put(name string, changes ...change) (notified bool) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{"app": "web"}}}
	owned(pod)
	for _, change := range changes {
		change(pod)
	}
	s.revision++
	pod.ResourceVersion = strconv.FormatInt(s.revision, 10)
	event := store.Event{Type: store.Added, Revision: s.revision, Object: pod}
	if prev, ok := s.pods[name]; ok {
		event.Type, event.Prev = store.Modified, prev
	}
	s.pods[name] = pod
	return s.ledger.observe(event)
}

func (s *tale) remove(name string) bool {
	s.revision++
	pod := s.pods[name]
	delete(s.pods, name)
	return s.ledger.observe(store.Event{Type: store.Deleted, Revision: s.revision, Object: pod, Prev: pod})
}

func owned(pod *corev1.Pod) {
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web", UID: owner, Controller: new(true)}}
}

func free(pod *corev1.Pod)     { pod.OwnerReferences = nil }
func ready(pod *corev1.Pod)    { readyFor(0)(pod) }
func deleted(pod *corev1.Pod)  { pod.DeletionTimestamp = &metav1.Time{Time: now} }
func relabel(pod *corev1.Pod)  { pod.Labels = map[string]string{"app": "other"} }
func assigned(pod *corev1.Pod) { pod.Spec.NodeName = "a" }

func TestLedgerCounts(t *testing.T) {
	for _, test := range []struct {
		name    string
		story   func(s *tale)
		want    counts
		pods    int
		uniform bool
	}{
		{"nothing", func(*tale) {}, counts{}, 0, true},
		{"two pods, one ready", func(s *tale) { s.put("a"); s.put("b", ready) }, counts{active: 2, ready: 1}, 2, true},
		{"one that becomes ready", func(s *tale) { s.put("a"); s.put("a", ready) }, counts{active: 1, ready: 1}, 1, true},
		{"one that is deleted", func(s *tale) { s.put("a", ready); s.put("a", ready, deleted) }, counts{terminating: 1}, 1, true},
		{"one that has gone", func(s *tale) { s.put("a", ready); s.remove("a") }, counts{}, 0, true},
		{"one that has failed", func(s *tale) { s.put("a", ready); s.put("a", phase(corev1.PodFailed)) }, counts{}, 1, true},
		{"one that is released", func(s *tale) { s.put("a"); s.put("a", free) }, counts{}, 0, true},
		{"one that is adopted", func(s *tale) { s.put("a", free); s.put("a", ready) }, counts{active: 1, ready: 1}, 1, true},
		{"one with other labels", func(s *tale) { s.put("a"); s.put("b"); s.put("b", relabel) }, counts{active: 2}, 2, false},
		{"one whose labels are back", func(s *tale) { s.put("a"); s.put("b"); s.put("b", relabel); s.put("b") }, counts{active: 2}, 2, true},
		{"other labels from the start", func(s *tale) { s.put("a"); s.remove("a"); s.put("b", relabel) }, counts{active: 1}, 1, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newTale()
			test.story(s)
			got := s.ledger.read(owner)
			if got.counts != test.want || got.pods != test.pods || got.uniform != test.uniform || !got.settled {
				t.Errorf("got %+v of %d pods, uniform %v, settled %v; want %+v of %d, %v, true",
					got.counts, got.pods, got.uniform, got.settled, test.want, test.pods, test.uniform)
			}
		})
	}
}

func TestLedgerNotifies(t *testing.T) {
	s := newTale()
	for i, step := range []struct {
		what   string
		notify bool
		want   bool
	}{
		{"a new pod", s.put("a"), true},
		{"its assignment", s.put("a", assigned), false},
		{"its readiness", s.put("a", assigned, ready), true},
		{"nothing", s.put("a", assigned, ready), false},
		{"its labels", s.put("a", assigned, ready, relabel), true},
		{"its end", s.remove("a"), true},
		{"a stranger", s.put("b", free), false},
		{"a stranger's readiness", s.put("b", free, ready), false},
	} {
		if step.notify != step.want {
			t.Errorf("%d, %s: notified %v, want %v", i, step.what, step.notify, step.want)
		}
	}
}

// TestLedgerExpects: counts are not settled until what was written is seen.
func TestLedgerExpects(t *testing.T) {
	s := newTale()
	settled := func(want bool, when string) {
		t.Helper()
		if got := s.ledger.read(owner).settled; got != want {
			t.Errorf("settled %v %s, want %v", got, when, want)
		}
	}
	s.ledger.wrote(owner, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "1"}})
	settled(false, "before a created pod is seen")
	s.put("a")
	settled(true, "once it is")
	s.ledger.wrote(owner, s.pods["a"])
	settled(true, "after the news of what is known")
	s.ledger.expectDeletion(owner, "a")
	settled(false, "before a deletion is seen")
	s.put("a", ready)
	settled(false, "after something else was")
	s.put("a", ready, deleted)
	settled(true, "once it is")
	s.ledger.expectDeletion(owner, "a")
	s.ledger.notDeleted(owner, "a")
	settled(true, "after a deletion that failed")
	s.ledger.expectDeletion(owner, "a")
	s.remove("a")
	settled(true, "once the pod has gone")
	s.ledger.wrote(owner, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "99"}})
	s.ledger.forget(owner)
	settled(true, "after the owner has gone")
	if left := len(s.ledger.tallies); left > 0 {
		t.Errorf("%d tallies are left", left)
	}
}
