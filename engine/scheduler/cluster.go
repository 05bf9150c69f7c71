package scheduler

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// cluster is what the scheduler knows: every node, and the pods on it including
// those that it has just placed. It follows the watch event by event.
type cluster struct {
	nodes  []*nodeInfo // that exist, by name
	byName map[string]*nodeInfo
	placed map[types.UID]*placement
	// imageNodes counts the nodes that have an image.
	imageNodes map[string]int
	spreads    spreads
	// carried are the placed pods' terms about others.
	carried    map[string]*carried
	topologies map[string]*topology // by label
	// priorities counts the placed pods of each.
	priorities map[int32]int
	nominated  map[types.UID]*placement
	zones      []string // names; see zone
	slots      int      // how many nodes have been numbered
	freeSlots  []int    // numbers of nodes that are gone
}

type placement struct {
	*podInfo
	node *nodeInfo
}

func newCluster() cluster {
	return cluster{
		byName:     map[string]*nodeInfo{},
		placed:     map[types.UID]*placement{},
		imageNodes: map[string]int{},
		spreads:    newSpreads(),
		carried:    map[string]*carried{},
		topologies: map[string]*topology{},
		priorities: map[int32]int{},
		nominated:  map[types.UID]*placement{},
	}
}

// node returns a node, which need not exist (yet): a pod may name it first.
func (c *cluster) node(name string) *nodeInfo {
	n, ok := c.byName[name]
	if ok {
		return n
	}
	n = newNodeInfo(name)
	if last := len(c.freeSlots) - 1; last >= 0 {
		n.slot, c.freeSlots = c.freeSlots[last], c.freeSlots[:last]
	} else {
		n.slot = c.slots
		c.slots++
	}
	c.byName[name] = n
	return n
}

// forget lets go of a node that neither exists nor has pods.
func (c *cluster) forget(n *nodeInfo) {
	if n.Node == nil && len(n.pods) == 0 && len(n.nominated) == 0 {
		delete(c.byName, n.name)
		c.freeSlots = append(c.freeSlots, n.slot) // its counts are 0
	}
}

func byName(n *nodeInfo, name string) int { return compare(n.name, name) }

// setNode takes over a node's state; nil when it is gone. It returns what of
// the change may help pods.
func (c *cluster) setNode(name string, node *corev1.Node) change {
	n := c.node(name)
	for image := range n.images {
		if c.imageNodes[image]--; c.imageNodes[image] == 0 {
			delete(c.imageNodes, image)
		}
	}
	at, listed := slices.BinarySearchFunc(c.nodes, name, byName)
	if node == nil {
		n.Node, n.images = nil, nil
		c.relabel(n)
		if listed {
			c.nodes = slices.Delete(c.nodes, at, at+1)
		}
		c.forget(n)
		return 0
	}
	what := changeOf(n.Node, node)
	n.setNode(node)
	for image := range n.images {
		c.imageNodes[image]++
	}
	if !listed {
		c.nodes = slices.Insert(c.nodes, at, n)
	}
	if zone := c.zone(node); zone != n.zone {
		c.spreads.moveZone(n, zone)
	}
	c.relabel(n)
	return what
}

// place puts a pod on a node, instead of where it was.
func (c *cluster) place(p *podInfo, node string) {
	c.unplace(p.UID)
	n := c.node(node)
	c.put(p, n)
	c.placed[p.UID] = &placement{p, n}
	c.priorities[priority(p.Pod)]++
}

// put adds a pod to a node's account.
func (c *cluster) put(p *podInfo, n *nodeInfo) {
	n.add(p)
	c.spreads.count(p, n, 1)
	c.carry(p, n, 1)
}

// take is the opposite of put.
func (c *cluster) take(p *podInfo, n *nodeInfo) {
	c.spreads.count(p, n, -1)
	c.carry(p, n, -1)
	n.remove(p)
}

func (c *cluster) unplace(uid types.UID) {
	at, ok := c.placed[uid]
	if !ok {
		return
	}
	delete(c.placed, uid)
	c.take(at.podInfo, at.node)
	if rank := priority(at.Pod); c.priorities[rank] == 1 {
		delete(c.priorities, rank)
	} else {
		c.priorities[rank]--
	}
	c.forget(at.node)
}
