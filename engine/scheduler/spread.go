package scheduler

import (
	"math"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
)

// Pods of one Service or ReplicaSet are spread over nodes and zones by
// constraints that every pod has that names none
// (plugins/podtopologyspread.systemDefaultConstraints).
const (
	hostSkew = 3
	zoneSkew = 5
)

// maxGroups bounds the groups that are counted; beyond it they are counted anew.
const maxGroups = 1024

// spreadGroup counts the pods that are spread together, per node and per zone.
type spreadGroup struct {
	tally
	namespace string
	selector  labels.Selector
	inZone    []int64 // by nodeInfo.zone
	// match replaces namespace and selector, which then only help to find the
	// group; they may be empty.
	match func(*podInfo) bool
	// all counts pods that are being deleted, too.
	all bool
	// byNamespaceLabels: match depends on what labels namespaces have.
	byNamespaceLabels bool
}

func (g *spreadGroup) matches(p *podInfo) bool {
	if p.DeletionTimestamp != nil && !g.all {
		return false
	}
	if g.match != nil {
		return g.match(p)
	}
	return p.Namespace == g.namespace && g.selector.Matches(labels.Set(p.Labels))
}

func (g *spreadGroup) count(n *nodeInfo, by int64) {
	g.tally.count(n, by)
	g.inZone = reach(g.inZone, n.zone)
	g.inZone[n.zone] += by
}

// reach makes a counter long enough for an index.
func reach(counts []int64, index int) []int64 {
	if index >= len(counts) {
		counts = append(counts, make([]int64, index+1-len(counts))...)
	}
	return counts
}

func at(counts []int64, index int) int64 {
	if index < len(counts) {
		return counts[index]
	}
	return 0
}

// spreads keeps the groups that pods have been scheduled by.
type spreads struct {
	groups map[string]*spreadGroup // by namespace and selector
	// byPair finds the groups that a pod may belong to by a label that their
	// selectors require, which all but odd ones have.
	byPair map[pair][]*spreadGroup
	odd    []*spreadGroup
	// byOwner saves working out the group of each pod of one controller; it
	// holds until a Service changes.
	byOwner map[types.UID]*spreadGroup
}

// pair is a label in a namespace.
type pair struct{ namespace, key, value string }

func newSpreads() spreads {
	return spreads{groups: map[string]*spreadGroup{}, byPair: map[pair][]*spreadGroup{}, byOwner: map[types.UID]*spreadGroup{}}
}

// count keeps the groups up to date when a pod comes to (1) or leaves (-1) a
// node.
func (s *spreads) count(p *podInfo, n *nodeInfo, by int64) {
	if len(s.groups) == 0 {
		return
	}
	add := func(groups []*spreadGroup) {
		for _, g := range groups {
			if g.matches(p) {
				g.count(n, by)
			}
		}
	}
	add(s.odd)
	for key, value := range p.Labels { // each group is found by one of them alone
		add(s.byPair[pair{p.Namespace, key, value}])
	}
}

// moveZone keeps the groups up to date when a node gets another zone.
func (s *spreads) moveZone(n *nodeInfo, zone int) {
	for _, g := range s.groups { // each is independent of the others
		if count := at(g.onNode, n.slot); count != 0 {
			g.inZone[n.zone] -= count
			g.inZone = reach(g.inZone, zone)
			g.inZone[zone] += count
		}
	}
	n.zone = zone
}

// index files a new group under the pair of its selector that finds the fewest
// other groups: a pod-template-hash rather than an app.
func (s *spreads) index(g *spreadGroup) {
	var requirements labels.Requirements
	if g.selector != nil {
		requirements, _ = g.selector.Requirements()
	}
	best, found := pair{}, false
	for _, r := range requirements {
		values := r.ValuesUnsorted()
		if op := r.Operator(); len(values) != 1 || op != selection.Equals && op != selection.DoubleEquals && op != selection.In {
			continue
		}
		candidate := pair{g.namespace, r.Key(), values[0]}
		if !found || len(s.byPair[candidate]) < len(s.byPair[best]) {
			best, found = candidate, true
		}
	}
	if found {
		s.byPair[best] = append(s.byPair[best], g)
	} else {
		s.odd = append(s.odd, g)
	}
}

// group returns the pod's group; nil if it is not spread.
func (s *Scheduler) group(p *podInfo) *spreadGroup {
	spreads := &s.cluster.spreads
	if p.owner == "" {
		return s.findGroup(p)
	}
	g, ok := spreads.byOwner[p.owner]
	if !ok {
		if len(spreads.byOwner) >= maxGroups {
			clear(spreads.byOwner)
		}
		g = s.findGroup(p)
		s.cluster.spreads.byOwner[p.owner] = g
	}
	return g
}

