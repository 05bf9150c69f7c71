package scheduler

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

// Name is the scheduler's, in events and as the profile that pods name.
const Name = "default-scheduler"

// batch is how many pods are placed in one turn, so that a thousand new pods
// do not keep everything else waiting.
const batch = 128

// Scheduler places pods. Only one turn of its loop may run at a time, which the
// executors see to; the watch's events may come meanwhile.
type Scheduler struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	random   *rand.Rand

	mu       sync.Mutex // guards what follows
	cluster  cluster
	queue    *queue
	verdicts verdicts
	// start is where the search of the next pod's nodes begins, so that in a
	// large cluster all nodes get their turn.
	start int
	// What follows is of the present attempt, and reused.
	feasible []*nodeInfo
	named    []*nodeInfo
	refusals histogram
	scores   []int64 // one row of nodes per scorer
	totals   []int64
	zones    []int64
}

// New returns a scheduler.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock, random *rand.Rand) *Scheduler {
	return &Scheduler{
		cache: cache, client: client, recorder: recorder, clock: clock, random: random,
		cluster: newCluster(), queue: newQueue(), verdicts: newVerdicts(), refusals: histogram{},
	}
}

// Controller is the scheduler's loop. Its one request stands for the whole
// queue.
func (s *Scheduler) Controller() controller.Controller {
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: "pods", Map: s.observePod},
			{Resource: "nodes", Map: s.observeNode},
			{Resource: "services", Map: s.observeService},
		},
		Reconciler: s,
	}
}

var turn = []controller.Request{{}}

func (s *Scheduler) observePod(event store.Event) []controller.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	pod := event.Object.(*corev1.Pod)
	ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	switch {
	case event.Type == store.Deleted:
		s.queue.remove(pod.UID)
		s.verdicts.forget(pod.UID)
		return s.gone(pod)
	case pod.Spec.NodeName == "":
		if ended || pod.Spec.SchedulerName != Name || pod.DeletionTimestamp != nil || len(pod.Spec.SchedulingGates) > 0 {
			s.queue.remove(pod.UID)
			return nil
		}
		s.queue.add(pod, s.clock.Now())
		return turn
	case ended: // it takes nothing any more
		s.queue.remove(pod.UID)
		return s.gone(pod)
	}
	s.queue.remove(pod.UID)
	s.follow(pod)
	return nil
}

// gone frees what a pod took, if it was placed.
func (s *Scheduler) gone(pod *corev1.Pod) []controller.Request {
	if _, ok := s.cluster.placed[pod.UID]; !ok {
		return nil
	}
	s.cluster.unplace(pod.UID)
	return s.helped(podGone)
}

func (s *Scheduler) helped(by change) []controller.Request {
	if by == 0 || !s.queue.helped(by, s.clock.Now()) {
		return nil
	}
	return turn
}

// follow keeps a placed pod's account. What a pod takes, and with whom it is
// spread, changes rarely: a new status only replaces the pointer.
func (s *Scheduler) follow(pod *corev1.Pod) {
	if at, ok := s.cluster.placed[pod.UID]; ok && at.node.name == pod.Spec.NodeName &&
		at.Generation == pod.Generation && (at.DeletionTimestamp == nil) == (pod.DeletionTimestamp == nil) &&
		maps.Equal(at.Labels, pod.Labels) {
		at.Pod = pod
		return
	}
	s.cluster.place(newPodInfo(pod), pod.Spec.NodeName)
}

func (s *Scheduler) observeNode(event store.Event) []controller.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if event.Type == store.Deleted {
		s.cluster.setNode(event.Key.Name, nil)
		return nil
	}
	return s.helped(s.cluster.setNode(event.Key.Name, event.Object.(*corev1.Node)))
}

// observeService: which pods are spread together depends on the Services.
func (s *Scheduler) observeService(store.Event) []controller.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.cluster.spreads.byOwner)
	return nil
}

