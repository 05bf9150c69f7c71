package scheduler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// placements schedules pods one after the other and says where they went.
func placements(s *Scheduler, pods int) string {
	text := ""
	for i := range pods {
		p := newPodInfo(newPod(fmt.Sprint("p", i), asking("cpu", "100m")))
		d := s.choose(p)
		s.cluster.place(p, d.node.name)
		text += d.node.name + " "
	}
	return text
}

func TestChoosingIsAFunctionOfTheSeed(t *testing.T) {
	first, second := placements(newScheduler(nodesNamed(7)...), 50), placements(newScheduler(nodesNamed(7)...), 50)
	if first != second {
		t.Errorf("got\n%s\nand\n%s", first, second)
	}
}

func TestTheOrderInWhichNodesComeDoesNotMatter(t *testing.T) {
	nodes := nodesNamed(5)
	forth := newScheduler(nodes...)
	back := newScheduler(nodes[4], nodes[2], nodes[3], nodes[0], nodes[1])
	if a, b := placements(forth, 20), placements(back, 20); a != b {
		t.Errorf("got\n%s\nand\n%s", a, b)
	}
}

func TestEqualNodesAreDrawnEvenly(t *testing.T) {
	s := newScheduler(nodesNamed(4)...)
	counts := map[string]int{}
	for i := range 4000 {
		counts[s.choose(newPodInfo(newPod(fmt.Sprint(i)))).node.name]++
	}
	for name, count := range counts {
		if count < 900 || count > 1100 {
			t.Errorf("%s was drawn %d times of 4000", name, count)
		}
	}
}

func TestLargeClustersAreSearchedInParts(t *testing.T) {
	s := newScheduler(nodesNamed(250)...)
	s.choose(newPodInfo(newPod("a")))
	if len(s.feasible) != 120 || s.start != 120 {
		t.Errorf("looked at %d, next from %d", len(s.feasible), s.start)
	}
	s.choose(newPodInfo(newPod("b")))
	s.choose(newPodInfo(newPod("c")))
	if s.start != 110 || s.feasible[0].name != "node-0240" || s.feasible[10].name != "node-0000" {
		t.Errorf("next from %d; the third search began at %s", s.start, s.feasible[0].name)
	}
}

func TestAPodThatNamesItsNodeSearchesNoOther(t *testing.T) {
	s := newScheduler(nodesNamed(250)...)
	d := s.choose(newPodInfo(newPod("p", requiring(named("node-0200")))))
	if d.node == nil || d.node.name != "node-0200" || len(s.feasible) != 1 {
		t.Errorf("got %v of %d nodes", d.node, len(s.feasible))
	}
}

func TestExplain(t *testing.T) {
	s := newScheduler(newNode("a", cordoned), newNode("b"), newNode("c"))
	s.put("b", newPod("q", asking("cpu", "2", "memory", "4Gi")))
	s.choose(newPodInfo(newPod("p", asking("cpu", "1", "memory", "2Gi"))))
	e, ok := s.Explain("p")
	if !ok || e.Node != "c" || e.Feasible != 2 || e.Refused != 1 || len(e.Nodes) != 3 || !e.At.Equal(start) {
		t.Fatalf("got %+v, %v", e, ok)
	}
	if n := e.Nodes[0]; n.Node != "a" || n.Plugin != "NodeUnschedulable" || n.Reasons[0] != "node(s) were unschedulable" {
		t.Errorf("the refused node: %+v", n)
	}
	for _, n := range e.Nodes[1:] {
		var total int64
		for _, score := range n.Scores {
			total += score.Weight * score.Score
		}
		if len(n.Scores) != len(scorers) || total != n.Total {
			t.Errorf("the scores do not add up: %+v", n)
		}
	}
	if e.Nodes[1].Total >= e.Nodes[2].Total {
		t.Errorf("the chosen node is not the best: %+v", e.Nodes)
	}
	if _, ok := s.Explain("nobody"); ok {
		t.Error("explained an unknown pod")
	}
}

func TestVerdictsAreBounded(t *testing.T) {
	s := newScheduler(nodesNamed(300, func(n *corev1.Node) { n.Spec.Unschedulable = n.Name < "node-0150" })...)
	for i := range maxVerdicts + 10 {
		s.choose(newPodInfo(newPod(fmt.Sprint(i))))
	}
	if len(s.verdicts.byPod) != maxVerdicts {
		t.Errorf("%d verdicts are kept", len(s.verdicts.byPod))
	}
	if _, ok := s.Explain("0"); ok {
		t.Error("the oldest verdict is still there")
	}
	e, ok := s.Explain(s.verdicts.order[5].pod)
	if !ok || len(e.Nodes) > 2*maxVerdictNodes {
		t.Errorf("%v: %d nodes' verdicts are kept", ok, len(e.Nodes))
	}
	chosen := false
	for _, n := range e.Nodes {
		chosen = chosen || n.Node == e.Node
	}
	if !chosen || e.Feasible <= maxVerdictNodes {
		t.Errorf("the chosen node is kept: %v, of %d", chosen, e.Feasible)
	}
}
