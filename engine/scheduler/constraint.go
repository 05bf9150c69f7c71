package scheduler

import (
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// constraint is one of a pod's own topology spread constraints.
type constraint struct {
	label               string
	hard                bool
	maxSkew, minDomains int64
	selector            labels.Selector
	self                int64 // 1 if the pod is one of those that it spreads
	anyNode, anyTaint   bool  // nodes count that the pod's affinity, or its tolerations, exclude
}

func constraintsOf(pod *corev1.Pod) []constraint {
	var all []constraint
	for i := range pod.Spec.TopologySpreadConstraints {
		spec := &pod.Spec.TopologySpreadConstraints[i]
		c := constraint{
			label: spec.TopologyKey, hard: spec.WhenUnsatisfiable == corev1.DoNotSchedule,
			maxSkew: int64(spec.MaxSkew), minDomains: 1, selector: selectorOf(spec.LabelSelector),
			anyNode:  spec.NodeAffinityPolicy != nil && *spec.NodeAffinityPolicy == corev1.NodeInclusionPolicyIgnore,
			anyTaint: spec.NodeTaintsPolicy == nil || *spec.NodeTaintsPolicy == corev1.NodeInclusionPolicyIgnore,
		}
		if spec.MinDomains != nil {
			c.minDomains = int64(*spec.MinDomains)
		}
		if c.selector.Matches(labels.Set(pod.Labels)) {
			c.self = 1
		}
		all = append(all, c)
	}
	return all
}

// includes reports whether a node's pods count for a pod's constraint.
func (c *constraint) includes(p *podInfo, n *nodeInfo) bool {
	return (c.anyNode || nodeAffinity(p, n) == nil) && (c.anyTaint || taintToleration(p, n) == nil)
}

// spreading is a hard constraint with what it counts at one attempt.
type spreading struct {
	*constraint
	*topology
	pods    *spreadGroup
	counts  []int64
	present []bool // domains that have nodes
	lowest  int64
	fresh   bool // lowest is up to date
}

// hasAll reports whether a node has the labels of all the constraints.
func hasAll(all []spreading, n *nodeInfo) bool {
	for i := range all {
		if all[i].domain(n) == none {
			return false
		}
	}
	return true
}

// spreadings counts for a pod's hard constraints.
func (s *Scheduler) spreadings(p *podInfo) []spreading {
	var all []spreading
	for i := range p.constraints {
		if c := &p.constraints[i]; c.hard {
			all = append(all, spreading{constraint: c, topology: s.cluster.topology(c.label), pods: s.cluster.openSpread(p.Namespace, c.selector)})
		}
	}
	for _, n := range s.cluster.nodes {
		if !hasAll(all, n) {
			continue
		}
		for i := range all {
			if t := &all[i]; t.includes(p, n) {
				id := t.domain(n)
				t.counts = reach(t.counts, id)
				t.counts[id] += at(t.pods.onNode, n.slot)
				for id >= len(t.present) {
					t.present = append(t.present, false)
				}
				t.present[id] = true
			}
		}
	}
	return all
}

// minimum is the count of the domain with the fewest pods; none are in a domain
// that is still missing.
func (t *spreading) minimum() int64 {
	if t.fresh {
		return t.lowest
	}
	t.lowest, t.fresh = math.MaxInt64, true
	found := int64(0)
	for id, present := range t.present {
		if present {
			found++
			t.lowest = min(t.lowest, t.counts[id])
		}
	}
	if found < t.minDomains || found == 0 {
		t.lowest = 0
	}
	return t.lowest
}

// adjust follows a pod that comes to (1) or leaves (-1) a node for a trial.
func (t *spreading) adjust(p, peer *podInfo, n *nodeInfo, by int64) {
	if t.pods.matches(peer) && t.domain(n) != none && t.includes(p, n) {
		t.counts[t.domain(n)] += by
		t.fresh = false
	}
}

var (
	skewed        = &refusal{"PodTopologySpread", []string{"node(s) didn't match pod topology spread constraints"}, false}
	withoutDomain = &refusal{"PodTopologySpread", []string{"node(s) didn't match pod topology spread constraints (missing required label)"}, true}
)

func (t *spreading) check(n *nodeInfo) *refusal {
	id := t.domain(n)
	if id == none {
		return withoutDomain
	}
	if at(t.counts, id)+t.self-t.minimum() > t.maxSkew {
		return skewed
	}
	return nil
}

// scoreConstraints prefers nodes in domains with fewer of the pods that the
// pod's soft constraints spread.
func (s *Scheduler) scoreConstraints(p *podInfo, nodes []*nodeInfo, scores []int64) {
	clear(scores)
	var all []spreading
	for i := range p.constraints {
		if c := &p.constraints[i]; !c.hard {
			all = append(all, spreading{constraint: c, topology: s.cluster.topology(c.label), pods: s.cluster.openSpread(p.Namespace, c.selector)})
		}
	}
	if len(all) == 0 {
		return
	}
	judged := 0
	sizes := make([]int, len(all))
	for _, n := range nodes {
		if !hasAll(all, n) {
			continue
		}
		judged++
		for i := range all {
			t := &all[i]
			for id := t.domain(n); id >= len(t.present); {
				t.present = append(t.present, false)
			}
			if id := t.domain(n); !t.present[id] {
				t.present[id] = true
				sizes[i]++
			}
		}
	}
	s.countSoft(p, all)
	weights := make([]float64, len(all))
	for i := range all {
		if all[i].label == corev1.LabelHostname {
			sizes[i] = judged
		}
		weights[i] = logarithm(sizes[i] + 2)
	}
	lowest, highest := int64(math.MaxInt64), int64(0)
	for i, n := range nodes {
		if !hasAll(all, n) {
			scores[i] = -1
			continue
		}
		score := 0.0
		for j := range all {
			t := &all[j]
			count := at(t.counts, t.domain(n))
			if t.label == corev1.LabelHostname {
				count = at(t.pods.onNode, n.slot)
			}
			score += float64(float64(count)*weights[j]) + float64(t.maxSkew-1)
		}
		scores[i] = int64(math.Round(score))
		lowest, highest = min(lowest, scores[i]), max(highest, scores[i])
	}
	for i := range scores {
		switch {
		case scores[i] < 0: // it lacks a label
			scores[i] = 0
		case highest == 0:
			scores[i] = maxScore
		default:
			scores[i] = maxScore * (highest + lowest - scores[i]) / highest
		}
	}
}

// countSoft counts the pods in the domains of the nodes that are judged.
func (s *Scheduler) countSoft(p *podInfo, all []spreading) {
	for _, n := range s.cluster.nodes {
		if !hasAll(all, n) {
			continue
		}
		for i := range all {
			t := &all[i]
			if id := t.domain(n); id < len(t.present) && t.present[id] && t.includes(p, n) {
				t.counts = reach(t.counts, id)
				t.counts[id] += at(t.pods.onNode, n.slot)
			}
		}
	}
}
