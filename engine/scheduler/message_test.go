package scheduler

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestMessages: they are word for word those of kube-scheduler v1.37.
func TestMessages(t *testing.T) {
	never := corev1.PreemptNever
	zone := requiring(term(expression("zone", corev1.NodeSelectorOpExists)))
	three := []*corev1.Node{newNode("a"), newNode("b"), newNode("c")}
	for _, test := range []struct {
		name  string
		nodes []*corev1.Node
		full  []string // nodes without room
		pod   *corev1.Pod
		want  string
	}{
		{"affinity", three, nil, newPod("p", zone),
			"0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."},
		{"full", three, []string{"a", "b", "c"}, newPod("p", asking("cpu", "3")),
			"0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."},
		{"a taint and full nodes", []*corev1.Node{newNode("a", taint("k", corev1.TaintEffectNoSchedule)), three[1], three[2]},
			[]string{"b", "c"}, newPod("p", asking("cpu", "3")),
			"0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."},
		{"two reasons on each node", three, nil, newPod("p", asking("cpu", "5", "memory", "9Gi")),
			"0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."},
		{"never preempting", three, []string{"a", "b", "c"}, newPod("p", asking("cpu", "3"), func(p *corev1.Pod) { p.Spec.PreemptionPolicy = &never }),
			"0/3 nodes are available: 3 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."},
		{"a named node that is full", three, []string{"b"}, newPod("p", asking("cpu", "3"), requiring(named("b"))),
			"0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."},
		{"a named node that does not exist", three, nil, newPod("p", requiring(named("z"))),
			"0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."},
		{"names that contradict each other", three, nil, newPod("p", requiring(corev1.NodeSelectorTerm{MatchFields: append(named("a").MatchFields, named("b").MatchFields...)})),
			"0/3 nodes are available: pod affinity terms conflict. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScheduler(test.nodes...)
			for _, name := range test.full {
				s.put(name, newPod("on-"+name, asking("cpu", "3")))
			}
			p := newPodInfo(test.pod)
			d := s.choose(p)
			if d.node != nil {
				t.Fatalf("placed on %s", d.node.name)
			}
			_, preemption, _ := s.preempt(p, &d)
			if got := unavailable(d.refusals, d.conflict, preemption); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestNote(t *testing.T) {
	if got := note("short"); got != "short" {
		t.Errorf("got %q", got)
	}
	if got := note(strings.Repeat("x", 2000)); len(got) != longestNote || !strings.HasSuffix(got, "x ...") {
		t.Errorf("got %d bytes ending in %q", len(got), got[len(got)-8:])
	}
}
