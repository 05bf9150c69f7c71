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
	"tidepool.dev/tidepool/engine/internal/volumes"
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
	// changes counts what has happened to nodes.
	changes uint64
	// roomier are nodes that may have got room for parked pods.
	roomier []*nodeInfo
	// What follows is of the present attempt, and reused.
	company  company
	storage  storage
	feasible []*nodeInfo
	crowded  []*nodeInfo
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
			{Resource: "namespaces", Map: s.observeNamespace},
			{Resource: volumes.ClaimResource, Map: s.observeStorage},
			{Resource: volumes.Resource, Map: s.observeStorage},
			{Resource: volumes.ClassResource, Map: s.observeStorage},
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
			return s.gone(pod)
		}
		s.queue.add(pod, s.clock.Now())
		s.followNomination(event, pod)
		return turn
	case ended: // it takes nothing any more
		s.queue.remove(pod.UID)
		return s.gone(pod)
	}
	s.queue.remove(pod.UID)
	s.cluster.denominate(pod.UID)
	return s.follow(pod)
}

// followNomination takes over what the API says of the node that a pod is
// nominated to. An update that says nothing may be older than what is known
// here.
func (s *Scheduler) followNomination(event store.Event, pod *corev1.Pod) {
	name := pod.Status.NominatedNodeName
	at, known := s.cluster.nominated[pod.UID]
	switch {
	case name != "" && (!known || at.node.name != name):
		s.cluster.nominate(newPodInfo(pod), name)
	case name == "" && known && event.Prev != nil && event.Prev.(*corev1.Pod).Status.NominatedNodeName != "":
		s.cluster.denominate(pod.UID)
	}
}

// gone frees what a pod took or was nominated to.
func (s *Scheduler) gone(pod *corev1.Pod) []controller.Request {
	if n := s.cluster.denominate(pod.UID); n != nil {
		s.changed(n, podGone)
	}
	at, ok := s.cluster.placed[pod.UID]
	if !ok {
		return s.wanted()
	}
	p, n := at.podInfo, at.node
	s.cluster.unplace(pod.UID)
	s.changed(n, podGone)
	s.peerChanged(p)
	return s.wanted()
}

// follow keeps a placed pod's account. What a pod takes, and with whom it is
// spread, changes rarely: a new status only replaces the pointer.
func (s *Scheduler) follow(pod *corev1.Pod) []controller.Request {
	if at, ok := s.cluster.placed[pod.UID]; ok && at.node.name == pod.Spec.NodeName &&
		at.Generation == pod.Generation && (at.DeletionTimestamp == nil) == (pod.DeletionTimestamp == nil) &&
		maps.Equal(at.Labels, pod.Labels) {
		at.Pod = pod
		return nil
	}
	p := newPodInfo(pod)
	if at, ok := s.cluster.placed[pod.UID]; ok {
		s.changed(at.node, podGone) // it may take less now
	}
	s.cluster.place(p, pod.Spec.NodeName)
	s.peerChanged(p)
	return s.wanted()
}

func (s *Scheduler) observeNode(event store.Event) []controller.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if event.Type == store.Deleted {
		s.cluster.setNode(event.Key.Name, nil)
		return nil
	}
	what := s.cluster.setNode(event.Key.Name, event.Object.(*corev1.Node))
	if what == 0 {
		return nil
	}
	s.changed(s.cluster.byName[event.Key.Name], what)
	s.queue.helped(peerChanged, what, s.clock.Now())
	return s.wanted()
}

// observeNamespace: terms about other pods may select namespaces by their
// labels.
func (s *Scheduler) observeNamespace(event store.Event) []controller.Request {
	if event.Prev != nil && maps.Equal(event.Prev.GetLabels(), event.Object.GetLabels()) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cluster.spreads.forgetByNamespaceLabels()
	return nil
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
		if len(s.queue.active.pods) == 0 {
			s.fill()
		}
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
	w.tried = s.changes
	d := s.choose(p)
	s.disappointed(w, d.node)
	if d.node == nil {
		s.refused(ctx, w, p, pod, &d) // unlocks
		return
	}
	node := d.node.name
	if st := s.storage; s.await(ctx, w, pod, &st, d.node.Node) { // unlocks
		return
	}
	s.cluster.place(p, node) // before the watch says so, or the next pod would count on the same room
	s.cluster.denominate(pod.UID)
	s.peerChanged(p)
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
		s.changed(at.node, podGone)
		s.peerChanged(p)
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
	s.fail(ctx, pod, corev1.PodReasonSchedulerError, "running Bind plugin \"DefaultBinder\": "+err.Error(), keepNomination)
}
