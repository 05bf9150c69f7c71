package scheduler

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/store"
)

// overtaken is a client whose bindings come too late: the watch says that
// another has bound the pod to b before the answer arrives.
type overtaken struct {
	client.Client
	s   *Scheduler
	pod *corev1.Pod
}

func (o overtaken) Bind(context.Context, *corev1.Binding) error {
	bound := o.pod.DeepCopy()
	bound.Spec.NodeName = "b"
	o.s.observePod(store.Event{Type: store.Modified, Object: bound})
	return errors.NewConflict(corev1.Resource("pods/binding"), bound.Name, nil)
}

func TestAFailedBindingDoesNotUndoWhatTheWatchHasSaid(t *testing.T) {
	s := newScheduler(newNode("a"), newNode("b", cordoned))
	pod := newPod("p", asking("cpu", "3"))
	s.client = overtaken{s: s, pod: pod}
	s.queue.add(pod, start)
	w, _ := s.queue.pop(start)
	s.schedule(t.Context(), w)
	if at := s.cluster.placed["p"]; at == nil || at.node.name != "b" {
		t.Fatalf("the pod is at %+v", at)
	}
	if a, b := s.cluster.node("a").requested.milliCPU, s.cluster.node("b").requested.milliCPU; a != 0 || b != 3000 {
		t.Errorf("a counts %d, b %d", a, b)
	}
	if len(s.queue.pods) != 0 {
		t.Error("the pod waits again")
	}
}
