package replicaset

import (
	"maps"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/store"
)

// ledger sums up the pods of each ReplicaSet from the pod events that the loop
// has seen, so that a turn costs the same for ten pods and for ten thousand.
//
// It is also the loop's expectations: what the loop has created or deleted and
// not yet seen. Until it has, the counts are behind and no replicas are managed.
type ledger struct {
	kind string // of the owners

	mu      sync.Mutex
	seen    int64 // revision of the newest pod event
	tallies map[types.UID]*tally
}

// tally is about the pods that one ReplicaSet owns.
type tally struct {
	counts
	// pods, all of them; labels are those of the first one and different is how
	// many have others. As long as none has, what goes for one goes for all.
	pods      int
	labels    map[string]string
	different int

	created  int64                  // revision of the newest pod that the loop has written
	deleting map[types.UID]struct{} // what the loop deletes
}

// counts of pods in the states that matter to a ReplicaSet.
type counts struct {
	active, ready, terminating int
}

func (c *counts) add(pod *corev1.Pod, sign int) {
	switch {
	case podutil.Active(pod):
		c.active += sign
		if podutil.Ready(pod) {
			c.ready += sign
		}
	case podutil.Terminating(pod):
		c.terminating += sign
	}
}

func newLedger(kind string) *ledger {
	return &ledger{kind: kind, tallies: map[types.UID]*tally{}}
}

// observe follows one pod event. It reports whether the owner before or after
// it has to take notice.
func (l *ledger) observe(event store.Event) (notify bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = event.Revision
	var prev, pod *corev1.Pod
	if event.Prev != nil {
		prev = event.Prev.(*corev1.Pod)
	}
	if event.Type != store.Deleted {
		pod = event.Object.(*corev1.Pod)
	}
	before, after := l.owner(prev), l.owner(pod)
	if before == after {
		if before == "" {
			return false
		}
		t := l.tally(before)
		was := t.counts
		t.counts.add(prev, -1)
		t.counts.add(pod, +1)
		relabelled := !maps.Equal(prev.Labels, pod.Labels)
		if relabelled {
			t.different += t.differs(pod) - t.differs(prev)
		}
		fulfilled := t.fulfil(pod.UID, pod.DeletionTimestamp != nil)
		return fulfilled || relabelled || t.counts != was
	}
	if before != "" {
		t := l.tally(before)
		t.counts.add(prev, -1)
		t.pods--
		t.different -= t.differs(prev)
		t.fulfil(prev.UID, true)
		if t.pods == 0 && t.created <= l.seen && len(t.deleting) == 0 {
			delete(l.tallies, before)
		}
	}
	if after != "" {
		t := l.tally(after)
		if t.pods == 0 {
			t.labels, t.different = pod.Labels, 0
		}
		t.counts.add(pod, +1)
		t.pods++
		t.different += t.differs(pod)
		t.fulfil(pod.UID, pod.DeletionTimestamp != nil)
	}
	return true
}

func (t *tally) differs(pod *corev1.Pod) int {
	if maps.Equal(pod.Labels, t.labels) {
		return 0
	}
	return 1
}

// fulfil notes that a pod is seen to be gone or going.
func (t *tally) fulfil(uid types.UID, gone bool) bool {
	if !gone {
		return false
	}
	_, expected := t.deleting[uid]
	delete(t.deleting, uid)
	return expected
}

func (l *ledger) tally(uid types.UID) *tally {
	t, ok := l.tallies[uid]
	if !ok {
		t = &tally{}
		l.tallies[uid] = t
	}
	return t
}

// summary is a tally at a moment.
type summary struct {
	counts
	pods    int
	labels  map[string]string
	uniform bool // all pods have these labels
	settled bool // everything that the loop has written is in the counts
}

func (l *ledger) read(uid types.UID) summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.tallies[uid]
	if !ok {
		return summary{uniform: true, settled: true}
	}
	return summary{
		counts:  t.counts,
		pods:    t.pods,
		labels:  t.labels,
		uniform: t.different == 0,
		settled: t.created <= l.seen && len(t.deleting) == 0,
	}
}

// wrote expects the event of a pod that was created or adopted.
func (l *ledger) wrote(owner types.UID, pod store.Object) {
	revision, err := strconv.ParseInt(pod.GetResourceVersion(), 10, 64)
	if err != nil {
		return // not an object of our store: nothing to wait for
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if revision > l.seen {
		t := l.tally(owner)
		t.created = max(t.created, revision)
	}
}

// expectDeletion is called before a pod is deleted, notDeleted after that has
// failed.
func (l *ledger) expectDeletion(owner, pod types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tally(owner)
	if t.deleting == nil {
		t.deleting = map[types.UID]struct{}{}
	}
	t.deleting[pod] = struct{}{}
}

func (l *ledger) notDeleted(owner, pod types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tally(owner).deleting, pod)
}

// forget drops what was expected on behalf of a ReplicaSet that is gone.
func (l *ledger) forget(owner types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ok := l.tallies[owner]; ok {
		t.created, t.deleting = 0, nil
		if t.pods == 0 {
			delete(l.tallies, owner)
		}
	}
}

func (l *ledger) owner(pod *corev1.Pod) types.UID {
	if pod == nil {
		return ""
	}
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil && ref.Kind == l.kind {
		return ref.UID
	}
	return ""
}
