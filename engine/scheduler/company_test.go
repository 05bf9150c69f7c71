package scheduler

import (
	"fmt"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func selecting(pairs ...string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: labelsOf(pairs)}
}

func affinityOf(pod *corev1.Pod) *corev1.Affinity {
	if pod.Spec.Affinity == nil {
		pod.Spec.Affinity = &corev1.Affinity{}
	}
	return pod.Spec.Affinity
}

func near(key string, selector *metav1.LabelSelector, namespaces ...string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		affinityOf(pod).PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{LabelSelector: selector, TopologyKey: key, Namespaces: namespaces}}}
	}
}

func apart(key string, selector *metav1.LabelSelector) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		affinityOf(pod).PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{LabelSelector: selector, TopologyKey: key}}}
	}
}

func liking(weight int32, key string, selector *metav1.LabelSelector) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		affinityOf(pod).PodAffinity = &corev1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{
			{Weight: weight, PodAffinityTerm: corev1.PodAffinityTerm{LabelSelector: selector, TopologyKey: key}}}}
	}
}

func spreading1(key string, when corev1.UnsatisfiableConstraintAction, change ...func(*corev1.TopologySpreadConstraint)) func(*corev1.Pod) {
	c := corev1.TopologySpreadConstraint{MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: when, LabelSelector: selecting("app", "web")}
	for _, f := range change {
		f(&c)
	}
	return func(pod *corev1.Pod) {
		pod.Spec.TopologySpreadConstraints = append(pod.Spec.TopologySpreadConstraints, c)
	}
}

const (
	host  = corev1.LabelHostname
	zones = corev1.LabelTopologyZone
)

// TestCompany: nodes a and b are in zone x, c is in y, d in none. Pods are
// app=web on the nodes that "on" lists.
func TestCompany(t *testing.T) {
	app := selecting("app", "web")
	const rules, anti, existing = "node(s) didn't match pod affinity rules", "node(s) didn't match pod anti-affinity rules", "node(s) didn't satisfy existing pods anti-affinity rules"
	const skew, missing = "node(s) didn't match pod topology spread constraints", "node(s) didn't match pod topology spread constraints (missing required label)"
	for _, test := range []struct {
		name string
		on   []string
		with []func(*corev1.Pod) // of those pods
		pod  *corev1.Pod
		want map[string]string // refusals
	}{
		{"none", nil, nil, newPod("p"), nil},
		{"near on the host", []string{"a"}, nil, newPod("p", near(host, app)), map[string]string{"b": rules, "c": rules, "d": rules}},
		{"near in the zone", []string{"a"}, nil, newPod("p", near(zones, app)), map[string]string{"c": rules, "d": rules}},
		{"near nobody", nil, nil, newPod("p", near(zones, app)), map[string]string{"a": rules, "b": rules, "c": rules, "d": rules}},
		{"the first of its kind", nil, nil, newPod("p", labelled("app", "web"), near(zones, app)), map[string]string{"d": rules}},
		{"in another namespace", []string{"a"}, nil, newPod("p", near(host, app, "other")), map[string]string{"a": rules, "b": rules, "c": rules, "d": rules}},
		{"apart on the host", []string{"a", "c"}, nil, newPod("p", apart(host, app)), map[string]string{"a": anti, "c": anti}},
		{"apart in the zone", []string{"a"}, nil, newPod("p", apart(zones, app)), map[string]string{"a": anti, "b": anti}},
		{"others keep it apart", []string{"a"}, []func(*corev1.Pod){apart(zones, selecting("bad", "1"))}, newPod("p", labelled("bad", "1")), map[string]string{"a": existing, "b": existing}},
		{"others keep somebody else apart", []string{"a"}, []func(*corev1.Pod){apart(zones, selecting("bad", "1"))}, newPod("p"), nil},
		{"spread over zones", []string{"a"}, nil, newPod("p", labelled("app", "web"), spreading1(zones, corev1.DoNotSchedule)),
			map[string]string{"a": skew, "b": skew, "d": missing}},
		{"not one of those that are spread", []string{"a"}, nil, newPod("p", spreading1(zones, corev1.DoNotSchedule)), map[string]string{"d": missing}},
		{"too few domains", nil, nil, newPod("p", labelled("app", "web"), spreading1(zones, corev1.DoNotSchedule, func(c *corev1.TopologySpreadConstraint) {
			c.MinDomains = new(int32(3))
		})), map[string]string{"d": missing}},
		{"too few domains that have some", []string{"a", "c"}, nil, newPod("p", labelled("app", "web"), spreading1(zones, corev1.DoNotSchedule, func(c *corev1.TopologySpreadConstraint) {
			c.MinDomains = new(int32(3))
		})), map[string]string{"a": skew, "b": skew, "c": skew, "d": missing}},
		{"nodes that it can't use don't count", []string{"a"}, nil, newPod("p", labelled("app", "web"), spreading1(zones, corev1.DoNotSchedule),
			requiring(term(expression(zones, corev1.NodeSelectorOpIn, "x")))), map[string]string{"c": "node(s) didn't match Pod's node affinity/selector", "d": "node(s) didn't match Pod's node affinity/selector"}},
		{"soft", []string{"a"}, nil, newPod("p", labelled("app", "web"), spreading1(zones, corev1.ScheduleAnyway)), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScheduler(newNode("a", zone("x")), newNode("b", zone("x")), newNode("c", zone("y")), newNode("d"))
			for i, node := range test.on {
				pod := newPod(fmt.Sprint(i), labelled("app", "web"))
				for _, f := range test.with {
					f(pod)
				}
				s.put(node, pod)
			}
			p := newPodInfo(test.pod)
			s.meet(p)
			got := map[string]string{}
			for _, n := range s.cluster.nodes {
				if r, _ := s.consider(p, n); r != nil {
					got[n.name] = r.reasons[0]
				}
			}
			if len(got) != len(test.want) || len(got) > 0 && !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v\nwant %v", got, test.want)
			}
		})
	}
}

