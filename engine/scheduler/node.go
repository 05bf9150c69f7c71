package scheduler

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// nodeInfo is a node with the pods that are, or are about to be, on it.
type nodeInfo struct {
	*corev1.Node // nil while only pods name it
	name         string
	allocatable  amounts
	maxPods      int64
	requested    amounts
	nonZero      amounts
	pods         map[types.UID]*podInfo
	// nominated pods are to get the room that others are about to leave.
	nominated []*podInfo
	// ports are those of all pods.
	ports []hostPort
	// images are the sizes of the images that it has, by each of their names.
	images map[string]int64
	// slot numbers the nodes, zone the zones; see spread.go.
	slot, zone  int
	hasHostname bool
	// changed is the number of the latest change that may have given room, and
	// what collects the kinds of such changes; see room.go.
	changed uint64
	what    change
}

func newNodeInfo(name string) *nodeInfo {
	return &nodeInfo{name: name, pods: map[types.UID]*podInfo{}}
}

func (n *nodeInfo) setNode(node *corev1.Node) {
	n.Node = node
	n.allocatable = amountsOf(node.Status.Allocatable)
	n.maxPods = node.Status.Allocatable.Pods().Value()
	_, n.hasHostname = node.Labels[corev1.LabelHostname]
	n.images = make(map[string]int64, len(node.Status.Images))
	for _, image := range node.Status.Images {
		for _, name := range image.Names {
			n.images[name] = image.SizeBytes
		}
	}
}

func (n *nodeInfo) add(p *podInfo) {
	n.pods[p.UID] = p
	n.requested.add(&p.requests, 1)
	n.nonZero.add(&p.nonZero, 1)
	n.ports = append(n.ports, p.ports...)
}

func (n *nodeInfo) remove(p *podInfo) {
	delete(n.pods, p.UID)
	n.requested.add(&p.requests, -1)
	n.nonZero.add(&p.nonZero, -1)
	for _, port := range p.ports {
		if i := slices.Index(n.ports, port); i >= 0 {
			n.ports = slices.Delete(n.ports, i, i+1)
		}
	}
}

// normalizedImage is the name under which a node lists an image of a pod.
func normalizedImage(name string) string {
	if strings.LastIndex(name, ":") <= strings.LastIndex(name, "/") {
		name += ":latest"
	}
	return name
}
