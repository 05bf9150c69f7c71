package scheduler

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Explanation is the scheduler's latest verdict on a pod.
type Explanation struct {
	At time.Time
	// Node is where the pod went; empty if nowhere.
	Node string
	// Feasible and Refused count the nodes that could take the pod and those
	// that could not. A large cluster is not searched whole.
	Feasible, Refused int
	// Nodes are the verdicts on the nodes in the order in which they were looked
	// at, the refused first. Of a large cluster's there are only some, the
	// chosen node's among them.
	Nodes []NodeVerdict
}

// NodeVerdict says why a node can't take the pod, or how well it suits it.
type NodeVerdict struct {
	Node string
	// Plugin and Reasons are set for a node that was refused.
	Plugin  string
	Reasons []string
	// Scores, in the order of the plugins, and their weighted Total are set for
	// one that was not.
	Scores []PluginScore
	Total  int64
}

// PluginScore is one plugin's part of a node's total, before its weight.
type PluginScore struct {
	Plugin string
	Weight int64
	Score  int64 // from 0 to 100
}

const (
	// maxVerdicts bounds how many pods' verdicts are kept: the latest.
	maxVerdicts = 2048
	// maxVerdictNodes bounds how many refused and how many feasible nodes' are
	// kept for each.
	maxVerdictNodes = 100
)

// verdict is an Explanation in little room: there is one per pod.
type verdict struct {
	pod               types.UID
	at                time.Time
	chosen            string
	feasible, refusal int // counts
	refused           []refused
	judged            []judged
}

type refused struct {
	node string
	why  *refusal
}

type judged struct {
	node   string
	total  int32
	scores [scorerCount]uint8
}

func (v *verdict) refuse(node string, why *refusal) {
	v.refusal++
	if len(v.refused) < maxVerdictNodes {
		v.refused = append(v.refused, refused{node, why})
	}
}

// keepScores keeps the scores of the feasible nodes, of which the one at chosen
// was chosen.
func (v *verdict) keepScores(nodes []*nodeInfo, scores, totals []int64, chosen int) {
	v.chosen, v.feasible = nodes[chosen].name, len(nodes)
	v.judged = slices.Grow(v.judged, min(len(nodes), maxVerdictNodes))
	for i := range nodes[:min(len(nodes), maxVerdictNodes)] {
		if i == maxVerdictNodes-1 && chosen > i {
			i = chosen
		}
		j := judged{node: nodes[i].name, total: int32(totals[i])}
		for row := range scorers {
			j.scores[row] = uint8(scores[row*len(nodes)+i])
		}
		v.judged = append(v.judged, j)
	}
}

// verdicts are the latest ones, by pod.
type verdicts struct {
	byPod map[types.UID]*verdict
	order []*verdict // a ring, the oldest at next once it is full
	next  int
}

func newVerdicts() verdicts { return verdicts{byPod: map[types.UID]*verdict{}} }

// open returns an empty verdict for a pod, instead of its last and, when there
// are too many, of the oldest one's.
func (v *verdicts) open(pod types.UID) *verdict {
	latest, ok := v.byPod[pod]
	switch {
	case ok:
	case len(v.order) < maxVerdicts:
		latest = &verdict{}
		v.order = append(v.order, latest)
	default:
		latest = v.order[v.next]
		v.next = (v.next + 1) % maxVerdicts
		v.forget(latest.pod)
	}
	*latest = verdict{pod: pod, refused: latest.refused[:0], judged: latest.judged[:0]}
	v.byPod[pod] = latest
	return latest
}

func (v *verdicts) forget(pod types.UID) { delete(v.byPod, pod) }

// Explain returns the latest verdict on a pod; false if it is not known, or not
// any more.
func (s *Scheduler) Explain(pod types.UID) (Explanation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.verdicts.byPod[pod]
	if !ok {
		return Explanation{}, false
	}
	e := Explanation{At: v.at, Node: v.chosen, Feasible: v.feasible, Refused: v.refusal}
	for _, r := range v.refused {
		e.Nodes = append(e.Nodes, NodeVerdict{Node: r.node, Plugin: r.why.plugin, Reasons: r.why.reasons})
	}
	for i := range v.judged {
		j := &v.judged[i]
		n := NodeVerdict{Node: j.node, Total: int64(j.total)}
		for row := range scorers {
			n.Scores = append(n.Scores, PluginScore{scorers[row].name, scorers[row].weight, int64(j.scores[row])})
		}
		e.Nodes = append(e.Nodes, n)
	}
	return e, true
}
