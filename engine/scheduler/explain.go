package scheduler

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Explanation is the scheduler's latest verdict on a pod.
type Explanation struct {
	At time.Time
	// Node is where the pod went; empty if nowhere.
	Node  string
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

// maxVerdicts bounds how many pods' verdicts are kept: the latest.
const maxVerdicts = 2048

// verdict is an Explanation in little room: there is one per pod.
type verdict struct {
	at      time.Time
	chosen  string
	refused []refused
	nodes   []string
	scores  []uint8 // a row of len(scorers) for each of nodes
	totals  []int32
}

type refused struct {
	node string
	*refusal
}

func (v *verdict) keepScores(nodes []*nodeInfo, scores, totals []int64) {
	count := len(nodes)
	v.nodes = make([]string, count)
	v.totals = make([]int32, count)
	v.scores = make([]uint8, count*len(scorers))
	for i, n := range nodes {
		v.nodes[i] = n.name
		v.totals[i] = int32(totals[i])
		for row := range scorers {
			v.scores[i*len(scorers)+row] = uint8(scores[row*count+i])
		}
	}
}

// verdicts are the latest ones, by pod.
type verdicts struct {
	byPod map[types.UID]verdict
	order []types.UID // a ring of the pods, the oldest at next once it is full
	next  int
}

func newVerdicts() verdicts { return verdicts{byPod: map[types.UID]verdict{}} }

func (v *verdicts) keep(pod types.UID, latest verdict) {
	if _, ok := v.byPod[pod]; !ok {
		if len(v.order) < maxVerdicts {
			v.order = append(v.order, pod)
		} else {
			delete(v.byPod, v.order[v.next])
			v.order[v.next] = pod
			v.next = (v.next + 1) % maxVerdicts
		}
	}
	v.byPod[pod] = latest
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
	e := Explanation{At: v.at, Node: v.chosen}
	for _, r := range v.refused {
		e.Nodes = append(e.Nodes, NodeVerdict{Node: r.node, Plugin: r.plugin, Reasons: r.reasons})
	}
	for i, node := range v.nodes {
		n := NodeVerdict{Node: node, Total: int64(v.totals[i])}
		for row, scorer := range scorers {
			n.Scores = append(n.Scores, PluginScore{scorer.name, scorer.weight, int64(v.scores[i*len(scorers)+row])})
		}
		e.Nodes = append(e.Nodes, n)
	}
	return e, true
}
