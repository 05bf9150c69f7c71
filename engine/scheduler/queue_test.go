package scheduler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func important(value int32) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.Priority = &value }
}

// popAll takes what is due, in order.
func popAll(q *queue, now time.Time) string {
	names := ""
	for {
		w, _ := q.pop(now)
		if w == nil {
			return names
		}
		names += w.pod.Name
	}
}

func TestQueueOrder(t *testing.T) {
	q := newQueue()
	for _, pod := range []*corev1.Pod{newPod("a"), newPod("b"), newPod("c", important(10)), newPod("d", important(-1)), newPod("e")} {
		q.add(pod, start)
	}
	q.remove("b")
	q.remove("nobody")
	if got := popAll(q, start); got != "caed" {
		t.Errorf("got %s", got)
	}
}

func TestParkedPodsWakeForWhatHelps(t *testing.T) {
	for _, test := range []struct {
		name       string
		helps, got change
		woken      bool
	}{
		{"what helps", podGone | nodeAdded, podGone, true},
		{"something else", podGone | nodeAdded, nodeLabels, false},
		{"nothing", podGone, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := newQueue()
			q.add(newPod("a"), start)
			w, _ := q.pop(start)
			q.park(w, test.helps, start)
			if woken := q.helped(^change(0), test.got, start); woken != test.woken {
				t.Errorf("woken: %v", woken)
			}
			if got := popAll(q, start); (got == "a") != test.woken {
				t.Errorf("popped %q", got)
			}
		})
	}
}

func TestBackoffOrdersBehindOthers(t *testing.T) {
	q := newQueue()
	q.add(newPod("a", important(100)), start)
	w, _ := q.pop(start)
	q.park(w, nodeAdded, start)
	q.add(newPod("b"), start)
	q.helped(^change(0), nodeAdded, start)
	if got := popAll(q, start); got != "ba" {
		t.Errorf("during the back-off: %s", got)
	}
	q.park(w, nodeAdded, start)
	q.add(newPod("c"), start)
	q.helped(^change(0), nodeAdded, start)
	if got := popAll(q, start.Add(time.Minute)); got != "ac" {
		t.Errorf("after the back-off: %s", got)
	}
}

func TestBackoffGrows(t *testing.T) {
	q := newQueue()
	q.add(newPod("a"), start)
	now := start
	for i, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		w, _ := q.pop(now)
		if w == nil {
			t.Fatalf("attempt %d: nothing is due", i)
		}
		q.retry(w, now)
		if none, wait := q.pop(now); none != nil || wait != want*time.Second {
			t.Errorf("attempt %d: got %v, wait %v, want %ds", i, none, wait, want)
		}
		now = now.Add(want * time.Second)
	}
}

func TestPatienceEnds(t *testing.T) {
	q := newQueue()
	q.add(newPod("a"), start)
	w, _ := q.pop(start)
	q.park(w, 0, start)
	if none, wait := q.pop(start); none != nil || wait != patience {
		t.Errorf("got %v, wait %v", none, wait)
	}
	if got := popAll(q, start.Add(patience)); got != "a" {
		t.Errorf("got %q", got)
	}
	if none, wait := q.pop(start); none != nil || wait != 0 {
		t.Errorf("an empty queue says %v, %v", none, wait)
	}
}

func TestUpdatesOfWaitingPods(t *testing.T) {
	q := newQueue()
	q.add(newPod("a"), start)
	w, _ := q.pop(start)
	q.park(w, nodeAdded, start)
	same := newPod("a", labelled("x", "y"))
	q.add(same, start)
	if got := popAll(q, start); got != "" || w.pod != same {
		t.Errorf("new labels: popped %q, pod %v", got, w.pod)
	}
	q.add(newPod("a", func(p *corev1.Pod) { p.Generation = 2 }), start)
	if got := popAll(q, start); got != "a" {
		t.Errorf("a new spec: popped %q", got)
	}
	q.remove("a") // while it is being tried
	q.park(w, nodeAdded, start)
	if len(q.pods)+len(q.parked.pods) != 0 {
		t.Error("a removed pod came back")
	}
}
