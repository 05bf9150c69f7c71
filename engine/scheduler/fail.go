package scheduler

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/client"
)

// refused parks a pod that no node could take, and makes less important ones
// go where that helps it. The scheduler is locked, and unlocked afterwards.
func (s *Scheduler) refused(ctx context.Context, w *waiting, p *podInfo, pod *corev1.Pod, d *decision) {
	message, nomination := noNodes, keepNomination
	best, told, clear := s.preempt(p, d)
	if len(d.refusals) > 0 {
		message = unavailable(d.refusals, d.conflict, told)
	}
	var victims []*corev1.Pod
	var outbid []*corev1.Pod
	switch {
	case best != nil:
		nomination = nominated(best.node.name)
		for _, victim := range best.victims {
			victims = append(victims, victim.Pod)
		}
		outbid = s.outbid(p, best.node)
		s.cluster.nominate(p, best.node.name)
	case clear:
		nomination = nominated("")
		s.cluster.denominate(pod.UID)
	}
	s.queue.park(w, d.helps, s.clock.Now())
	s.mu.Unlock()
	for _, other := range outbid {
		s.clearNomination(ctx, other)
	}
	for _, victim := range victims {
		s.evict(ctx, pod, victim, best.node.name)
	}
	s.fail(ctx, pod, corev1.PodReasonUnschedulable, message, nomination)
}

// nomination is what becomes of the node that a pod's status says it is
// nominated to.
type nomination struct {
	set  bool
	node string
}

var keepNomination nomination

func nominated(node string) nomination { return nomination{true, node} }

// of is the nomination that a pod's status is to state.
func (n nomination) of(pod *corev1.Pod) string {
	if n.set {
		return n.node
	}
	return pod.Status.NominatedNodeName
}

// fail tells the pod's owner why it has no node. If the status can't be
// written, the next attempt says it again.
func (s *Scheduler) fail(ctx context.Context, pod *corev1.Pod, reason, message string, to nomination) {
	s.recorder.Event(ctx, pod, corev1.EventTypeWarning, "FailedScheduling", note(message))
	if saysAlready(pod, reason, message) && pod.Status.NominatedNodeName == to.of(pod) { // as of most pods of a full cluster, each time that one leaves
		return
	}
	uid := pod.UID
	_, _ = client.Modify(ctx, s.client, "pods", pod.Namespace, pod.Name, s.client.UpdateStatus, func(pod *corev1.Pod) bool {
		if pod.UID != uid || pod.Spec.NodeName != "" {
			return false
		}
		moved := pod.Status.NominatedNodeName != to.of(pod)
		pod.Status.NominatedNodeName = to.of(pod)
		return setUnscheduled(pod, reason, message, s.clock.Now()) || moved
	})
}

func saysAlready(pod *corev1.Pod, reason, message string) bool {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.PodScheduled {
			return c.Status == corev1.ConditionFalse && c.Reason == reason && c.Message == message && c.ObservedGeneration == pod.Generation
		}
	}
	return false
}

func setUnscheduled(pod *corev1.Pod, reason, message string, now time.Time) bool {
	return setCondition(pod, corev1.PodCondition{
		Type:               corev1.PodScheduled,
		Status:             corev1.ConditionFalse,
		Reason:             reason,
		Message:            message,
		ObservedGeneration: pod.Generation,
	}, now)
}

// setCondition reports whether it has changed anything.
func setCondition(pod *corev1.Pod, condition corev1.PodCondition, now time.Time) bool {
	condition.LastTransitionTime = metav1.NewTime(now.Truncate(time.Second))
	for i := range pod.Status.Conditions {
		old := &pod.Status.Conditions[i]
		if old.Type != condition.Type {
			continue
		}
		if old.Status == condition.Status {
			condition.LastTransitionTime = old.LastTransitionTime
		}
		if *old == condition {
			return false
		}
		*old = condition
		return true
	}
	pod.Status.Conditions = append(pod.Status.Conditions, condition)
	return true
}
