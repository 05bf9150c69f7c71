package scheduler

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestFilters(t *testing.T) {
	tolerateAll := tolerating(corev1.Toleration{Operator: corev1.TolerationOpExists})
	port := func(ip string, number int32, protocol corev1.Protocol) corev1.ContainerPort {
		return corev1.ContainerPort{HostIP: ip, HostPort: number, Protocol: protocol}
	}
	for _, test := range []struct {
		name         string
		pod          *corev1.Pod
		node         *corev1.Node
		others       []*corev1.Pod
		plugin       string // empty: accepted
		reasons      []string
		unresolvable bool
	}{
		{name: "a plain pod", pod: newPod("p"), node: newNode("n")},
		{name: "another node's name", pod: newPod("p", func(p *corev1.Pod) { p.Spec.NodeName = "m" }), node: newNode("n"),
			plugin: "NodeName", reasons: []string{"node(s) didn't match the requested node name"}, unresolvable: true},
		{name: "its node's name", pod: newPod("p", func(p *corev1.Pod) { p.Spec.NodeName = "n" }), node: newNode("n")},

		{name: "cordoned", pod: newPod("p"), node: newNode("n", cordoned),
			plugin: "NodeUnschedulable", reasons: []string{"node(s) were unschedulable"}, unresolvable: true},
		{name: "cordoned, tolerated", pod: newPod("p", tolerateAll), node: newNode("n", cordoned)},

		{name: "NoSchedule", pod: newPod("p"), node: newNode("n", taint("k", corev1.TaintEffectNoSchedule)),
			plugin: "TaintToleration", reasons: []string{"node(s) had untolerated taint(s)"}, unresolvable: true},
		{name: "NoExecute", pod: newPod("p"), node: newNode("n", taint("k", corev1.TaintEffectNoExecute)),
			plugin: "TaintToleration", reasons: []string{"node(s) had untolerated taint(s)"}, unresolvable: true},
		{name: "PreferNoSchedule", pod: newPod("p"), node: newNode("n", taint("k", corev1.TaintEffectPreferNoSchedule))},
		{name: "one of two tolerated", node: newNode("n", taint("a", corev1.TaintEffectNoSchedule), taint("b", corev1.TaintEffectNoSchedule)),
			pod:    newPod("p", tolerating(corev1.Toleration{Key: "a", Operator: corev1.TolerationOpExists})),
			plugin: "TaintToleration", reasons: []string{"node(s) had untolerated taint(s)"}, unresolvable: true},
		{name: "another effect tolerated", node: newNode("n", taint("a", corev1.TaintEffectNoSchedule)),
			pod:    newPod("p", tolerating(corev1.Toleration{Key: "a", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute})),
			plugin: "TaintToleration", reasons: []string{"node(s) had untolerated taint(s)"}, unresolvable: true},

		{name: "nodeSelector", pod: newPod("p", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }),
			node: newNode("n", with("disk", "ssd"))},
		{name: "nodeSelector of others", pod: newPod("p", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }),
			node: newNode("n", with("disk", "hdd")), plugin: "NodeAffinity",
			reasons: []string{"node(s) didn't match Pod's node affinity/selector"}, unresolvable: true},
		{name: "one of two terms", node: newNode("n", with("zone", "b")), pod: newPod("p", requiring(
			term(expression("zone", corev1.NodeSelectorOpIn, "a")), term(expression("zone", corev1.NodeSelectorOpNotIn, "a"))))},
		{name: "Gt", node: newNode("n", with("cores", "4")), pod: newPod("p", requiring(term(expression("cores", corev1.NodeSelectorOpGt, "4")))),
			plugin: "NodeAffinity", reasons: []string{"node(s) didn't match Pod's node affinity/selector"}, unresolvable: true},
		{name: "nodeSelector and affinity", node: newNode("n", with("a", "1")), plugin: "NodeAffinity",
			pod: newPod("p", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"a": "1"} },
				requiring(term(expression("b", corev1.NodeSelectorOpExists)))),
			reasons: []string{"node(s) didn't match Pod's node affinity/selector"}, unresolvable: true},
		{name: "only preferred", node: newNode("n"), pod: newPod("p", preferring(corev1.PreferredSchedulingTerm{
			Weight: 1, Preference: term(expression("b", corev1.NodeSelectorOpExists))}))},

		{name: "host port taken", pod: newPod("p", exposing(port("", 80, ""))), node: newNode("n"),
			others: []*corev1.Pod{newPod("q", exposing(port("127.0.0.1", 80, corev1.ProtocolTCP)))},
			plugin: "NodePorts", reasons: []string{"node(s) didn't have free ports for the requested pod ports"}},
		{name: "host port of another protocol", pod: newPod("p", exposing(port("", 80, corev1.ProtocolUDP))), node: newNode("n"),
			others: []*corev1.Pod{newPod("q", exposing(port("", 80, "")))}},
		{name: "host port of another address", pod: newPod("p", exposing(port("10.0.0.1", 80, ""))), node: newNode("n"),
			others: []*corev1.Pod{newPod("q", exposing(port("10.0.0.2", 80, "")))}},
		{name: "container ports only", pod: newPod("p", exposing(corev1.ContainerPort{ContainerPort: 80})), node: newNode("n"),
			others: []*corev1.Pod{newPod("q", exposing(corev1.ContainerPort{ContainerPort: 80}))}},

		{name: "exactly fitting", pod: newPod("p", asking("cpu", "1")), node: newNode("n"),
			others: []*corev1.Pod{newPod("q", asking("cpu", "3"))}},
		{name: "too little CPU left", pod: newPod("p", asking("cpu", "1001m")), node: newNode("n"),
			others: []*corev1.Pod{newPod("q", asking("cpu", "3"))}, plugin: "NodeResourcesFit", reasons: []string{"Insufficient cpu"}},
		{name: "more than the node has", pod: newPod("p", asking("cpu", "5", "memory", "1Gi")), node: newNode("n"),
			plugin: "NodeResourcesFit", reasons: []string{"Insufficient cpu"}, unresolvable: true},
		{name: "too little of everything", pod: newPod("p", asking("cpu", "5", "memory", "9Gi", "ephemeral-storage", "1")), node: newNode("n"),
			plugin: "NodeResourcesFit", reasons: []string{"Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"}, unresolvable: true},
		{name: "an extended resource", pod: newPod("p", asking("example.com/gpu", "1")), node: newNode("n", allocatable("example.com/gpu", "2")),
			others: []*corev1.Pod{newPod("q", asking("example.com/gpu", "1"))}},
		{name: "an extended resource taken", pod: newPod("p", asking("cpu", "4", "example.com/gpu", "1")), node: newNode("n", allocatable("example.com/gpu", "1")),
			others: []*corev1.Pod{newPod("q", asking("cpu", "1", "example.com/gpu", "1"))},
			plugin: "NodeResourcesFit", reasons: []string{"Insufficient cpu", "Insufficient example.com/gpu"}},
		{name: "too many pods", pod: newPod("p"), node: newNode("n", allocatable("pods", "1")), others: []*corev1.Pod{newPod("q")},
			plugin: "NodeResourcesFit", reasons: []string{"Too many pods"}},
		{name: "a pod that requests nothing on an overcommitted node", pod: newPod("p"), node: newNode("n"),
			others: []*corev1.Pod{newPod("q", asking("cpu", "9"))}},
		{name: "an init container's peak", node: newNode("n"), pod: newPod("p", func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: requests("memory", "9Gi")}}}
		}), plugin: "NodeResourcesFit", reasons: []string{"Insufficient memory"}, unresolvable: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScheduler(test.node)
			for _, other := range test.others {
				s.put(test.node.Name, other)
			}
			r, helps := check(newPodInfo(test.pod), s.cluster.nodes[0])
			if test.plugin == "" {
				if r != nil {
					t.Fatalf("refused: %+v", *r)
				}
				return
			}
			if want := (refusal{test.plugin, test.reasons, test.unresolvable}); r == nil || !reflect.DeepEqual(*r, want) {
				t.Errorf("got %+v, want %+v", r, want)
			}
			if helps&nodeAdded == 0 {
				t.Error("a new node would not help")
			}
		})
	}
}

