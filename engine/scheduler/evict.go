package scheduler

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/client"
)

// outbid takes a node's nomination from less important pods; they are tried
// again, to find another one.
func (s *Scheduler) outbid(p *podInfo, n *nodeInfo) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, other := range slices.Clone(n.nominated) {
		if other.UID == p.UID || priority(other.Pod) >= priority(p.Pod) {
			continue
		}
		s.cluster.denominate(other.UID)
		pods = append(pods, other.Pod)
		if w, ok := s.queue.pods[other.UID]; ok && w.in == &s.queue.parked {
			s.queue.wake(w, s.clock.Now())
		}
	}
	return pods
}

func (s *Scheduler) clearNomination(ctx context.Context, pod *corev1.Pod) {
	uid := pod.UID
	_, _ = client.Modify(ctx, s.client, "pods", pod.Namespace, pod.Name, s.client.UpdateStatus, func(pod *corev1.Pod) bool {
		changed := pod.UID == uid && pod.Status.NominatedNodeName != ""
		pod.Status.NominatedNodeName = ""
		return changed
	})
}

// evict deletes a pod that has to make way. If that fails, the next attempt to
// place the other one does it.
func (s *Scheduler) evict(ctx context.Context, preemptor, victim *corev1.Pod, node string) {
	if victim.DeletionTimestamp != nil {
		return // on its way
	}
	uid := victim.UID
	_, err := client.Modify(ctx, s.client, "pods", victim.Namespace, victim.Name, s.client.UpdateStatus, func(pod *corev1.Pod) bool {
		return pod.UID == uid && setCondition(pod, corev1.PodCondition{
			Type:               corev1.DisruptionTarget,
			Status:             corev1.ConditionTrue,
			Reason:             corev1.PodReasonPreemptionByScheduler,
			Message:            preemptor.Spec.SchedulerName + ": preempting to accommodate a higher priority pod",
			ObservedGeneration: pod.Generation,
		}, s.clock.Now())
	})
	if err != nil {
		return
	}
	if err := s.client.Delete(ctx, "pods", victim.Namespace, victim.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}); err != nil {
		return
	}
	s.recorder.Event(ctx, victim, corev1.EventTypeNormal, "Preempted", "Preempted by pod "+string(preemptor.UID)+" on node "+node)
}
