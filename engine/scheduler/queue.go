package scheduler

import (
	"container/heap"
	"time"

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

// waiting is a pod that has no node yet.
type waiting struct {
	pod      *corev1.Pod
	info     *podInfo // worked out at the first attempt
	order    uint64   // of arrival
	attempts int
	// notBefore is when its next attempt may be.
	notBefore time.Time
	// parked pods wait for something to change; until then, or for patience,
	// trying again is in vain.
	parked bool
	index  int // in the heap; -1 if parked
}

// queue holds the pods that wait: the active ones by priority, and among equals
// in the order of their arrival.
type queue struct {
	pods   map[types.UID]*waiting
	active waitingHeap
	order  uint64
}

func newQueue() queue { return queue{pods: map[types.UID]*waiting{}} }

// add queues a pod, or takes over its new state.
func (q *queue) add(pod *corev1.Pod) {
	if w, ok := q.pods[pod.UID]; ok {
		changed := w.pod.Generation != pod.Generation
		w.pod, w.info = pod, nil
		if changed && w.parked {
			q.activate(w)
		}
		return
	}
	q.order++
	w := &waiting{pod: pod, order: q.order, index: -1}
	q.pods[pod.UID] = w
	heap.Push(&q.active, w)
}

func (q *queue) remove(uid types.UID) {
	w, ok := q.pods[uid]
	if !ok {
		return
	}
	delete(q.pods, uid)
	if w.index >= 0 {
		heap.Remove(&q.active, w.index)
	}
}

func (q *queue) activate(w *waiting) {
	w.parked = false
	if w.index < 0 {
		heap.Push(&q.active, w)
	}
}

// activateAll gives every parked pod another attempt: something has changed.
func (q *queue) activateAll() {
	for _, w := range q.pods { // the heap puts them in order
		if w.parked {
			q.activate(w)
		}
	}
}

// pop takes the first active pod whose time has come. Without one it returns
// how long to wait for the next, 0 if there is none.
func (q *queue) pop(now time.Time) (*waiting, time.Duration) {
	var later []*waiting
	var found *waiting
	wait := time.Duration(0)
	for len(q.active) > 0 && found == nil {
		w := heap.Pop(&q.active).(*waiting)
		if until := w.notBefore.Sub(now); until > 0 {
			later = append(later, w)
			if wait == 0 || until < wait {
				wait = until
			}
			continue
		}
		found = w
	}
	for _, w := range later {
		heap.Push(&q.active, w)
	}
	if found == nil && len(later) == 0 {
		wait = q.longestParked(now)
	}
	return found, wait
}

// longestParked returns how long the patience of the first of the parked pods
// still lasts; 0 if none is parked.
func (q *queue) longestParked(now time.Time) (wait time.Duration) {
	for _, w := range q.pods {
		if left := w.notBefore.Add(patience).Sub(now); w.parked && (wait == 0 || left < wait) {
			wait = max(left, 1)
		}
	}
	return wait
}

// park keeps a pod that could not be placed.
func (q *queue) park(w *waiting, now time.Time) {
	w.attempts++
	w.notBefore = now.Add(min(firstBackoff<<min(w.attempts-1, 10), lastBackoff))
	w.parked = true
}

// retry keeps a pod whose attempt failed for a reason that may pass by itself.
func (q *queue) retry(w *waiting, now time.Time) {
	q.park(w, now)
	q.activate(w)
}

// expire activates the pods that have been parked for too long.
func (q *queue) expire(now time.Time) {
	for _, w := range q.pods {
		if w.parked && !now.Before(w.notBefore.Add(patience)) {
			q.activate(w)
		}
	}
}

type waitingHeap []*waiting

func (h waitingHeap) Len() int { return len(h) }
func (h waitingHeap) Less(i, j int) bool {
	if a, b := priority(h[i].pod), priority(h[j].pod); a != b {
		return a > b
	}
	return h[i].order < h[j].order
}
func (h waitingHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *waitingHeap) Push(x any) {
	w := x.(*waiting)
	w.index = len(*h)
	*h = append(*h, w)
}
func (h *waitingHeap) Pop() any {
	last := len(*h) - 1
	w := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	w.index = -1
	return w
}

func priority(pod *corev1.Pod) int32 {
	if pod.Spec.Priority == nil {
		return 0
	}
	return *pod.Spec.Priority
}