func TestAPodsLeavingFreesWhatItTook(t *testing.T) {
	s := newScheduler(newNode("n"))
	pod := newPod("p", asking("cpu", "3", "example.com/gpu", "1"), exposing(corev1.ContainerPort{HostPort: 80}))
	n := s.cluster.nodes[0]
	s.put("n", pod)
	if n.requested.milliCPU != 3000 || n.nonZero.memory != defaultMemory || len(n.ports) != 1 || n.requested.scalar("example.com/gpu") != 1 {
		t.Errorf("with the pod: %+v", n)
	}
	s.cluster.unplace(pod.UID)
	if n.requested.milliCPU != 0 || n.nonZero.memory != 0 || len(n.ports) != 0 || len(n.pods) != 0 || n.requested.scalar("example.com/gpu") != 0 {
		t.Errorf("without the pod: %+v", n)
	}
	s.cluster.unplace(pod.UID) // once more is no harm
	s.put("n", pod)
	s.cluster.setNode("n", nil)
	s.cluster.unplace(pod.UID)
	if len(s.cluster.byName) != 0 || len(s.cluster.nodes) != 0 {
		t.Errorf("a node that is gone is still known: %v", s.cluster.byName)
	}
}

func TestChangeOf(t *testing.T) {
	old := newNode("n", taint("k", corev1.TaintEffectNoSchedule))
	for _, test := range []struct {
		name   string
		change func(*corev1.Node)
		want   change
	}{
		{"a heartbeat", func(n *corev1.Node) {
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		}, 0},
		{"an image", pulled(1, "nginx:1.27"), 0},
		{"the same amount, written differently", allocatable("cpu", "4000m"), 0},
		{"more CPUs", allocatable("cpu", "8"), nodeResources},
		{"another resource", allocatable("example.com/gpu", "1"), nodeResources},
		{"a label", with("disk", "ssd"), nodeLabels},
		{"a cordon", cordoned, nodeTaints},
		{"fewer taints", func(n *corev1.Node) { n.Spec.Taints = nil }, nodeTaints},
		{"another value", func(n *corev1.Node) { n.Spec.Taints[0].Value = "v" }, nodeTaints},
		{"a label and a taint", func(n *corev1.Node) { n.Spec.Taints = nil; n.Labels["a"] = "b" }, nodeLabels | nodeTaints},
	} {
		t.Run(test.name, func(t *testing.T) {
			node := old.DeepCopy()
			test.change(node)
			if got := changeOf(old, node); got != test.want {
				t.Errorf("got %b, want %b", got, test.want)
			}
		})
	}
	if got := changeOf(nil, old); got != nodeAdded {
		t.Errorf("a new node is %b", got)
	}
}

func TestNamedNodes(t *testing.T) {
	for _, test := range []struct {
		name  string
		terms []corev1.NodeSelectorTerm
		want  []string
	}{
		{"no terms", nil, nil},
		{"a name", []corev1.NodeSelectorTerm{named("b")}, []string{"b"}},
		{"alternatives", []corev1.NodeSelectorTerm{named("b"), named("a", "b")}, []string{"a", "b"}},
		{"a term without", []corev1.NodeSelectorTerm{named("b"), term(expression("a", corev1.NodeSelectorOpExists))}, nil},
		{"a conflict", []corev1.NodeSelectorTerm{{MatchFields: append(named("a").MatchFields, named("b").MatchFields...)}}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := namedNodes(test.terms); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}
