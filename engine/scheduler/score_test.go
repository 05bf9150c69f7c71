package scheduler

import (
	"math"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// scoresOf returns what a plugin says of each node, by the nodes' order.
func scoresOf(t *testing.T, s *Scheduler, plugin string, pod *corev1.Pod) []int64 {
	t.Helper()
	for _, scorer := range scorers {
		if scorer.name == plugin {
			scores := make([]int64, len(s.cluster.nodes))
			scorer.score(s, newPodInfo(pod), s.cluster.nodes, scores)
			return scores
		}
	}
	t.Fatalf("no plugin %s", plugin)
	return nil
}

// TestScores: the wanted scores are worked out by hand from upstream's formulas.
func TestScores(t *testing.T) {
	prefer := corev1.TaintEffectPreferNoSchedule
	const mib = 1 << 20
	for _, test := range []struct {
		plugin, name string
		nodes        []*corev1.Node
		others       map[string]*corev1.Pod
		pod          *corev1.Pod
		want         []int64
	}{
		{plugin: "TaintToleration", name: "fewer is better", pod: newPod("p"), want: []int64{100, 50, 0},
			nodes: []*corev1.Node{newNode("a"), newNode("b", taint("x", prefer)), newNode("c", taint("x", prefer), taint("y", prefer))}},
		{plugin: "TaintToleration", name: "tolerated", want: []int64{100, 100},
			pod:   newPod("p", tolerating(corev1.Toleration{Key: "x", Operator: corev1.TolerationOpExists})),
			nodes: []*corev1.Node{newNode("a"), newNode("b", taint("x", prefer))}},
		{plugin: "TaintToleration", name: "tolerated for another effect", want: []int64{100, 0},
			pod:   newPod("p", tolerating(corev1.Toleration{Key: "x", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule})),
			nodes: []*corev1.Node{newNode("a"), newNode("b", taint("x", prefer))}},

		{plugin: "NodeAffinity", name: "nothing preferred", pod: newPod("p"), want: []int64{0, 0},
			nodes: []*corev1.Node{newNode("a"), newNode("b")}},
		{plugin: "NodeAffinity", name: "weights add up", want: []int64{100, 75, 0},
			nodes: []*corev1.Node{newNode("a", with("x", "1", "y", "1")), newNode("b", with("x", "1")), newNode("c")},
			pod: newPod("p", preferring(
				corev1.PreferredSchedulingTerm{Weight: 30, Preference: term(expression("x", corev1.NodeSelectorOpExists))},
				corev1.PreferredSchedulingTerm{Weight: 10, Preference: term(expression("y", corev1.NodeSelectorOpExists))}))},

		{plugin: "NodeResourcesFit", name: "half of the CPU, a quarter of the memory", want: []int64{62, 87},
			nodes: []*corev1.Node{newNode("a"), newNode("b", allocatable("cpu", "16", "memory", "16Gi"))},
			pod:   newPod("p", asking("cpu", "2", "memory", "2Gi"))},
		{plugin: "NodeResourcesFit", name: "pods that request nothing count too", want: []int64{97, 95},
			nodes: []*corev1.Node{newNode("a"), newNode("b")}, pod: newPod("p"), others: map[string]*corev1.Pod{"b": newPod("q")}},
		{plugin: "NodeResourcesFit", name: "an init container's default", want: []int64{48},
			nodes: []*corev1.Node{newNode("a")}, pod: newPod("p", asking("cpu", "4"), func(p *corev1.Pod) {
				p.Spec.InitContainers = []corev1.Container{{Image: "i"}}
			})},

		{plugin: "NodeResourcesBalancedAllocation", name: "nothing requested", want: []int64{0},
			nodes: []*corev1.Node{newNode("a")}, pod: newPod("p")},
		// a: from 87 to 62, 50 + (50+62-87)/2; b: from 62 to 87, 50 + (50+87-62)/2
		{plugin: "NodeResourcesBalancedAllocation", name: "towards and away from balance", want: []int64{62, 87},
			nodes: []*corev1.Node{newNode("a"), newNode("b")}, pod: newPod("p", asking("cpu", "2", "memory", "1")),
			others: map[string]*corev1.Pod{"a": newPod("q", asking("cpu", "1", "memory", "0")), "b": newPod("r", asking("memory", "6Gi"))}},

		// half of 300 MiB, as one of two nodes has it: (150-23) × 100 / (1000-23)
		{plugin: "ImageLocality", name: "where it is", want: []int64{12, 0},
			nodes: []*corev1.Node{newNode("a", pulled(300*mib, "nginx:1.27", "nginx@sha256:1")), newNode("b")}, pod: newPod("p"),
		},
		{plugin: "ImageLocality", name: "small images do not count", want: []int64{0, 0},
			nodes: []*corev1.Node{newNode("a", pulled(20*mib, "nginx:1.27")), newNode("b")}, pod: newPod("p")},
		{plugin: "ImageLocality", name: "everywhere and large", want: []int64{100, 100},
			nodes: []*corev1.Node{newNode("a", pulled(2000*mib, "nginx:1.27")), newNode("b", pulled(2000*mib, "nginx:1.27"))}, pod: newPod("p")},
		{plugin: "ImageLocality", name: "no tag is latest", want: []int64{100, 0},
			nodes: []*corev1.Node{newNode("a", pulled(2000*mib, "reg:5000/x:latest")), newNode("b")},
			pod:   newPod("p", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "reg:5000/x" })},
	} {
		t.Run(test.plugin+" "+test.name, func(t *testing.T) {
			s := newScheduler(test.nodes...)
			for node, other := range test.others {
				s.put(node, other)
			}
			if got := scoresOf(t, s, test.plugin, test.pod); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestWeights(t *testing.T) {
	got := map[string]int64{}
	for _, scorer := range scorers {
		got[scorer.name] = scorer.weight
	}
	want := map[string]int64{"TaintToleration": 3, "NodeAffinity": 2, "PodTopologySpread": 2, "InterPodAffinity": 2,
		"NodeResourcesFit": 1, "NodeResourcesBalancedAllocation": 1, "ImageLocality": 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestImagesAreCountedAcrossNodes(t *testing.T) {
	s := newScheduler(newNode("a", pulled(1, "x:1", "x:2")), newNode("b", pulled(1, "x:1")))
	s.cluster.setNode("a", newNode("a", pulled(1, "x:2")))
	s.cluster.setNode("b", nil)
	if want := map[string]int{"x:2": 1}; !reflect.DeepEqual(s.cluster.imageNodes, want) {
		t.Errorf("got %v, want %v", s.cluster.imageNodes, want)
	}
}

func TestLogarithm(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 12, 102, 5002} {
		if got, want := logarithm(n), math.Log(float64(n)); math.Abs(got-want) > 1e-14*max(want, 1) {
			t.Errorf("logarithm(%d) = %v, want %v", n, got, want)
		}
	}
}

func TestFeasibleToFind(t *testing.T) {
	for nodes, want := range map[int]int{0: 0, 3: 3, 99: 99, 100: 100, 1000: 420, 5000: 500, 10000: 500} {
		if got := feasibleToFind(nodes); got != want {
			t.Errorf("of %d nodes %d, want %d", nodes, got, want)
		}
	}
}
