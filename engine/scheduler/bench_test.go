package scheduler

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// BenchmarkDecide measures decisions alone, without writing them: pods of one
// ReplicaSet, on clusters whose nodes each have zones and images.
func BenchmarkDecide(b *testing.B) {
	for _, size := range []struct{ nodes, pods int }{{3, 100}, {100, 1000}, {1000, 10000}, {5000, 10000}} {
		b.Run(fmt.Sprintf("nodes=%d/pods=%d", size.nodes, size.pods), func(b *testing.B) {
			pods := make([]*corev1.Pod, size.pods)
			s := newScheduler()
			for i := range pods {
				pods[i] = owned(s, web(fmt.Sprint(i)))
				asking("cpu", "100m", "memory", "64Mi")(pods[i])
			}
			var nodes []*corev1.Node
			for i, node := range nodesNamed(size.nodes, pulled(100<<20, "nginx:1.27")) {
				zone(fmt.Sprint("zone-", i%3))(node)
				nodes = append(nodes, node)
			}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				s := newScheduler(nodes...)
				owned(s, web("first"))
				b.StartTimer()
				for _, pod := range pods {
					p := newPodInfo(pod)
					d := s.choose(p)
					s.cluster.place(p, d.node.name)
				}
			}
			b.ReportMetric(float64(size.pods)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
		})
	}
}

// BenchmarkRefuse measures how long it takes to find that no node of a full
// cluster can take a pod.
func BenchmarkRefuse(b *testing.B) {
	s := newScheduler(nodesNamed(5000)...)
	for _, n := range s.cluster.nodes {
		s.put(n.name, newPod(n.name, asking("cpu", "4")))
	}
	p := newPodInfo(newPod("p", asking("cpu", "1")))
	b.ReportAllocs()
	for b.Loop() {
		d := s.choose(p)
		_, preemption, _ := s.preempt(p, &d)
		_ = unavailable(d.refusals, d.conflict, preemption)
	}
}
