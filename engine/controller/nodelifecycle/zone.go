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
)

// zone is a failure domain.
type zone struct {
	pace time.Duration // between two evictions; stopped: none
	next time.Time     // when the next one may be
}

// assess works out at what pace each zone evicts, after a node has changed. It
// returns requests for the zones that may now have something to do.
func (l *loop) assess() []controller.Request {
	type census struct{ ready, unready int }
	counts := map[string]census{}
	for _, h := range l.nodes {
		if h.excluded {
			continue
		}
		c := counts[h.zone]
		if h.ready == corev1.ConditionTrue {
			c.ready++
		} else {
			c.unready++
		}
		counts[h.zone] = c
	}
	dark := len(counts) > 0
	for _, c := range counts {
		if c.ready > 0 {
			dark = false
		}
	}
	if l.dark && !dark {
		// What was silent may only have been out of sight: it gets a new term.
		for _, h := range l.nodes {
			h.probed = l.clock.Now()
		}
	}
	l.dark = dark
	var requests []controller.Request
	for _, h := range l.nodes {
		if _, ok := l.zones[h.zone]; !ok {
			l.zones[h.zone] = &zone{pace: normalPace}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.zones)) {
		c := counts[name]
		z := l.zones[name]
		switch {
		case dark:
			z.pace = stopped
		case c.unready >= leastUnready && c.ready > 0 && float64(c.unready)/float64(c.ready+c.unready) >= unhealthy:
			z.pace = stopped
			if c.ready+c.unready > largeZone {
				z.pace = slowPace
			}
		default:
			z.pace = normalPace
		}
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
	pace, next, dark := z.pace, z.next, l.dark
	var members []string
	for member, h := range l.nodes {
		if h.zone == name {
			members = append(members, member)
		}
	}
	l.mu.Unlock()
	slices.Sort(members)
	if dark {
		return controller.Result{}, l.pardon(ctx, members)
	}
	node, more := l.nextToEvict(members)
	if node == nil || pace == stopped {
		return controller.Result{}, nil
	}
	now := l.clock.Now()
	if wait := next.Sub(now); wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	if err := l.taintForEviction(ctx, node.Name); err != nil {
		return controller.Result{}, ignoreNotFound(err)
	}
	l.mu.Lock()
	z.next = now.Add(pace)
	l.mu.Unlock()
	if more {
		return controller.Result{RequeueAfter: pace}, nil
	}
	return controller.Result{}, nil
}

// nextToEvict is the node that has been out of order the longest without being
// tainted for it.
func (l *loop) nextToEvict(members []string) (next *corev1.Node, more bool) {
	var since time.Time
	for _, name := range members {
		node, ok := cache.Get[*corev1.Node](l.cache, resource, "", name)
		if !ok {
			continue
		}
		c := nodeCondition(node, corev1.NodeReady)
		if c == nil || c.Status == corev1.ConditionTrue || hasTaint(node, noExecute(c.Status), corev1.TaintEffectNoExecute) {
			continue
		}
		if next != nil {
			more = true
		}
		if next == nil || c.LastTransitionTime.Time.Before(since) {
			next, since = node, c.LastTransitionTime.Time
		}
	}
	return next, more
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
func (l *loop) pardon(ctx context.Context, members []string) error {
	for _, name := range members {
		_, err := client.Modify(ctx, l.client, resource, "", name, l.client.Update, func(node *corev1.Node) bool {
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