// Reconcile places the pods that are due, the most important first.
func (s *Scheduler) Reconcile(ctx context.Context, _ controller.Request) (controller.Result, error) {
	for range batch {
		s.mu.Lock()
		next, wait := s.queue.pop(s.clock.Now())
		if next == nil {
			s.mu.Unlock()
			return controller.Result{RequeueAfter: wait}, nil
		}
		pod := next.pod
		s.mu.Unlock()
		key := store.Key{Resource: "pods", Namespace: pod.Namespace, Name: pod.Name}
		s.schedule(store.WithCause(ctx, store.Cause{Actor: Name, Trigger: key, TriggerRevision: store.RevisionOf(pod)}), next)
	}
	return controller.Result{RequeueAfter: time.Nanosecond}, nil
}

// schedule is one attempt to place a pod.
func (s *Scheduler) schedule(ctx context.Context, w *waiting) {
	s.mu.Lock()
	if w.info == nil {
		w.info = newPodInfo(w.pod)
	}
	p, pod := w.info, w.pod // the watch may replace p.Pod meanwhile
	d := s.choose(p)
	if d.node == nil {
		message := noNodes
		if len(d.refusals) > 0 {
			never := pod.Spec.PreemptionPolicy != nil && *pod.Spec.PreemptionPolicy == corev1.PreemptNever
			message = unavailable(d.refusals, d.conflict, never)
		}
		s.queue.park(w, d.helps, s.clock.Now())
		s.mu.Unlock()
		s.fail(ctx, pod, corev1.PodReasonUnschedulable, message)
		return
	}
	node := d.node.name
	s.cluster.place(p, node) // before the watch says so, or the next pod would count on the same room
	s.mu.Unlock()

	err := s.client.Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	})
	if err != nil {
		s.unbound(ctx, w, p, pod, err)
		return
	}
	s.mu.Lock()
	s.queue.remove(pod.UID)
	s.mu.Unlock()
	s.recorder.Event(ctx, pod, corev1.EventTypeNormal, "Scheduled", "Successfully assigned "+pod.Namespace+"/"+pod.Name+" to "+node)
}

// unbound takes an attempt back whose result could not be written.
func (s *Scheduler) unbound(ctx context.Context, w *waiting, p *podInfo, pod *corev1.Pod, err error) {
	s.mu.Lock()
	if at, ok := s.cluster.placed[pod.UID]; ok && at.podInfo == p && at.Spec.NodeName == "" {
		s.cluster.unplace(pod.UID) // unless the watch says that it is somewhere
	}
	if apierrors.IsNotFound(err) {
		s.queue.remove(pod.UID)
	} else {
		s.queue.retry(w, s.clock.Now())
	}
	s.mu.Unlock()
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return // it has been deleted, bound or replaced, which the watch is about to say
	}
	s.fail(ctx, pod, corev1.PodReasonSchedulerError, "running Bind plugin \"DefaultBinder\": "+err.Error())
}

// fail tells the pod's owner why it has no node. If the status can't be
// written, the next attempt says it again.
func (s *Scheduler) fail(ctx context.Context, pod *corev1.Pod, reason, message string) {
	s.recorder.Event(ctx, pod, corev1.EventTypeWarning, "FailedScheduling", note(message))
	if saysAlready(pod, reason, message) { // as of most pods of a full cluster, each time that one leaves
		return
	}
	uid := pod.UID
	_, _ = client.Modify(ctx, s.client, "pods", pod.Namespace, pod.Name, s.client.UpdateStatus, func(pod *corev1.Pod) bool {
		return pod.UID == uid && pod.Spec.NodeName == "" && setUnscheduled(pod, reason, message, s.clock.Now())
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
	condition := corev1.PodCondition{
		Type:               corev1.PodScheduled,
		Status:             corev1.ConditionFalse,
		Reason:             reason,
		Message:            message,
		LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
		ObservedGeneration: pod.Generation,
	}
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
