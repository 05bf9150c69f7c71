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

// choose returns the node for a pod; nil with each node's refusal if there is
// none. The verdict on every node that was looked at is kept.
func (s *Scheduler) choose(p *podInfo) (*nodeInfo, []*refusal) {
	nodes := s.cluster.nodes
	s.feasible = s.feasible[:0]
	var refusals []*refusal
	verdict := verdict{at: s.clock.Now(), refused: nil}
	wanted := feasibleToFind(len(nodes))
	looked := 0
	for ; looked < len(nodes) && len(s.feasible) < wanted; looked++ {
		n := nodes[(s.start+looked)%len(nodes)]
		if r := check(p, n); r != nil {
			refusals = append(refusals, r)
			verdict.refused = append(verdict.refused, refused{n.name, r})
			continue
		}
		s.feasible = append(s.feasible, n)
	}
	if len(nodes) > 0 {
		s.start = (s.start + looked) % len(nodes)
	}
	var chosen *nodeInfo
	if len(s.feasible) > 0 {
		s.score(p)
		chosen = s.feasible[s.pick()]
		verdict.chosen = chosen.name
		verdict.keepScores(s.feasible, s.scores, s.totals)
	}
	s.verdicts.keep(p.UID, verdict)
	return chosen, refusals
}

func check(p *podInfo, n *nodeInfo) *refusal {
	for _, filter := range filters {
		if r := filter(p, n); r != nil {
			return r
		}
	}
	return nil
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
