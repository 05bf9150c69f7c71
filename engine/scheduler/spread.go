package scheduler

import (
	"math"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
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
const maxGroups = 256

// spreadGroup counts the pods that are spread together.
type spreadGroup struct {
	key       string
	namespace string
	selector  labels.Selector
	zones     map[string]int64
}

func (g *spreadGroup) matches(p *podInfo) bool {
	return p.Namespace == g.namespace && p.DeletionTimestamp == nil && g.selector.Matches(labels.Set(p.Labels))
}

// spreads keeps the groups that pods have been scheduled by.
type spreads struct {
	groups map[string]*spreadGroup
	// byOwner saves working out the group of each pod of one controller; it
	// holds until a Service changes.
	byOwner map[types.UID]*spreadGroup
}

func newSpreads() spreads {
	return spreads{groups: map[string]*spreadGroup{}, byOwner: map[types.UID]*spreadGroup{}}
}

// count keeps the groups up to date when a pod comes to (1) or leaves (-1) a
// node.
func (s *spreads) count(p *podInfo, n *nodeInfo, by int64) {
	for _, g := range s.groups { // each is independent of the others
		if g.matches(p) {
			n.spread[g.key] += by
			g.zones[zoneOf(n)] += by
		}
	}
}

func zoneOf(n *nodeInfo) string {
	if n.Node == nil {
		return ""
	}
	return n.Labels[corev1.LabelTopologyZone]
}

// group returns the pod's group; nil if it is not spread.
func (s *Scheduler) group(p *podInfo) *spreadGroup {
	spreads := &s.cluster.spreads
	if p.owner != "" {
		if g, ok := spreads.byOwner[p.owner]; ok {
			return g
		}
	}
	g := s.findGroup(p)
	if p.owner != "" {
		spreads.byOwner[p.owner] = g
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
	return s.cluster.open(p.Namespace, selector)
}

// open returns the group of a selector, counted.
func (c *cluster) open(namespace string, selector labels.Selector) *spreadGroup {
	key := namespace + "/" + selector.String()
	if g, ok := c.spreads.groups[key]; ok {
		return g
	}
	if len(c.spreads.groups) >= maxGroups {
		c.forgetSpreads()
	}
	g := &spreadGroup{key: key, namespace: namespace, selector: selector, zones: map[string]int64{}}
	c.spreads.groups[key] = g
	for _, n := range c.nodes {
		for _, p := range n.pods {
			if g.matches(p) {
				n.spread[key]++
				g.zones[zoneOf(n)]++
			}
		}
	}
	return g
}

func (c *cluster) forgetSpreads() {
	c.spreads = newSpreads()
	for _, n := range c.nodes {
		n.spread = map[string]int64{}
	}
}

// scoreSpread prefers nodes, and zones, with fewer pods of the pod's group.
func scoreSpread(s *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64) {
	g := s.group(p)
	if g == nil {
		clear(scores)
		return
	}
	zones := map[string]bool{}
	for _, n := range nodes {
		if zone := zoneOf(n); zone != "" {
			zones[zone] = true
		}
	}
	hostWeight, zoneWeight := logarithm(len(nodes)+2), logarithm(len(zones)+2)
	lowest, highest := int64(math.MaxInt64), int64(0)
	for i, n := range nodes {
		score := float64(n.spread[g.key])*hostWeight + (hostSkew - 1)
		if zone := zoneOf(n); zone != "" {
			score += float64(g.zones[zone])*zoneWeight + (zoneSkew - 1)
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
	return 2*sum + float64(exponent)*math.Ln2
}
