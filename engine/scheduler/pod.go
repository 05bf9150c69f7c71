package scheduler

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
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
	// only, if not nil, names the nodes that required can select at all: a
	// DaemonSet's pods each name one.
	only  []string
	owner types.UID // of the controller; empty if none
	// affinities are about other pods; nil if there are none.
	affinities  *affinities
	constraints []constraint
}

func newPodInfo(pod *corev1.Pod) *podInfo {
	p := &podInfo{Pod: pod, anyNode: true}
	p.requests, p.nonZero = requestsOf(pod)
	for i := range pod.Spec.Containers {
		p.images = append(p.images, normalizedImage(pod.Spec.Containers[i].Image))
		p.addPorts(&pod.Spec.Containers[i])
	}
	for i := range pod.Spec.InitContainers {
		container := &pod.Spec.InitContainers[i]
		p.images = append(p.images, normalizedImage(container.Image))
		if container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			p.addPorts(container)
		}
	}
	for i := range pod.Spec.Volumes {
		if image := pod.Spec.Volumes[i].Image; image != nil {
			p.images = append(p.images, normalizedImage(image.Reference))
		}
	}
	p.addAffinity()
	p.affinities = affinitiesOf(pod)
	p.constraints = constraintsOf(pod)
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		p.owner = ref.UID
	}
	return p
}

// requestsOf returns what a pod requests, and what it counts for in scores.
func requestsOf(pod *corev1.Pod) (requests, nonZero amounts) {
	spec := &pod.Spec
	if len(spec.InitContainers) == 0 && spec.Resources == nil && len(spec.Overhead) == 0 {
		for i := range spec.Containers { // most pods: their containers' sum
			list := spec.Containers[i].Resources.Requests
			if len(list) > 0 {
				one := amountsOf(list)
				requests.add(&one, 1)
			}
			if _, ok := list[corev1.ResourceCPU]; !ok {
				nonZero.milliCPU += defaultMilliCPU
			}
			if _, ok := list[corev1.ResourceMemory]; !ok {
				nonZero.memory += defaultMemory
			}
		}
		nonZero.milliCPU += requests.milliCPU
		nonZero.memory += requests.memory
		return requests, nonZero
	}
	requests = amountsOf(resource.PodRequests(pod, resource.PodResourcesOptions{}))
	return requests, amountsOf(resource.PodRequests(pod, resource.PodResourcesOptions{NonMissingContainerRequests: missing}))
}

// missing is what a container that does not say counts as.
var missing = corev1.ResourceList{
	corev1.ResourceCPU:    *apiresource.NewMilliQuantity(defaultMilliCPU, apiresource.DecimalSI),
	corev1.ResourceMemory: *apiresource.NewQuantity(defaultMemory, apiresource.DecimalSI),
}

func (p *podInfo) addAffinity() {
	if len(p.Spec.NodeSelector) > 0 {
		p.anyNode = false
	}
	if affinity := p.Spec.Affinity; affinity != nil && affinity.NodeAffinity != nil {
		if required := affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; required != nil {
			p.anyNode = false
			p.only = namedNodes(required.NodeSelectorTerms)
		}
		if preferred := affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution; len(preferred) > 0 {
			// What does not parse has been refused by validation.
			p.preferred, _ = nodeaffinity.NewPreferredSchedulingTerms(preferred)
		}
	}
	if !p.anyNode {
		p.required = nodeaffinity.GetRequiredNodeAffinity(p.Pod)
	}
}

// namedNodes returns the names of the nodes, in order, that alternatives select
// by metadata.name; nil if one of them selects without
// (plugins/nodeaffinity.PreFilter).
func namedNodes(terms []corev1.NodeSelectorTerm) []string {
	if len(terms) == 0 {
		return nil
	}
	names := []string{}
	for i := range terms {
		var ofTerm []string
		named := false
		for _, r := range terms[i].MatchFields {
			if r.Key != metav1.ObjectNameField || r.Operator != corev1.NodeSelectorOpIn {
				continue
			}
			if !named {
				ofTerm, named = slices.Clone(r.Values), true
			} else { // all requirements of a term must hold
				ofTerm = slices.DeleteFunc(ofTerm, func(name string) bool { return !slices.Contains(r.Values, name) })
			}
		}
		if !named {
			return nil
		}
		names = append(names, ofTerm...)
	}
	slices.Sort(names)
	return slices.Compact(names)
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
