// Package nodelifecycle is the control loop that watches over the nodes'
// heartbeats: a node that has fallen silent is marked as unknown, its pods as
// not ready, and it is tainted so that nothing new comes to it and, at a rate
// limited per zone, what runs on it is evicted.
//
// The eviction itself is package tainteviction's business, heartbeats are the
// kubelet's.
package nodelifecycle

import (
	"context"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "node-controller"

	resource      = "nodes"
	leaseResource = "leases.coordination.k8s.io"
	podResource   = "pods"

	// kube-controller-manager's defaults for the silence after which a node is
	// unknown: --node-monitor-grace-period and, for one that has never
	// reported, --node-startup-grace-period.
	gracePeriod  = 50 * time.Second
	startupGrace = 60 * time.Second

	workers = 8
)

// A request with this namespace names a zone, any other a node.
const zoneRequests = "zone"

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock

	mu    sync.Mutex
	nodes map[string]*health
	zones map[string]*zone
	gone  map[string]*corev1.Node // of which that is still to be announced
	total census                  // of all zones
	// dark: no node of any zone is ready, which is more likely to be this
	// side's fault; nothing is evicted then.
	dark bool
}

// health is what the loop knows of a node.
type health struct {
	zone      string
	excluded  bool // from the count of its zone
	ready     corev1.ConditionStatus
	probed    time.Time // the last sign of life, by the clock of this side
	heartbeat time.Time // the node's own idea of when its last status was
	renewed   time.Time // and of when its last lease was
	reported  bool      // whether it has ever had a Ready condition
	mark      bool      // its pods are to be marked as not ready

	come *corev1.Node // if that is still to be announced
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{
		cache:    cache,
		client:   client,
		recorder: recorder,
		clock:    clock,
		nodes:    map[string]*health{},
		zones:    map[string]*zone{},
		gone:     map[string]*corev1.Node{},
	}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: l.forNode},
			{Resource: leaseResource, Map: l.forLease},
			{Resource: podResource, Map: l.forPod},
		},
		Reconciler: l,
		Workers:    workers,
	}
}

// forLease notes a sign of life; a silent node's turn comes by its own timer.
func (l *loop) forLease(event store.Event) []controller.Request {
	lease := event.Object.(*coordinationv1.Lease)
	if event.Type == store.Deleted || event.Key.Namespace != corev1.NamespaceNodeLease || lease.Spec.RenewTime == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.nodes[event.Key.Name]; ok {
		h.renew(lease, l.clock.Now())
	}
	return nil
}

func (h *health) renew(lease *coordinationv1.Lease, now time.Time) {
	if renewed := lease.Spec.RenewTime.Time; renewed.After(h.renewed) {
		h.renewed = renewed
		h.probed = now
	}
}

// forPod has pods marked that come to a node which is not ready.
func (l *loop) forPod(event store.Event) []controller.Request {
	pod := event.Object.(*corev1.Pod)
	if event.Type == store.Deleted || pod.Spec.NodeName == "" || event.Prev != nil && event.Prev.(*corev1.Pod).Spec.NodeName != "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.nodes[pod.Spec.NodeName]
	if !ok || !h.reported || h.ready == corev1.ConditionTrue {
		return nil
	}
	h.mark = true
	return []controller.Request{{Name: pod.Spec.NodeName}}
}

func (l *loop) forNode(event store.Event) []controller.Request {
	node := event.Object.(*corev1.Node)
	l.mu.Lock()
	defer l.mu.Unlock()
	h, known := l.nodes[node.Name]
	requests := []controller.Request{{Name: node.Name}}
	if event.Type == store.Deleted {
		if known {
			l.count(node.Name, h, -1)
			delete(l.nodes, node.Name)
			l.gone[node.Name] = node
		}
		return append(requests, l.assess("")...)
	}
	now := l.clock.Now()
	next := health{probed: now, come: node}
	if known {
		next = *h
	}
	next.zone, next.excluded = zoneOf(node), excluded(node)
	next.ready = corev1.ConditionUnknown
	if condition := nodeCondition(node, corev1.NodeReady); condition != nil {
		next.ready = condition.Status
		if !next.reported || !condition.LastHeartbeatTime.Time.Equal(next.heartbeat) {
			next.heartbeat = condition.LastHeartbeatTime.Time
			next.probed = now
		}
		next.reported = true
	} else if !known {
		next.probed = node.CreationTimestamp.Time
	}
	if !known {
		h = &health{}
		l.nodes[node.Name] = h
	}
	changed := !known || h.ready != next.ready
	moved := changed || h.zone != next.zone || h.excluded != next.excluded
	if known && moved {
		l.count(node.Name, h, -1)
	}
	*h = next
	if !changed && sameForUs(event.Prev, node) {
		requests = nil // a heartbeat
	}
	if moved {
		l.count(node.Name, h, +1)
		requests = append(requests, l.assess(h.zone)...)
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if request.Namespace == zoneRequests {
		return l.evictZone(ctx, request.Name)
	}
	return l.check(ctx, request.Name)
}
