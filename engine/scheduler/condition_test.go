package scheduler

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestTheConditionIsWrittenWhenItChanges(t *testing.T) {
	pod := newPod("p")
	for i, step := range []struct {
		reason, message string
		generation      int64
		written         bool
	}{
		{"Unschedulable", "a", 1, true},
		{"Unschedulable", "a", 1, false},
		{"Unschedulable", "b", 1, true},
		{"SchedulerError", "b", 1, true},
		{"SchedulerError", "b", 2, true},
	} {
		pod.Generation = step.generation
		if says := saysAlready(pod, step.reason, step.message); says == step.written {
			t.Errorf("step %d: it says so already: %v", i, says)
		}
		if written := setUnscheduled(pod, step.reason, step.message, start.Add(time.Duration(i)*time.Minute)); written != step.written {
			t.Errorf("step %d: written: %v", i, written)
		}
		c := pod.Status.Conditions[0]
		if len(pod.Status.Conditions) != 1 || c.Status != corev1.ConditionFalse || c.Reason != step.reason || c.Message != step.message ||
			c.ObservedGeneration != step.generation || !c.LastTransitionTime.Time.Equal(start) {
			t.Errorf("step %d: %+v", i, pod.Status.Conditions)
		}
	}
}