func TestScoreCompany(t *testing.T) {
	app := selecting("app", "web")
	for _, test := range []struct {
		name   string
		scorer func(*Scheduler, *podInfo, []*nodeInfo, []int64)
		on     []string
		with   []func(*corev1.Pod)
		pod    *corev1.Pod
		want   []int64
	}{
		{"liking", scorePeers, []string{"a"}, nil, newPod("p", liking(10, zones, app)), []int64{100, 100, 0, 0}},
		{"liked by others", scorePeers, []string{"a"}, []func(*corev1.Pod){liking(10, host, selecting("x", "y"))}, newPod("p", labelled("x", "y")), []int64{100, 0, 0, 0}},
		{"wanted near by others", scorePeers, []string{"c"}, []func(*corev1.Pod){near(host, selecting("x", "y"))}, newPod("p", labelled("x", "y")), []int64{0, 0, 100, 0}},
		{"nobody", scorePeers, nil, nil, newPod("p", liking(10, zones, app)), []int64{0, 0, 0, 0}},
		// x has 2, y has 0, d lacks the label: 2 × ln(4) = 2.8 → 3 and 0
		{"soft constraint", scoreSpread, []string{"a", "b"}, nil, newPod("p", spreading1(zones, corev1.ScheduleAnyway)), []int64{0, 0, 100, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScheduler(newNode("a", zone("x")), newNode("b", zone("x")), newNode("c", zone("y")), newNode("d"))
			for i, node := range test.on {
				pod := newPod(fmt.Sprint(i), labelled("app", "web"))
				for _, f := range test.with {
					f(pod)
				}
				s.put(node, pod)
			}
			scores := make([]int64, 4)
			test.scorer(s, newPodInfo(test.pod), s.cluster.nodes, scores)
			if !reflect.DeepEqual(scores, test.want) {
				t.Errorf("got %v, want %v", scores, test.want)
			}
		})
	}
}

// TestCompanyFollows: what has been counted is kept up to date when pods and
// nodes come, change and go.
func TestCompanyFollows(t *testing.T) {
	s := newScheduler(newNode("a", zone("x")), newNode("b", zone("x")), newNode("c", zone("y")))
	p := newPodInfo(newPod("p", labelled("app", "web"), apart(zones, selecting("app", "web"))))
	free := func() string {
		s.meet(p)
		names := ""
		for _, n := range s.cluster.nodes {
			if r, _ := s.consider(p, n); r == nil {
				names += n.name
			}
		}
		return names
	}
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"nothing", func() {}, "abc"},
		{"a pod comes", func() { s.put("a", newPod("w", labelled("app", "web"))) }, "c"},
		{"b changes its zone", func() { s.cluster.setNode("b", newNode("b", zone("z"))) }, "bc"},
		{"a moves to y", func() { s.cluster.setNode("a", newNode("a", zone("y"))) }, "b"},
		{"a node comes", func() { s.cluster.setNode("d", newNode("d", zone("x"))) }, "bd"},
		{"a goes, its pod stays", func() { s.cluster.setNode("a", nil) }, "bcd"},
		{"a is back", func() { s.cluster.setNode("a", newNode("a", zone("x"))) }, "bc"},
		{"the pod goes", func() { s.cluster.unplace("w") }, "abcd"},
	} {
		step.do()
		if got := free(); got != step.want {
			t.Errorf("%s: got %q, want %q", step.what, got, step.want)
		}
	}
	if len(s.cluster.carried) != 0 || len(s.cluster.priorities) != 0 {
		t.Errorf("left over: %v %v", s.cluster.carried, s.cluster.priorities)
	}
}
