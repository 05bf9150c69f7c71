package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"tidepool.dev/tidepool/engine/api/logs"
	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/sim/network"
	"tidepool.dev/tidepool/engine/sim/runtime"
)

// Node describes a simulated node.
type Node struct {
	Name     string
	Capacity corev1.ResourceList
	Labels   map[string]string
	Taints   []corev1.Taint
	// Number makes the node's addresses, from 1.
	Number int
}

// DefaultNode is the nth node of the default topology.
func DefaultNode(n int) Node {
	return Node{
		Name:   fmt.Sprintf("node-%d", n),
		Number: n,
		Capacity: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("4"),
			corev1.ResourceMemory: resource.MustParse("8Gi"),
			corev1.ResourcePods:   resource.MustParse("110"),
		},
	}
}

// podCIDR is the node's part of 10.244.0.0/14 and on: 10.244.n.0/24.
func (n Node) podCIDR() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(244 + n.Number>>8), byte(n.Number), 0}), 24)
}

// address is the node's own, in 172.18.0.0/16.
func (n Node) address() string {
	number := n.Number + 1 // .1 is the gateway
	return netip.AddrFrom4([4]byte{172, 18, byte(number >> 8), byte(number)}).String()
}

// Nodes are the simulated nodes of a cluster: their kubelets and runtimes.
type Nodes struct {
	clock  clock.Clock
	random *rand.Rand
	nodes  []Node
	// Fleet is nil until Controllers has been called.
	*kubelet.Fleet
}

// NewNodes returns no nodes yet. random must be safe for concurrent use.
func NewNodes(clock clock.Clock, random *rand.Rand) *Nodes {
	return &Nodes{clock: clock, random: random}
}

// Add adds a node; it comes to life with Controllers.
func (n *Nodes) Add(node Node) { n.nodes = append(n.nodes, node) }

// Controllers are the control loops that run the nodes, which write as the
// users that clientOf returns the clients of. It is called once.
func (n *Nodes) Controllers(cache *cache.Cache, clientOf func(user string) client.Client) []controller.Controller {
	n.Fleet = kubelet.NewFleet(cache)
	between := network.New(cache, rand.New(rand.NewPCG(n.random.Uint64(), 0)))
	for _, node := range n.nodes {
		machine := n.machine(node)
		machine.Connect(between)
		between.Add(node.address(), node.podCIDR(), machine)
		n.Fleet.Add(n.kubelet(node, machine, cache, clientOf("system:node:"+node.Name)))
	}
	return n.Fleet.Controllers()
}

func (n *Nodes) machine(node Node) *runtime.Runtime {
	return runtime.New(runtime.Config{
		Clock:   n.clock,
		Random:  rand.New(rand.NewPCG(n.random.Uint64(), uint64(node.Number))),
		PodCIDR: node.podCIDR(),
		HostIP:  node.address(),
	})
}

func (n *Nodes) kubelet(node Node, machine *runtime.Runtime, cache *cache.Cache, client client.Client) *kubelet.Kubelet {
	return kubelet.New(kubelet.Config{
		Node: kubelet.NodeConfig{
			Name:       node.Name,
			InternalIP: node.address(),
			PodCIDR:    node.podCIDR().String(),
			Capacity:   node.Capacity,
			Labels:     node.Labels,
			Taints:     node.Taints,
		},
		Cache:    cache,
		Client:   client,
		Recorder: events.NewRecorder(client, n.clock, "kubelet", node.Name),
		Clock:    n.clock,
		Runtime:  machine,
	})
}

var errNotStarted = errors.New("the nodes have not been started")

// OpenLog implements logs.Source.
func (n *Nodes) OpenLog(pod *corev1.Pod, container string, previous bool, wake func()) (logs.Reader, error) {
	if n.Fleet == nil {
		return nil, errNotStarted
	}
	return n.Fleet.OpenLog(pod, container, previous, wake)
}

// StartProcess implements remote.Source.
func (n *Nodes) StartProcess(pod *corev1.Pod, container string, options remote.Options, wake func()) (remote.Process, error) {
	if n.Fleet == nil {
		return nil, errNotStarted
	}
	return n.Fleet.StartProcess(pod, container, options, wake)
}

// Dial implements remote.Source.
func (n *Nodes) Dial(pod *corev1.Pod, port int, wake func()) (remote.Connection, error) {
	if n.Fleet == nil {
		return nil, errNotStarted
	}
	return n.Fleet.Dial(pod, port, wake)
}
