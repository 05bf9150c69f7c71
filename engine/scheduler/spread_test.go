package scheduler

import (
	"fmt"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/store"
)

// owned makes a pod one of a controller whose pods are spread by app=web.
func owned(s *Scheduler, pod *corev1.Pod) *corev1.Pod {
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "web", UID: "web", Controller: new(true)}}
	s.cluster.spreads.byOwner["web"] = s.cluster.openSpread("default", labels.SelectorFromSet(labels.Set{"app": "web"}))
	return pod
}

func web(name string) *corev1.Pod { return newPod(name, labelled("app", "web", "x", "y")) }

func zone(name string) func(*corev1.Node) { return with(corev1.LabelTopologyZone, name) }

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		name  string
		nodes []*corev1.Node
		on    []string // a web pod on each
		pod   func(*corev1.Pod)
		want  []int64
	}{
		{"empty nodes", []*corev1.Node{newNode("a"), newNode("b")}, nil, nil, []int64{100, 100}},
		// ln(4) × 2 + 2 = 4.77 → 5; ln(4) + 2 = 3.39 → 3
		{"fewer on the host", []*corev1.Node{newNode("a"), newNode("b")}, []string{"a", "a", "b"}, nil, []int64{60, 100}},
		// a: ln(5)×2+2 + ln(4)×2+4 = 11.99 → 12; b: ln(5)×0+2 + ln(4)×2+4 = 8.77 → 9; c: 2+4 = 6
		{"fewer in the zone", []*corev1.Node{newNode("a", zone("x")), newNode("b", zone("x")), newNode("c", zone("y"))},
			[]string{"a", "a"}, nil, []int64{50, 75, 100}},
		// a: ln(4)+2 + ln(4)+4 = 8.77 → 9; b has no zone: 2
		{"a node without a zone", []*corev1.Node{newNode("a", zone("x")), newNode("b")}, []string{"a"}, nil, []int64{22, 100}},
		{"a node without a host name", []*corev1.Node{newNode("a"), newNode("b", func(n *corev1.Node) { n.Labels = map[string]string{} })},
			[]string{"a"}, nil, []int64{0, 100}},
		{"pods with constraints of their own", []*corev1.Node{newNode("a"), newNode("b")}, []string{"a"}, func(p *corev1.Pod) {
			p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1}}
		}, []int64{0, 0}},
		// Zone x has none: b is not selected. a: 2 + 4; b: ln(5)×2+2 + 4 = 9.2 → 9;
		// c: ln(5)+2 + ln(4)+4 = 8.996 → 9
		{"selected nodes only", []*corev1.Node{newNode("a", zone("x"), with("d", "1")), newNode("b", zone("x")), newNode("c", zone("y"), with("d", "1"))},
			[]string{"b", "b", "c"}, func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"d": "1"} }, []int64{100, 66, 66}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScheduler(test.nodes...)
			for i, node := range test.on {
				s.put(node, web(fmt.Sprint(i)))
			}
			pod := owned(s, web("p"))
			if test.pod != nil {
				test.pod(pod)
			}
			if got := scoresOf(t, s, "PodTopologySpread", pod); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestSpreadCountsStayTrue: counts that are kept are those that counting anew
// would give.
func TestSpreadCountsStayTrue(t *testing.T) {
	s := newScheduler(newNode("a", zone("x")), newNode("b", zone("y")), newNode("c"))
	selectors := []labels.Selector{
		labels.SelectorFromSet(labels.Set{"app": "web"}),
		labels.SelectorFromSet(labels.Set{"app": "web", "x": "y"}),
		odd(t, "app,x notin (z)"),
	}
	for _, selector := range selectors {
		s.cluster.openSpread("default", selector)
	}
	observe := func(kind store.EventType, pod *corev1.Pod) { s.observePod(store.Event{Type: kind, Object: pod}) }
	on := func(pod *corev1.Pod, node string, change ...func(*corev1.Pod)) *corev1.Pod {
		pod.Spec.NodeName = node
		for _, f := range change {
			f(pod)
		}
		return pod
	}
	deleted := func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: start} }
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"pods come", func() {
			for i, node := range []string{"a", "a", "b", "c"} {
				observe(store.Added, on(web(fmt.Sprint(i)), node))
			}
		}},
		{"a pod is relabelled", func() { observe(store.Modified, on(web("0"), "a", labelled("app", "db"))) }},
		{"a pod is being deleted", func() { observe(store.Modified, on(web("1"), "a", deleted)) }},
		{"a pod is gone", func() { observe(store.Deleted, on(web("1"), "a", deleted)) }},
		{"a node changes its zone", func() { s.cluster.setNode("b", newNode("b", zone("z"))) }},
		{"a node loses its zone", func() { s.cluster.setNode("b", newNode("b")) }},
		{"a pod has ended", func() {
			observe(store.Modified, on(web("2"), "b", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }))
		}},
		{"the relabelled pod is gone", func() { observe(store.Deleted, on(web("0"), "a", labelled("app", "db"))) }},
		{"a node comes in another's stead", func() {
			s.cluster.setNode("a", nil)
			s.cluster.setNode("d", newNode("d", zone("x")))
			observe(store.Added, on(web("5"), "d"))
		}},
	} {
		step.do()
		fresh := s.cluster
		fresh.spreads = newSpreads()
		for _, selector := range selectors {
			kept, counted := s.cluster.openSpread("default", selector), fresh.openSpread("default", selector)
			for _, n := range s.cluster.nodes {
				if got, want := at(kept.onNode, n.slot), at(counted.onNode, n.slot); got != want {
					t.Errorf("%s: %s has %d pods of %s, want %d", step.name, n.name, got, selector, want)
				}
				if got, want := at(kept.inZone, n.zone), at(counted.inZone, n.zone); got != want {
					t.Errorf("%s: the zone of %s has %d pods of %s, want %d", step.name, n.name, got, selector, want)
				}
			}
		}
	}
}

func odd(t *testing.T, text string) labels.Selector {
	t.Helper()
	selector, err := labels.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return selector
}

func TestSpreadGroupsAreBounded(t *testing.T) {
	s := newScheduler(newNode("a"))
	s.put("a", web("p"))
	for i := range maxGroups + 1 {
		s.cluster.openSpread("default", labels.SelectorFromSet(labels.Set{"app": fmt.Sprint(i)}))
	}
	if len(s.cluster.spreads.groups) != 1 {
		t.Errorf("%d groups are kept", len(s.cluster.spreads.groups))
	}
	if g := s.cluster.openSpread("default", labels.SelectorFromSet(labels.Set{"app": "web"})); at(g.onNode, 0) != 1 {
		t.Error("a group was not counted anew")
	}
}
