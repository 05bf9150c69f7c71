package nodelifecycle

import (
	"context"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/about"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

// kube-controller-manager's defaults for how fast nodes are evicted: one in
// --node-eviction-rate seconds; a zone of which --unhealthy-zone-threshold is
// not ready, with at least three nodes, one in --secondary-node-eviction-rate
// seconds if it has more than --large-cluster-size-threshold nodes, else none.
const (
	normalPace   = 10 * time.Second
	slowPace     = 100 * time.Second
	stopped      = time.Duration(0)
	largeZone    = 50
	unhealthy    = 0.55
	leastUnready = 3

	// notReadyGrace is for nodes that say themselves that they are not ready,
	// as new ones do for a moment (--node-monitor-period).
	notReadyGrace = 5 * time.Second
)

// zone is a failure domain.
type zone struct {
	census
	unreadyNodes map[string]struct{} // also those that are not counted
	next         time.Time           // when the next eviction may be
}

// census counts nodes.
type census struct{ ready, unready int }

func (c *census) add(h *health, sign int) {
	switch {
	case h.excluded:
	case h.ready == corev1.ConditionTrue:
		c.ready += sign
	default:
		c.unready += sign
	}
}

// pace is how long to wait from one eviction to the next.
func (c census) pace() time.Duration {
	total := c.ready + c.unready
	switch {
	case c.unready < leastUnready || c.ready == 0 || float64(c.unready)/float64(total) < unhealthy:
		return normalPace
	case total > largeZone:
		return slowPace
	}
	return stopped
}

// count takes a node into account, or out of it.
func (l *loop) count(name string, h *health, sign int) {
	z, ok := l.zones[h.zone]
	if !ok {
		z = &zone{unreadyNodes: map[string]struct{}{}}
		l.zones[h.zone] = z
	}
	z.add(h, sign)
	l.total.add(h, sign)
	if sign > 0 && h.ready != corev1.ConditionTrue {
		z.unreadyNodes[name] = struct{}{}
	} else {
		delete(z.unreadyNodes, name)
	}
}

// assess finds out whether the whole cluster is dark, after a node of a zone
// has changed. It returns requests for the zones that may have something to do.
func (l *loop) assess(changed string) []controller.Request {
	dark := l.total.ready == 0 && l.total.unready > 0
	if dark == l.dark {
		if z, ok := l.zones[changed]; ok && len(z.unreadyNodes) > 0 {
			return []controller.Request{{Namespace: zoneRequests, Name: changed}}
		}
		return nil
	}
	l.dark = dark
	if !dark {
		// What was silent may only have been out of sight: it gets a new term.
		for _, h := range l.nodes {
			h.probed = l.clock.Now()
		}
	}
	var requests []controller.Request
	for _, name := range slices.Sorted(maps.Keys(l.zones)) {
		requests = append(requests, controller.Request{Namespace: zoneRequests, Name: name})
	}
	return requests
}

// evictZone taints the next node of a zone whose pods are to go, if it is time;
// when the whole cluster is dark it takes such taints off again.
func (l *loop) evictZone(ctx context.Context, name string) (controller.Result, error) {
	l.mu.Lock()
	z, ok := l.zones[name]
	if !ok {
		l.mu.Unlock()
		return controller.Result{}, nil
	}
	pace, next, dark := z.pace(), z.next, l.dark
	unready := slices.Sorted(maps.Keys(z.unreadyNodes))
	l.mu.Unlock()
	if dark {
		return controller.Result{}, l.pardon(ctx, unready)
	}
	node, from := l.nextToEvict(unready)
	if node == nil || pace == stopped {
		return controller.Result{}, nil
	}
	now := l.clock.Now()
	if from.After(next) {
		next = from
	}
	if wait := next.Sub(now); wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	if err := l.taintForEviction(about.Object(ctx, resource, "", node.Name), node.Name); err != nil {
		return controller.Result{}, ignoreNotFound(err)
	}
	l.mu.Lock()
	z.next = now.Add(pace)
	l.mu.Unlock()
	return controller.Result{RequeueAfter: pace}, nil // for another one
}

// nextToEvict is the node whose turn it is first, and from when on.
func (l *loop) nextToEvict(unready []string) (next *corev1.Node, from time.Time) {
	for _, name := range unready {
		node, ok := cache.Get[*corev1.Node](l.cache, resource, "", name)
		if !ok {
			continue
		}
		c := nodeCondition(node, corev1.NodeReady)
		if c == nil || c.Status == corev1.ConditionTrue || hasTaint(node, noExecute(c.Status), corev1.TaintEffectNoExecute) {
			continue
		}
		due := c.LastTransitionTime.Time
		if c.Status == corev1.ConditionFalse {
			due = due.Add(notReadyGrace)
		}
		if next == nil || due.Before(from) {
			next, from = node, due
		}
	}
	return next, from
}

func (l *loop) taintForEviction(ctx context.Context, name string) error {
	_, err := client.Modify(ctx, l.client, resource, "", name, l.client.Update, func(node *corev1.Node) bool {
		c := nodeCondition(node, corev1.NodeReady)
		if c == nil || c.Status == corev1.ConditionTrue {
			return false
		}
		key := noExecute(c.Status)
		if hasTaint(node, key, corev1.TaintEffectNoExecute) {
			return false
		}
		now := stamp.Now(l.clock)
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoExecute, TimeAdded: &now})
		return true
	})
	return err
}

// pardon takes the taints that evict off nodes that are not ready.
func (l *loop) pardon(ctx context.Context, unready []string) error {
	for _, name := range unready {
		_, err := client.Modify(about.Object(ctx, resource, "", name), l.client, resource, "", name, l.client.Update, func(node *corev1.Node) bool {
			kept := slices.DeleteFunc(slices.Clone(node.Spec.Taints), func(t corev1.Taint) bool {
				return t.Effect == corev1.TaintEffectNoExecute && (t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable)
			})
			changed := len(kept) < len(node.Spec.Taints)
			node.Spec.Taints = kept
			return changed
		})
		if err := ignoreNotFound(err); err != nil {
			return err
		}
	}
	return nil
}
