package scheduler

import corev1 "k8s.io/api/core/v1"

// none is the domain of nodes that lack a topology's label.
const none = 0

// topology numbers the values that nodes have of one label.
type topology struct {
	key string
	ids map[string]int // from 1
	of  []int          // by nodeInfo.slot
}

func (t *topology) set(slot, id int) {
	for slot >= len(t.of) {
		t.of = append(t.of, none)
	}
	t.of[slot] = id
}

// domain is the number of a node's value.
func (t *topology) domain(n *nodeInfo) int {
	if n.slot < len(t.of) {
		return t.of[n.slot]
	}
	return none
}

// idOf numbers a node's value, which may be new.
func (t *topology) idOf(node *corev1.Node) int {
	if node == nil {
		return none
	}
	value, has := node.Labels[t.key]
	if !has {
		return none
	}
	id, known := t.ids[value]
	if !known {
		id = len(t.ids) + 1
		t.ids[value] = id
	}
	return id
}

// topology returns that of a label.
func (c *cluster) topology(key string) *topology {
	if t, ok := c.topologies[key]; ok {
		return t
	}
	t := &topology{key: key, ids: map[string]int{}}
	for _, n := range c.nodes {
		t.set(n.slot, t.idOf(n.Node))
	}
	c.topologies[key] = t
	return t
}

// relabel keeps topologies and what is counted by them up to date when a node
// has come, changed or gone.
func (c *cluster) relabel(n *nodeInfo) {
	for _, t := range c.topologies { // each is independent of the others
		was, id := t.domain(n), t.idOf(n.Node)
		if was == id {
			continue
		}
		t.set(n.slot, id)
		for _, g := range c.spreads.groups {
			g.moveDomain(t, n, was, id)
		}
		for _, carried := range c.carried {
			carried.moveDomain(t, n, was, id)
		}
	}
}

// tally counts pods, per node and per domain of the topologies that are asked
// for.
type tally struct {
	onNode  []int64 // by nodeInfo.slot
	domains []*domains
}

// domains counts pods by the domains of one topology.
type domains struct {
	*topology
	counts []int64 // by domain
	// sum leaves out nodes without the label.
	sum int64
}

func (d *domains) add(id int, by int64) {
	d.counts = reach(d.counts, id)
	d.counts[id] += by
	if id != none {
		d.sum += by
	}
}

// on returns the count of a node's domain, 0 if it is in none.
func (d *domains) on(n *nodeInfo) int64 {
	id := d.domain(n)
	if id == none {
		return 0
	}
	return at(d.counts, id)
}

func (t *tally) count(n *nodeInfo, by int64) {
	t.onNode = reach(t.onNode, n.slot)
	t.onNode[n.slot] += by
	for _, d := range t.domains {
		d.add(d.domain(n), by)
	}
}

func (t *tally) moveDomain(moved *topology, n *nodeInfo, from, to int) {
	count := at(t.onNode, n.slot)
	if count == 0 {
		return
	}
	for _, d := range t.domains {
		if d.topology == moved {
			d.add(from, -count)
			d.add(to, count)
		}
	}
}

// by returns the counts by a topology.
func (t *tally) by(c *cluster, key string) *domains {
	for _, d := range t.domains {
		if d.key == key {
			return d
		}
	}
	d := &domains{topology: c.topology(key)}
	for _, n := range c.byName { // sums don't depend on the order
		if count := at(t.onNode, n.slot); count != 0 {
			d.add(d.domain(n), count)
		}
	}
	t.domains = append(t.domains, d)
	return d
}
