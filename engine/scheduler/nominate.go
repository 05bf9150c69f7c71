package scheduler

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// nominate keeps room on a node for a pod that others are about to make place
// for.
func (c *cluster) nominate(p *podInfo, node string) {
	c.denominate(p.UID)
	n := c.node(node)
	n.nominated = append(n.nominated, p)
	c.nominated[p.UID] = &placement{p, n}
}

// denominate gives the room up; it returns the node, nil if there was none.
func (c *cluster) denominate(uid types.UID) *nodeInfo {
	at, ok := c.nominated[uid]
	if !ok {
		return nil
	}
	delete(c.nominated, uid)
	at.node.nominated = slices.DeleteFunc(at.node.nominated, func(p *podInfo) bool { return p.UID == uid })
	c.forget(at.node)
	return at.node
}

// considerWithNominated asks about a node as if the pods that are nominated to
// it and not less important were there.
func (s *Scheduler) considerWithNominated(p *podInfo, n *nodeInfo) (*refusal, change) {
	var added []*podInfo
	for _, other := range n.nominated {
		if other.UID != p.UID && priority(other.Pod) >= priority(p.Pod) {
			added = append(added, other)
		}
	}
	if len(added) == 0 {
		return nil, 0
	}
	for _, other := range added {
		s.try(p, other, n, 1)
	}
	r, helps := check(p, n)
	if r == nil {
		if r = s.company.check(n); r != nil {
			helps = companyHelps
		}
	}
	for _, other := range added {
		s.try(p, other, n, -1)
	}
	return r, helps
}

// try puts another pod on a node (1), or takes it off (-1), for the attempt to
// place a pod.
func (s *Scheduler) try(p, other *podInfo, n *nodeInfo, by int64) {
	if by > 0 {
		s.cluster.put(other, n)
	} else {
		s.cluster.take(other, n)
	}
	for i := range s.company.spreads {
		s.company.spreads[i].adjust(p, other, n, by)
	}
}

// nominatedFits makes the node that a pod is nominated to, if it can take the
// pod now, the only one that is considered.
func (s *Scheduler) nominatedFits(p *podInfo) bool {
	at, ok := s.cluster.nominated[p.UID]
	if !ok || at.node.Node == nil {
		return false
	}
	if r, _ := s.consider(p, at.node); r != nil {
		return false
	}
	s.feasible = append(s.feasible, at.node)
	return true
}
