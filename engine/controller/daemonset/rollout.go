package daemonset

import (
	"context"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller/internal/history"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// surge is how many nodes, of a number, may have an old and a new pod at a time;
// unavailable is how many may have none that is available.
func (t *turn) surge(nodes int) int {
	return t.limit(nodes, func(r *appsv1.RollingUpdateDaemonSet) *intstr.IntOrString { return r.MaxSurge })
}

func (t *turn) unavailable(nodes int) int {
	return t.limit(nodes, func(r *appsv1.RollingUpdateDaemonSet) *intstr.IntOrString { return r.MaxUnavailable })
}

func (t *turn) limit(nodes int, of func(*appsv1.RollingUpdateDaemonSet) *intstr.IntOrString) int {
	strategy := &t.ds.Spec.UpdateStrategy
	if strategy.Type != appsv1.RollingUpdateDaemonSetStrategyType || strategy.RollingUpdate == nil || of(strategy.RollingUpdate) == nil {
		return 0
	}
	count, err := intstr.GetScaledValueFromIntOrPercent(of(strategy.RollingUpdate), nodes, true)
	if err != nil {
		return 0 // validation has seen to its form
	}
	return count
}

func (t *turn) available(pod *corev1.Pod) bool {
	available, wait := podutil.Available(pod, time.Duration(t.ds.Spec.MinReadySeconds)*time.Second, t.clock.Now())
	if !available {
		t.checkAfter(wait)
	}
	return available
}

// isCurrent reports whether a pod is of the present template.
func (t *turn) isCurrent(pod *corev1.Pod) bool {
	generation := t.ds.Annotations[appsv1.DeprecatedTemplateGeneration]
	return pod.Labels[history.HashLabel] == t.hash || generation != "" && pod.Labels[templateGenerationLabel] == generation
}

// pair is what a node has of the old templates and of the present one.
type pair struct {
	node         string
	old, current *corev1.Pod
	excess       bool // there are more: manage will see to that
}

// pairs are those of the nodes that have pods or should have one, by name.
func (t *turn) pairs() (list []pair, wanted int) {
	byNode := t.podsByNode()
	for _, node := range t.nodes {
		run, _ := t.wants(node)
		if run {
			wanted++
		}
		if _, has := byNode[node.Name]; run && !has {
			byNode[node.Name] = nil
		}
	}
	for node, pods := range byNode {
		p := pair{node: node}
		for _, pod := range notDeleted(pods) {
			place := &p.old
			if t.isCurrent(pod) {
				place = &p.current
			}
			if *place != nil {
				p = pair{node: node, excess: true}
				break
			}
			*place = pod
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b pair) int {
		if a.node < b.node {
			return -1
		}
		return 1
	})
	return list, wanted
}

// roll replaces old pods as far as the strategy's limits allow.
func (t *turn) roll(ctx context.Context) error {
	pairs, wanted := t.pairs()
	surge, unavailable := t.surge(wanted), t.unavailable(wanted)
	if wanted > 0 && surge == 0 && unavailable == 0 {
		unavailable = 1 // else nothing could ever move
	}
	if surge == 0 {
		return t.carryOut(ctx, plan{delete: t.replaceable(pairs, unavailable)})
	}
	return t.carryOut(ctx, t.surgeOver(pairs, surge, wanted))
}

// replaceable are the old pods that can go: those that are of no use, and as
// many others as may be missing.
func (t *turn) replaceable(pairs []pair, limit int) []*corev1.Pod {
	missing := 0
	var useless, candidates []*corev1.Pod
	for _, p := range pairs {
		switch {
		case p.excess, (p.old == nil) == (p.current == nil):
			missing++
		case p.current != nil:
			if !t.available(p.current) {
				missing++
			}
		case !t.available(p.old):
			useless = append(useless, p.old)
			missing++
		default:
			candidates = append(candidates, p.old)
		}
	}
	room := min(max(limit-missing, 0), len(candidates))
	return append(useless, candidates[:room]...)
}

// surgeOver starts new pods beside old ones, which go when those are available.
func (t *turn) surgeOver(pairs []pair, limit, wanted int) plan {
	var p plan
	var candidates []string
	var sunset []*corev1.Pod // on nodes that should have none any more
	surging, available := 0, 0
	for _, each := range pairs {
		if each.excess {
			surging++
			continue
		}
		switch {
		case each.old != nil && t.available(each.old), each.old == nil && each.current != nil && t.available(each.current):
			available++
		}
		if each.old == nil {
			continue
		}
		if each.current != nil {
			if t.available(each.current) {
				p.delete = append(p.delete, each.old)
			} else {
				surging++
			}
			continue
		}
		node, ok := cache.Get[*corev1.Node](t.cache, nodeResource, "", each.node)
		run := false
		if ok {
			run, _ = t.wants(node)
		}
		switch usable := t.available(each.old); {
		case !run && !usable:
			p.delete = append(p.delete, each.old)
		case !run:
			sunset = append(sunset, each.old)
		case !usable:
			p.create = append(p.create, each.node)
		default:
			candidates = append(candidates, each.node)
		}
	}
	p.delete = append(p.delete, sunset[:min(max(available-wanted, 0), len(sunset))]...)
	p.create = append(p.create, candidates[:min(max(limit-surging, 0), len(candidates))]...)
	return p
}
