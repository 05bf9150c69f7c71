package scheduler

import (
	"container/heap"
	"time"

	"github.com/google/btree"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// kube-scheduler's back-off for pods that could not be placed.
const (
	firstBackoff = time.Second
	lastBackoff  = 10 * time.Second
	// patience is after how long a pod is tried again even if nothing has
	// happened that could help it.
	patience = 5 * time.Minute
)

// waiting is a pod that has no node yet. It is in one of the queue's heaps, or
// in none while an attempt to place it is under way.
type waiting struct {
	pod      *corev1.Pod
	info     *podInfo // worked out at the first attempt
	order    uint64   // of arrival
	attempts int
	// until is the end of its back-off, since the time of its last attempt.
	until, since time.Time
	// helps are the changes that may help a parked pod.
	helps change
	// tried is how many changes there had been before the last attempt, and
	// hoped the node whose change led to the next one; see room.go.
	tried uint64
	hoped *nodeInfo
	in    *podHeap
	index int // in the heap
}

// queue holds the pods that wait (pkg/scheduler/backend/queue).
type queue struct {
	pods map[types.UID]*waiting
	// active pods are tried next, the most important first and equals in the
	// order of their arrival.
	active podHeap
	// backoff pods may be schedulable now, but were tried a moment ago: they
	// are tried when nothing is active.
	backoff podHeap
	// failed pods met an error and have to wait for the end of their back-off.
	failed podHeap
	// parked pods wait for something to change, or for patience.
	parked podHeap
	// ranked are the parked pods, the most important first.
	ranked *btree.BTreeG[*waiting]
	// waitForPeers counts the parked pods that others' coming or going may help.
	waitForPeers int
	order        uint64
}

func newQueue() *queue {
	return &queue{
		pods:    map[types.UID]*waiting{},
		active:  podHeap{less: moreImportant},
		backoff: podHeap{less: soonerUntil},
		failed:  podHeap{less: soonerUntil},
		parked:  podHeap{less: soonerSince},
		ranked:  btree.NewG(16, moreImportant),
	}
}

// add queues a pod, or takes over its new state.
func (q *queue) add(pod *corev1.Pod, now time.Time) {
	w, ok := q.pods[pod.UID]
	if !ok {
		q.order++
		w = &waiting{pod: pod, order: q.order}
		q.pods[pod.UID] = w
		q.active.push(w)
		return
	}
	changed := w.pod.Generation != pod.Generation
	w.pod, w.info = pod, nil          // its priority can't change, nor with it its rank
	if changed && w.in == &q.parked { // it may ask for something else now
		q.wake(w, now)
	}
}

func (q *queue) remove(uid types.UID) {
	if w, ok := q.pods[uid]; ok {
		delete(q.pods, uid)
		q.leave(w)
	}
}

// pop takes the pod to try next. Without one it returns how long to wait for
// it, 0 if there is none to wait for.
func (q *queue) pop(now time.Time) (*waiting, time.Duration) {
	for len(q.failed.pods) > 0 && !q.failed.pods[0].until.After(now) {
		q.move(q.failed.pods[0], &q.active)
	}
	for len(q.backoff.pods) > 0 && !q.backoff.pods[0].until.After(now) {
		q.move(q.backoff.pods[0], &q.active)
	}
	for len(q.parked.pods) > 0 && !q.parked.pods[0].since.Add(patience).After(now) {
		q.move(q.parked.pods[0], &q.active)
	}
	for _, from := range [...]*podHeap{&q.active, &q.backoff} {
		if len(from.pods) > 0 {
			w := from.pods[0]
			q.leave(w)
			return w, 0
		}
	}
	var wait time.Duration
	if len(q.failed.pods) > 0 {
		wait = q.failed.pods[0].until.Sub(now)
	}
	if len(q.parked.pods) > 0 {
		if left := q.parked.pods[0].since.Add(patience).Sub(now); wait == 0 || left < wait {
			wait = left
		}
	}
	return nil, wait
}

// park keeps a pod that no node could take until a change helps.
func (q *queue) park(w *waiting, helps change, now time.Time) {
	w.helps = helps // it is in no heap now
	q.tried(w, &q.parked, now)
	if w.in == &q.parked {
		q.ranked.ReplaceOrInsert(w)
		if helps&peerChanged != 0 {
			q.waitForPeers++
		}
	}
}

// retry keeps a pod whose attempt met an error, which may pass by itself.
func (q *queue) retry(w *waiting, now time.Time) { q.tried(w, &q.failed, now) }

func (q *queue) tried(w *waiting, to *podHeap, now time.Time) {
	if q.pods[w.pod.UID] != w {
		return // it has been removed meanwhile
	}
	w.attempts++
	w.since = now
	w.until = now.Add(min(firstBackoff<<min(w.attempts-1, 10), lastBackoff))
	q.move(w, to)
}

// helped wakes the parked pods that wait for a kind of change and that another
// kind may help; it reports whether there is any.
func (q *queue) helped(waitFor, by change, now time.Time) bool {
	var woken []*waiting
	for _, w := range q.parked.pods {
		if w.helps&waitFor != 0 && w.helps&by != 0 {
			woken = append(woken, w)
		}
	}
	for _, w := range woken {
		q.wake(w, now)
	}
	return len(woken) > 0
}

func (q *queue) wake(w *waiting, now time.Time) {
	if w.until.After(now) {
		q.move(w, &q.backoff)
	} else {
		q.move(w, &q.active)
	}
}

func (q *queue) move(w *waiting, to *podHeap) {
	q.leave(w)
	to.push(w)
}

// leave takes a pod out of the heap that it is in.
func (q *queue) leave(w *waiting) {
	if w.in == &q.parked {
		q.ranked.Delete(w)
		if w.helps&peerChanged != 0 {
			q.waitForPeers--
		}
	}
	if w.in != nil {
		heap.Remove(w.in, w.index)
	}
}

func moreImportant(a, b *waiting) bool {
	if x, y := priority(a.pod), priority(b.pod); x != y {
		return x > y
	}
	return a.order < b.order
}

func priority(pod *corev1.Pod) int32 {
	if pod.Spec.Priority == nil {
		return 0
	}
	return *pod.Spec.Priority
}

func soonerUntil(a, b *waiting) bool {
	if !a.until.Equal(b.until) {
		return a.until.Before(b.until)
	}
	return a.order < b.order
}

func soonerSince(a, b *waiting) bool {
	if !a.since.Equal(b.since) {
		return a.since.Before(b.since)
	}
	return a.order < b.order
}

// podHeap is a heap of pods that know where in it they are.
type podHeap struct {
	pods []*waiting
	less func(a, b *waiting) bool
}

func (h *podHeap) push(w *waiting) { heap.Push(h, w) }

func (h *podHeap) Len() int           { return len(h.pods) }
func (h *podHeap) Less(i, j int) bool { return h.less(h.pods[i], h.pods[j]) }
func (h *podHeap) Swap(i, j int) {
	h.pods[i], h.pods[j] = h.pods[j], h.pods[i]
	h.pods[i].index, h.pods[j].index = i, j
}
func (h *podHeap) Push(x any) {
	w := x.(*waiting)
	w.in, w.index = h, len(h.pods)
	h.pods = append(h.pods, w)
}
func (h *podHeap) Pop() any {
	last := len(h.pods) - 1
	w := h.pods[last]
	h.pods[last] = nil
	h.pods = h.pods[:last]
	w.in = nil
	return w
}
