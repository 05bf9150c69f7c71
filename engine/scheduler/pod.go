package scheduler

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/resource"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// What a container that requests nothing counts as when nodes are scored, so
// that such pods spread too (pkg/scheduler/util.DefaultMilliCPURequest).
const (
	defaultMilliCPU = 100
	defaultMemory   = 200 << 20
)

// amounts are resources of a pod or a node.
type amounts struct {
	milliCPU, memory, ephemeral int64 // thousandths of a CPU, bytes, bytes
	scalars                     []scalar
}

// scalar is an amount of any other resource.
type scalar struct {
	name  corev1.ResourceName
	value int64
}

func amountsOf(list corev1.ResourceList) amounts {
	var a amounts
	for name, quantity := range list {
		switch name {
		case corev1.ResourceCPU:
			a.milliCPU = quantity.MilliValue()
		case corev1.ResourceMemory:
			a.memory = quantity.Value()
		case corev1.ResourceEphemeralStorage:
			a.ephemeral = quantity.Value()
		case corev1.ResourcePods:
		default:
			a.scalars = append(a.scalars, scalar{name, quantity.Value()})
		}
	}
	slices.SortFunc(a.scalars, func(x, y scalar) int { return compare(x.name, y.name) })
	return a
}

func compare[T ~string](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func (a *amounts) scalar(name corev1.ResourceName) int64 {
	for i := range a.scalars {
		if a.scalars[i].name == name {
			return a.scalars[i].value
		}
	}
	return 0
}

// add adds times b.
func (a *amounts) add(b *amounts, times int64) {
	a.milliCPU += times * b.milliCPU
	a.memory += times * b.memory
	a.ephemeral += times * b.ephemeral
next:
	for _, more := range b.scalars {
		for i := range a.scalars {
			if a.scalars[i].name == more.name {
				a.scalars[i].value += times * more.value
				continue next
			}
		}
		a.scalars = append(a.scalars, scalar{more.name, times * more.value})
	}
}

// hostPort is a port of the node that a pod takes.
type hostPort struct {
	ip       string
	protocol corev1.Protocol
	port     int32
}

// conflicts says that two pods with these ports can't share a node.
func (p hostPort) conflicts(other hostPort) bool {
	return p.port == other.port && p.protocol == other.protocol &&
		(p.ip == other.ip || p.ip == anyIP || other.ip == anyIP)
}

const anyIP = "0.0.0.0"

// podInfo is what scheduling needs of a pod, worked out once.
type podInfo struct {
	*corev1.Pod
	requests amounts
	// nonZero are the requests that count for scores.
	nonZero   amounts
	ports     []hostPort
	images    []string
	required  nodeaffinity.RequiredNodeAffinity
	anyNode   bool // required says nothing
	preferred *nodeaffinity.PreferredSchedulingTerms
	owner     types.UID // of the controller; empty if none
}

func newPodInfo(pod *corev1.Pod) *podInfo {
	p := &podInfo{Pod: pod, requests: amountsOf(resource.PodRequests(pod, resource.PodResourcesOptions{}))}
	p.nonZero = amounts{milliCPU: p.requests.milliCPU, memory: p.requests.memory}
	for i := range pod.Spec.Containers {
		container := &pod.Spec.Containers[i]
		if _, ok := container.Resources.Requests[corev1.ResourceCPU]; !ok {
			p.nonZero.milliCPU += defaultMilliCPU
		}
		if _, ok := container.Resources.Requests[corev1.ResourceMemory]; !ok {
			p.nonZero.memory += defaultMemory
		}
		p.images = append(p.images, normalizedImage(container.Image))
		p.addPorts(container)
	}
	for i := range pod.Spec.InitContainers {
		container := &pod.Spec.InitContainers[i]
		p.images = append(p.images, normalizedImage(container.Image))
		if container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			p.addPorts(container)
		}
	}
	p.required = nodeaffinity.GetRequiredNodeAffinity(pod)
	affinity := pod.Spec.Affinity
	p.anyNode = len(pod.Spec.NodeSelector) == 0 && (affinity == nil || affinity.NodeAffinity == nil)
	if affinity != nil && affinity.NodeAffinity != nil && len(affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution) > 0 {
		// What does not parse has been refused by validation.
		p.preferred, _ = nodeaffinity.NewPreferredSchedulingTerms(affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		p.owner = ref.UID
	}
	return p
}

func (p *podInfo) addPorts(container *corev1.Container) {
	for _, port := range container.Ports {
		if port.HostPort <= 0 {
			continue
		}
		taken := hostPort{ip: port.HostIP, protocol: port.Protocol, port: port.HostPort}
		if taken.ip == "" {
			taken.ip = anyIP
		}
		if taken.protocol == "" {
			taken.protocol = corev1.ProtocolTCP
		}
		p.ports = append(p.ports, taken)
	}
}
