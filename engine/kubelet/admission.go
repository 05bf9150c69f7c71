package kubelet

import (
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	resourcehelper "k8s.io/component-helpers/resource"

	"tidepool.dev/tidepool/engine/cache"
)

// admission is what the pods that the node has taken in use of it. The
// scheduler looks at the same things, but pods can come without it, or two
// schedulers can disagree.
type admission struct {
	mu       sync.Mutex
	admitted map[*worker]usage
	total    usage
	ports    map[hostPort]int
}

type usage struct{ cpu, memory, pods int64 }

type hostPort struct {
	ip       string
	protocol corev1.Protocol
	port     int32
}

func (a *admission) init() {
	a.admitted = map[*worker]usage{}
	a.ports = map[hostPort]int{}
}

func (u *usage) add(other usage, sign int64) {
	u.cpu += sign * other.cpu
	u.memory += sign * other.memory
	u.pods += sign * other.pods
}

func podUsage(pod *corev1.Pod) usage {
	if !hasResources(&pod.Spec) {
		return usage{pods: 1}
	}
	requests := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
	return usage{cpu: requests.Cpu().MilliValue(), memory: requests.Memory().Value(), pods: 1}
}

// admit takes a pod in, or says why not, as Kubernetes words it.
func (a *admission) admit(w *worker) (reason, message string) {
	need := podUsage(w.pod)
	a.mu.Lock()
	defer a.mu.Unlock()
	capacity := w.Node.Capacity
	for _, r := range [...]struct {
		name                  corev1.ResourceName
		reason                string
		need, used, available int64
	}{
		{corev1.ResourcePods, "OutOfpods", need.pods, a.total.pods, capacity.Pods().Value()},
		{corev1.ResourceCPU, "OutOfcpu", need.cpu, a.total.cpu, capacity.Cpu().MilliValue()},
		{corev1.ResourceMemory, "OutOfmemory", need.memory, a.total.memory, capacity.Memory().Value()},
	} {
		if r.need > 0 && r.used+r.need > r.available {
			return r.reason, fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d", r.name, r.need, r.used, r.available)
		}
	}
	if len(w.pod.Spec.NodeSelector) > 0 || w.pod.Spec.Affinity != nil && w.pod.Spec.Affinity.NodeAffinity != nil {
		if node, ok := cache.Get[*corev1.Node](w.Cache, nodeResource, "", w.Node.Name); ok {
			if match, err := nodeaffinity.GetRequiredNodeAffinity(w.pod).Match(node); err == nil && !match {
				return "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
			}
		}
	}
	ports := hostPorts(w.pod)
	for _, port := range ports {
		for other := range a.ports {
			if port.conflicts(other) {
				return "NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
			}
		}
	}
	for _, port := range ports {
		a.ports[port]++
	}
	a.admitted[w] = need
	a.total.add(need, 1)
	return "", ""
}

// remove gives back what a pod has used.
func (a *admission) remove(w *worker) {
	a.mu.Lock()
	defer a.mu.Unlock()
	used, ok := a.admitted[w]
	if !ok {
		return
	}
	delete(a.admitted, w)
	a.total.add(used, -1)
	for _, port := range hostPorts(w.pod) {
		if a.ports[port]--; a.ports[port] <= 0 {
			delete(a.ports, port)
		}
	}
}

func (p hostPort) conflicts(other hostPort) bool {
	return p.port == other.port && p.protocol == other.protocol &&
		(p.ip == other.ip || p.ip == anyIP || other.ip == anyIP)
}

const anyIP = "0.0.0.0"

func hostPorts(pod *corev1.Pod) []hostPort {
	var ports []hostPort
	add := func(containers []corev1.Container) {
		for i := range containers {
			for _, p := range containers[i].Ports {
				if p.HostPort > 0 {
					ip := p.HostIP
					if ip == "" {
						ip = anyIP
					}
					protocol := p.Protocol
					if protocol == "" {
						protocol = corev1.ProtocolTCP
					}
					ports = append(ports, hostPort{ip, protocol, p.HostPort})
				}
			}
		}
	}
	add(pod.Spec.Containers)
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			add(pod.Spec.InitContainers[i : i+1])
		}
	}
	return ports
}
