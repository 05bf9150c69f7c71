package scheduler

// Large clusters are not searched whole: from minFeasible nodes on, a part of
// them that shrinks with the cluster's size is enough
// (pkg/scheduler.numFeasibleNodesToFind).
const (
	minFeasible        = 100
	minFeasiblePercent = 5
)

func feasibleToFind(nodes int) int {
	if nodes < minFeasible {
		return nodes
	}
	percent := max(50-nodes/125, minFeasiblePercent)
	return max(nodes*percent/100, minFeasible)
}

// conflicting is why no node can take a pod whose affinity contradicts itself.
const conflicting = "pod affinity terms conflict"

var affinityConflict = &refusal{"NodeAffinity", []string{conflicting}, true}

// decision is what came of the search for a pod's node.
type decision struct {
	node *nodeInfo // nil if none can take it
	// refusals count the nodes that can't.
	refusals histogram
	// conflict, if set, is why none was asked.
	conflict string
	// helps are the changes that may help.
	helps change
	// crowded are the nodes that might do without some of their pods.
	crowded []*nodeInfo
}

// refuse counts a node's refusal.
func (d *decision) refuse(n *nodeInfo, r *refusal, helps change) {
	d.refusals[r]++
	d.helps |= helps
	if !r.unresolvable {
		d.crowded = append(d.crowded, n)
	}
}

// choose looks for the node for a pod. The verdict on every node that was
// looked at is kept.
func (s *Scheduler) choose(p *podInfo) decision {
	d := decision{refusals: s.refusals, crowded: s.crowded[:0]}
	clear(d.refusals)
	s.feasible = s.feasible[:0]
	v := s.verdicts.open(p.UID)
	v.at = s.clock.Now()
	s.meet(p)
	s.storage = s.unpack(p)
	nodes := s.cluster.nodes
	switch {
	case len(nodes) == 0:
		d.helps = nodeAdded
	case s.storage.problem != "":
		d.conflict, d.helps = s.storage.problem, storageChanged
		d.refusals[&refusal{s.storage.plugin, []string{s.storage.problem}, true}] = len(nodes)
	case s.nominatedFits(p):
	case p.only == nil:
		s.search(p, nodes, &d, v)
	case len(p.only) == 0:
		d.conflict, d.helps = conflicting, nodeAdded|nodeLabels
		d.refusals[affinityConflict] = len(nodes)
	default:
		s.named = s.named[:0]
		for _, name := range p.only {
			if n, ok := s.cluster.byName[name]; ok && n.Node != nil {
				s.named = append(s.named, n)
			}
		}
		d.helps = nodeAdded
		if rest := len(nodes) - len(s.named); rest > 0 {
			d.refusals[notNamed] = rest
		}
		s.search(p, s.named, &d, v)
	}
	s.crowded = d.crowded
	if len(s.feasible) > 0 {
		s.score(p)
		best := s.pick()
		d.node = s.feasible[best]
		v.keepScores(s.feasible, s.scores, s.totals, best)
	}
	return d
}

// notNamed refuses the nodes that a pod which names its nodes does not name.
var notNamed = unsatisfied("NodeAffinity")

// search asks the filters about nodes, from where the last search ended, until
// enough are feasible.
func (s *Scheduler) search(p *podInfo, nodes []*nodeInfo, d *decision, v *verdict) {
	wanted, looked := feasibleToFind(len(nodes)), 0
	for at := s.start % max(len(nodes), 1); looked < len(nodes) && len(s.feasible) < wanted; looked++ {
		n := nodes[at]
		if at++; at == len(nodes) {
			at = 0
		}
		if r, helps := s.consider(p, n); r != nil {
			d.refuse(n, r, helps)
			v.refuse(n.name, r)
			continue
		}
		s.feasible = append(s.feasible, n)
	}
	s.start = (s.start + looked) % len(s.cluster.nodes)
}

// score fills in scores and totals of the feasible nodes.
func (s *Scheduler) score(p *podInfo) {
	count := len(s.feasible)
	s.scores = grown(s.scores, count*len(scorers))
	s.totals = grown(s.totals, count)
	clear(s.totals)
	for row, scorer := range scorers {
		scores := s.scores[row*count : (row+1)*count]
		scorer.score(s, p, s.feasible, scores)
		for i, score := range scores {
			s.totals[i] += scorer.weight * score
		}
	}
}

func grown(values []int64, length int) []int64 {
	if cap(values) < length {
		return make([]int64, length, 2*length)
	}
	return values[:length]
}

// pick draws one of the nodes with the highest total, each as likely as the
// others.
func (s *Scheduler) pick() int {
	best, ties := 0, 1
	for i := 1; i < len(s.totals); i++ {
		switch {
		case s.totals[i] > s.totals[best]:
			best, ties = i, 1
		case s.totals[i] == s.totals[best]:
			ties++
			if s.random.IntN(ties) == 0 {
				best = i
			}
		}
	}
	return best
}
