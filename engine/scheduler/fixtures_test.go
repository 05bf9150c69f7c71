package scheduler

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// requests parses pairs of a resource and an amount.
func requests(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}

func newPod(name string, change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name), Generation: 1},
		Spec:       corev1.PodSpec{SchedulerName: Name, Containers: []corev1.Container{{Name: "c", Image: "nginx:1.27"}}},
	}
	for _, f := range change {
		f(pod)
	}
	return pod
}

func asking(pairs ...string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.Containers[0].Resources.Requests = requests(pairs...) }
}

func labelled(pairs ...string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Labels = labelsOf(pairs) }
}

func labelsOf(pairs []string) map[string]string {
	set := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		set[pairs[i]] = pairs[i+1]
	}
	return set
}

func tolerating(tolerations ...corev1.Toleration) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.Tolerations = tolerations }
}

func exposing(ports ...corev1.ContainerPort) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.Containers[0].Ports = ports }
}

func nodeAffinityOf(pod *corev1.Pod) *corev1.NodeAffinity {
	if pod.Spec.Affinity == nil {
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}}
	}
	return pod.Spec.Affinity.NodeAffinity
}

func requiring(terms ...corev1.NodeSelectorTerm) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		nodeAffinityOf(pod).RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{NodeSelectorTerms: terms}
	}
}

func preferring(terms ...corev1.PreferredSchedulingTerm) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		nodeAffinityOf(pod).PreferredDuringSchedulingIgnoredDuringExecution = terms
	}
}

func expression(key string, operator corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: operator, Values: values}
}

func term(expressions ...corev1.NodeSelectorRequirement) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: expressions}
}

func named(names ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{expression("metadata.name", corev1.NodeSelectorOpIn, names...)}}
}

// newNode is a node of the default topology.
func newNode(name string, change ...func(*corev1.Node)) *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status:     corev1.NodeStatus{Allocatable: requests("cpu", "4", "memory", "8Gi", "pods", "110")},
	}
	for _, f := range change {
		f(node)
	}
	return node
}

func allocatable(pairs ...string) func(*corev1.Node) {
	return func(node *corev1.Node) {
		for name, quantity := range requests(pairs...) {
			node.Status.Allocatable[name] = quantity
		}
	}
}

func cordoned(node *corev1.Node) { node.Spec.Unschedulable = true }

func taint(key string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(node *corev1.Node) {
		node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: key, Effect: effect})
	}
}

func with(pairs ...string) func(*corev1.Node) {
	return func(node *corev1.Node) {
		for key, value := range labelsOf(pairs) {
			node.Labels[key] = value
		}
	}
}

func pulled(size int64, names ...string) func(*corev1.Node) {
	return func(node *corev1.Node) {
		node.Status.Images = append(node.Status.Images, corev1.ContainerImage{Names: names, SizeBytes: size})
	}
}

// newScheduler is one that only decides: its cache is empty, and it has neither
// client nor recorder.
func newScheduler(nodes ...*corev1.Node) *Scheduler {
	empty, err := cache.New(context.Background(), store.NewMemory(0), []string{"services", "replicasets.apps"}, nil)
	if err != nil {
		panic(err)
	}
	s := New(empty, nil, nil, clock.NewVirtual(start), rand.New(rand.NewPCG(1, 0)))
	for _, node := range nodes {
		s.cluster.setNode(node.Name, node)
	}
	return s
}

// put places a pod without asking.
func (s *Scheduler) put(node string, pod *corev1.Pod) {
	s.cluster.place(newPodInfo(pod), node)
}

func nodesNamed(count int, change ...func(*corev1.Node)) []*corev1.Node {
	var nodes []*corev1.Node
	for i := range count {
		nodes = append(nodes, newNode(fmt.Sprintf("node-%04d", i), change...))
	}
	return nodes
}
