package scheduler

import "k8s.io/apimachinery/pkg/labels"

// company is what other pods mean to the pod of an attempt: its own terms and
// constraints, and the terms of those that are there.
type company struct {
	spreads []spreading
	// near has a count for each of the pod's required terms, of the pods that
	// all of them select; first says that the pod itself would be one.
	near    []*domains
	first   bool
	apart   []*domains
	against []*domains
}

var (
	notNear      = &refusal{"InterPodAffinity", []string{"node(s) didn't match pod affinity rules"}, true}
	notApart     = &refusal{"InterPodAffinity", []string{"node(s) didn't match pod anti-affinity rules"}, false}
	otherwiseNot = &refusal{"InterPodAffinity", []string{"node(s) didn't satisfy existing pods anti-affinity rules"}, false}
)

// meet works out the company of a pod.
func (s *Scheduler) meet(p *podInfo) {
	c := &s.company
	*c = company{near: c.near[:0], apart: c.apart[:0], against: c.against[:0]}
	if len(p.constraints) > 0 {
		c.spreads = s.spreadings(p)
	}
	if a := p.affinities; a != nil {
		if len(a.near) > 0 {
			peers := s.peers(a.near...)
			for i := range a.near {
				c.near = append(c.near, peers.by(&s.cluster, a.near[i].key))
			}
			c.first = s.selectsAll(a.near, p)
		}
		for i := range a.apart {
			c.apart = append(c.apart, s.peers(a.apart[i]).by(&s.cluster, a.apart[i].key))
		}
	}
	for _, t := range s.cluster.carried { // whether any refuses does not depend on the order
		if t.apart && s.selects(&t.term, p) {
			c.against = append(c.against, t.by(&s.cluster, t.term.key))
		}
	}
}

// changes after which a pod that others have kept from a node may get there.
const companyHelps = nodeAdded | nodeLabels | nodeTaints | peerChanged

// check refuses nodes for the pods that are, or are not, near.
func (c *company) check(n *nodeInfo) *refusal {
	for i := range c.spreads {
		if r := c.spreads[i].check(n); r != nil {
			return r
		}
	}
	if len(c.near) > 0 && !c.isNear(n) {
		return notNear
	}
	for _, d := range c.apart {
		if d.on(n) > 0 {
			return notApart
		}
	}
	for _, d := range c.against {
		if d.on(n) > 0 {
			return otherwiseNot
		}
	}
	return nil
}

// isNear lets the first of pods that want to be near each other go anywhere.
func (c *company) isNear(n *nodeInfo) bool {
	all, any := true, false
	for _, d := range c.near {
		if d.domain(n) == none {
			return false
		}
		all = all && d.on(n) > 0
		any = any || d.sum > 0
	}
	return all || !any && c.first
}

// concerns reports whether a pod that has come or gone may change what company
// refuses to another one.
func (s *Scheduler) concerns(p, peer *podInfo) bool {
	for i := range p.constraints {
		if p.Namespace == peer.Namespace && p.constraints[i].selector.Matches(labels.Set(peer.Labels)) {
			return true
		}
	}
	if a := p.affinities; a != nil {
		for _, terms := range [...][]affinityTerm{a.near, a.apart} {
			for i := range terms {
				if s.selects(&terms[i], peer) {
					return true
				}
			}
		}
	}
	if a := peer.affinities; a != nil {
		for i := range a.apart {
			if s.selects(&a.apart[i], p) {
				return true
			}
		}
	}
	return false
}
