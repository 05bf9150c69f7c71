package scheduler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	policyv1 "k8s.io/api/policy/v1"
)

func TestPreempt(t *testing.T) {
	type placed struct {
		node, name string
		priority   int32
		cpu        string
	}
	for _, test := range []struct {
		name   string
		placed []placed
		pod    *corev1.Pod
		want   string // node and victims, or what is told
	}{
		{"nobody is less important", []placed{{"a", "x", 10, "4"}, {"b", "y", 10, "4"}}, newPod("p", important(10), asking("cpu", "1")),
			"0/2 nodes are available: 2 No preemption victims found for incoming pod."},
		{"one is", []placed{{"a", "x", 5, "4"}, {"b", "y", 10, "4"}}, newPod("p", important(10), asking("cpu", "1")), "a: x"},
		{"only as many as needed", []placed{{"a", "x", 1, "1"}, {"a", "y", 2, "2"}, {"a", "z", 3, "1"}, {"b", "w", 20, "4"}}, newPod("p", important(10), asking("cpu", "1")), "a: x"},
		{"the least important of the highest", []placed{{"a", "x", 5, "4"}, {"b", "y", 4, "4"}}, newPod("p", important(10), asking("cpu", "1")), "b: y"},
		{"the fewest", []placed{{"a", "x", 5, "2"}, {"a", "y", 5, "2"}, {"b", "z", 5, "4"}}, newPod("p", important(10), asking("cpu", "4")), "b: z"},
		{"not enough room even then", []placed{{"a", "x", 5, "1"}, {"a", "y", 20, "3"}, {"b", "z", 20, "4"}}, newPod("p", important(10), asking("cpu", "2")),
			"0/2 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod."},
		{"too large for any node", []placed{{"a", "x", 5, "4"}}, newPod("p", important(10), asking("cpu", "5")),
			"0/2 nodes are available: 2 Preemption is not helpful for scheduling."},
		{"never", []placed{{"a", "x", 5, "4"}, {"b", "y", 5, "4"}}, newPod("p", important(10), asking("cpu", "1"), func(p *corev1.Pod) { p.Spec.PreemptionPolicy = new(corev1.PreemptNever) }),
			"not eligible due to preemptionPolicy=Never."},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScheduler(newNode("a"), newNode("b"))
			for _, on := range test.placed {
				s.put(on.node, newPod(on.name, important(on.priority), asking("cpu", on.cpu)))
			}
			p := newPodInfo(test.pod)
			d := s.choose(p)
			best, got, _ := s.preempt(p, &d)
			if best != nil {
				got = best.node.name + ":"
				for _, victim := range best.victims {
					got += " " + victim.Name
				}
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			for _, n := range s.cluster.nodes { // trials leave nothing behind
				fresh := newNodeInfo(n.name)
				for _, other := range n.pods {
					fresh.add(other)
				}
				if len(fresh.pods) != len(n.pods) || fresh.requested.milliCPU != n.requested.milliCPU {
					t.Errorf("%s has %d pods and %dm", n.name, len(n.pods), n.requested.milliCPU)
				}
			}
		})
	}
}

func TestPreemptionKeepsBudgets(t *testing.T) {
	budget := func(allowed int32) *policyv1.PodDisruptionBudget {
		return &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default"},
			Spec:       policyv1.PodDisruptionBudgetSpec{Selector: selecting("app", "web")},
			Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: allowed},
		}
	}
	var pods []*podInfo
	for i := range 3 {
		pods = append(pods, newPodInfo(newPod(fmt.Sprint(i), labelled("app", "web"))))
	}
	pods = append(pods, newPodInfo(newPod("other")))
	violating, others := violations(pods, []*policyv1.PodDisruptionBudget{budget(1)})
	if len(violating) != 2 || violating[0].Name != "1" || len(others) != 2 {
		t.Errorf("%d violate, %d do not", len(violating), len(others))
	}
	violating, _ = violations(pods, []*policyv1.PodDisruptionBudget{budget(3)})
	if len(violating) != 0 {
		t.Errorf("%d violate a budget that allows them", len(violating))
	}
}

// TestNominated: the room that a nominated pod waits for is not for less
// important ones.
func TestNominated(t *testing.T) {
	s := newScheduler(newNode("a"))
	high := newPodInfo(newPod("high", important(10), asking("cpu", "3")))
	s.cluster.nominate(high, "a")
	for _, test := range []struct {
		pod  *corev1.Pod
		fits bool
	}{
		{newPod("low", important(5), asking("cpu", "2")), false},
		{newPod("small", important(5), asking("cpu", "1")), true},
		{newPod("higher", important(20), asking("cpu", "2")), true},
		{newPod("high", important(10), asking("cpu", "3")), true},
	} {
		if d := s.choose(newPodInfo(test.pod)); (d.node != nil) != test.fits {
			t.Errorf("%s fits: %v", test.pod.Name, d.node != nil)
		}
	}
	s.cluster.denominate("high")
	if d := s.choose(newPodInfo(newPod("low", asking("cpu", "2")))); d.node == nil {
		t.Error("the nomination has not ended")
	}
}

// TestBacklogIsNotTriedWhole: when a pod leaves, as many of those that wait are
// tried as can take its place.
func TestBacklogIsNotTriedWhole(t *testing.T) {
	s := newScheduler(newNode("a"), newNode("b"))
	s.put("a", newPod("x", asking("cpu", "3")))
	s.put("a", newPod("y", asking("cpu", "1")))
	s.put("b", newPod("z", asking("cpu", "4")))
	for i := range 100 {
		s.queue.add(newPod(fmt.Sprintf("p%02d", i), asking("cpu", "1"), important(int32(i%2))), start)
	}
	for w, _ := s.queue.pop(start); w != nil; w, _ = s.queue.pop(start) {
		w.info = newPodInfo(w.pod)
		w.tried = s.changes
		s.queue.park(w, s.choose(w.info).helps, start)
	}
	s.gone(newPod("x"))
	s.fill()
	if got := popAll(s.queue, start); got != "p01p03p05" {
		t.Errorf("tried %s", got)
	}
	if s.fill(); popAll(s.queue, start) != "" {
		t.Error("tried again without a change")
	}
}