// findGroup selects as the pod's Services and its controller do together
// (plugins/helper.DefaultSelector).
func (s *Scheduler) findGroup(p *podInfo) *spreadGroup {
	set := labels.Set{}
	for _, service := range cache.List[*corev1.Service](s.cache, "services", p.Namespace) {
		selector := labels.Set(service.Spec.Selector)
		if len(selector) > 0 && selector.AsSelectorPreValidated().Matches(labels.Set(p.Labels)) {
			set = labels.Merge(set, selector)
		}
	}
	selector := labels.NewSelector()
	if len(set) > 0 {
		selector = set.AsSelectorPreValidated()
	}
	if ref := metav1.GetControllerOfNoCopy(p.Pod); ref != nil && ref.Kind == "ReplicaSet" {
		if rs, ok := cache.Get[*appsv1.ReplicaSet](s.cache, "replicasets.apps", p.Namespace, ref.Name); ok {
			if more, err := metav1.LabelSelectorAsSelector(rs.Spec.Selector); err == nil {
				if requirements, selectable := more.Requirements(); selectable {
					selector = selector.Add(requirements...)
				}
			}
		}
	}
	if selector.Empty() {
		return nil
	}
	return s.cluster.openSpread(p.Namespace, selector)
}

// openSpread returns the group of a selector, counted.
func (c *cluster) openSpread(namespace string, selector labels.Selector) *spreadGroup {
	return c.openGroup(namespace+"/"+selector.String(), &spreadGroup{namespace: namespace, selector: selector})
}

// openGroup returns the group of a key, counted; it is g if it is new.
func (c *cluster) openGroup(key string, g *spreadGroup) *spreadGroup {
	if kept, ok := c.spreads.groups[key]; ok {
		return kept
	}
	if len(c.spreads.groups) >= maxGroups {
		c.spreads = newSpreads()
	}
	c.spreads.groups[key] = g
	c.spreads.index(g)
	for _, placed := range c.placed {
		if g.matches(placed.podInfo) {
			g.count(placed.node, 1)
		}
	}
	return g
}

// forgetByNamespaceLabels drops the groups that depend on namespaces' labels.
func (s *spreads) forgetByNamespaceLabels() {
	for key, g := range s.groups {
		if g.byNamespaceLabels {
			delete(s.groups, key)
			s.odd = slices.DeleteFunc(s.odd, func(other *spreadGroup) bool { return other == g })
		}
	}
}

// scoreSpread prefers nodes, and zones, with fewer pods of the pod's group.
func scoreSpread(s *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64) {
	if len(p.constraints) > 0 { // the default ones are for pods without any
		s.scoreConstraints(p, nodes, scores)
		return
	}
	g := s.group(p)
	if g == nil {
		clear(scores)
		return
	}
	zones, inZone := s.zonesOf(p, g, nodes)
	hostWeight, zoneWeight := logarithm(len(nodes)+2), logarithm(zones+2)
	lowest, highest := int64(math.MaxInt64), int64(0)
	for i, n := range nodes {
		// The conversions keep compilers from fusing the operations, which
		// some machines can: every one must come to the same score.
		score := 0.0
		if n.hasHostname {
			score = float64(float64(at(g.onNode, n.slot))*hostWeight) + (hostSkew - 1)
		}
		if n.zone != noZone {
			score += float64(float64(at(inZone, n.zone))*zoneWeight) + (zoneSkew - 1)
		}
		scores[i] = int64(math.Round(score))
		lowest, highest = min(lowest, scores[i]), max(highest, scores[i])
	}
	for i := range scores {
		if highest == 0 {
			scores[i] = maxScore
		} else {
			scores[i] = maxScore * (highest + lowest - scores[i]) / highest
		}
	}
}

// zonesOf returns in how many zones the nodes are, where being in none counts
// as one, and how many pods of the group each zone has on the nodes that the
// pod's affinity selects.
func (s *Scheduler) zonesOf(p *podInfo, g *spreadGroup, nodes []*nodeInfo) (zones int, inZone []int64) {
	if len(s.cluster.zones) == 0 {
		return 1, nil
	}
	s.zones = grown(s.zones, len(s.cluster.zones)+1)
	clear(s.zones)
	for _, n := range nodes {
		zones += int(1 - s.zones[n.zone])
		s.zones[n.zone] = 1
	}
	if p.anyNode {
		return zones, g.inZone
	}
	clear(s.zones)
	for _, n := range s.cluster.nodes {
		if nodeAffinity(p, n) == nil {
			s.zones[n.zone] += at(g.onNode, n.slot)
		}
	}
	return zones, s.zones
}

// noZone is the zone of nodes that are in none.
const noZone = 0

// zone numbers the zones from 1.
func (c *cluster) zone(node *corev1.Node) int {
	name := node.Labels[corev1.LabelTopologyZone]
	if name == "" {
		return noZone
	}
	if i := slices.Index(c.zones, name); i >= 0 {
		return i + 1
	}
	c.zones = append(c.zones, name)
	return len(c.zones)
}

// logarithm is the natural one. It is computed here, since math.Log may be
// assembly whose last digit differs between machines, and a simulation must not.
func logarithm(n int) float64 {
	fraction, exponent := math.Frexp(float64(n)) // n = fraction × 2^exponent
	x := (fraction - 1) / (fraction + 1)
	square, power, sum := x*x, x, 0.0
	for i := 1; i < 40; i += 2 {
		sum += power / float64(i)
		power *= square
	}
	return 2*sum + float64(float64(exponent)*math.Ln2)
}
