package scheduler

import (
	"context"
	"fmt"
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
	queue    queue
	verdicts verdicts
	// start is where the search of the next pod's nodes begins, so that in a
	// large cluster all nodes get their turn.
	start    int
	feasible []*nodeInfo // reused
	scores   []int64     // reused: one row of nodes per scorer
	totals   []int64     // reused
}

// New returns a scheduler.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock, random *rand.Rand) *Scheduler {
	return &Scheduler{
		cache: cache, client: client, recorder: recorder, clock: clock, random: random,
		cluster: newCluster(), queue: newQueue(), verdicts: newVerdicts(),
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
	switch {
	case event.Type == store.Deleted:
		s.queue.remove(pod.UID)
		s.verdicts.forget(pod.UID)
		s.cluster.unplace(pod.UID)
	case pod.Spec.NodeName == "":
		if pod.Spec.SchedulerName != Name || pod.DeletionTimestamp != nil || len(pod.Spec.SchedulingGates) > 0 {
			s.queue.remove(pod.UID)
			return nil
		}
		s.queue.add(pod)
		return turn
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		if _, ok := s.cluster.placed[pod.UID]; !ok {
			return nil
		}
		s.cluster.unplace(pod.UID) // it takes nothing any more
	default:
		s.queue.remove(pod.UID)
		s.follow(pod)
		return nil
	}
	if len(s.queue.pods) == 0 {
		return nil
	}
	s.queue.activateAll() // there is room now
	return turn
}

// follow keeps a placed pod's account. What a pod takes changes with its spec
// alone, so that a new status only replaces the pointer.
func (s *Scheduler) follow(pod *corev1.Pod) {
	if at, ok := s.cluster.placed[pod.UID]; ok && at.node.name == pod.Spec.NodeName &&
		at.Generation == pod.Generation && (at.DeletionTimestamp == nil) == (pod.DeletionTimestamp == nil) {
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
	s.cluster.setNode(event.Key.Name, event.Object.(*corev1.Node))
	if len(s.queue.pods) == 0 {
		return nil
	}
	s.queue.activateAll()
	return turn
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
	s.mu.Lock()
	s.queue.expire(s.clock.Now())
	s.mu.Unlock()
	for range batch {
		s.mu.Lock()
		next, wait := s.queue.pop(s.clock.Now())
		s.mu.Unlock()
		if next == nil {
			return controller.Result{RequeueAfter: wait}, nil
		}
		key := store.Key{Resource: "pods", Namespace: next.pod.Namespace, Name: next.pod.Name}
		s.schedule(store.WithCause(ctx, store.Cause{Actor: Name, Trigger: key, TriggerRevision: store.RevisionOf(next.pod)}), next)
	}
	return controller.Result{RequeueAfter: time.Nanosecond}, nil
}

// schedule is one attempt to place a pod.
func (s *Scheduler) schedule(ctx context.Context, w *waiting) {
	s.mu.Lock()
	if w.info == nil {
		w.info = newPodInfo(w.pod)
	}
	p := w.info
	node, refusals := s.choose(p)
	if node == nil {
		message := "no nodes available to schedule pods"
		if len(refusals) > 0 {
			never := p.Spec.PreemptionPolicy != nil && *p.Spec.PreemptionPolicy == corev1.PreemptNever
			message = unavailable(refusals, never)
		}
		s.queue.park(w, s.clock.Now())
		s.mu.Unlock()
		s.fail(ctx, p.Pod, message)
		return
	}
	name := node.name
	s.cluster.place(p, name) // before the watch says so, or the next pod would count on the same room
	s.mu.Unlock()

	err := s.client.Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: name},
	})
	if err != nil {
		s.mu.Lock()
		s.cluster.unplace(p.UID)
		if apierrors.IsNotFound(err) {
			s.queue.remove(p.UID)
		} else if _, ok := s.queue.pods[p.UID]; ok {
			s.queue.retry(w, s.clock.Now())
		}
		s.mu.Unlock()
		if !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			s.fail(ctx, p.Pod, "running Bind plugin \"DefaultBinder\": "+err.Error())
		}
		return
	}
	s.mu.Lock()
	s.queue.remove(p.UID)
	s.mu.Unlock()
	s.recorder.Event(ctx, p.Pod, corev1.EventTypeNormal, "Scheduled",
		fmt.Sprintf("Successfully assigned %s/%s to %s", p.Namespace, p.Name, name))
}

// fail tells the pod's owner why it has no node.
func (s *Scheduler) fail(ctx context.Context, pod *corev1.Pod, message string) {
	s.recorder.Event(ctx, pod, corev1.EventTypeWarning, "FailedScheduling", message)
	_, err := client.Modify(ctx, s.client, "pods", pod.Namespace, pod.Name, s.client.UpdateStatus, func(pod *corev1.Pod) bool {
		return setUnschedulable(pod, message, s.clock.Now())
	})
	if err != nil && !apierrors.IsNotFound(err) {
		// The next attempt says it again.
		return
	}
}

func setUnschedulable(pod *corev1.Pod, message string, now time.Time) bool {
	condition := corev1.PodCondition{
		Type:               corev1.PodScheduled,
		Status:             corev1.ConditionFalse,
		Reason:             corev1.PodReasonUnschedulable,
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
