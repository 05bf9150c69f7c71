package scheduler

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/cache"
)

const (
	noHelp    = "Preemption is not helpful for scheduling"
	noVictims = "No preemption victims found for incoming pod"
)

// Candidates are not looked for on all nodes of a large cluster
// (DefaultPreemptionArgs' defaults).
const (
	minCandidates        = 100
	minCandidatesPercent = 10
)

// candidate is a node with the pods that would have to go for another one.
type candidate struct {
	node *nodeInfo
	// victims, the most important first.
	victims    []*podInfo
	violations int // of disruption budgets
	// since is the earliest start of the most important victims.
	since time.Time
}

// preempt looks for the node whose less important pods should make way for a
// pod that no node can take. It returns what to tell of it; the candidate is
// nil if there is none, and clear says that the pod loses the node that it is
// nominated to.
func (s *Scheduler) preempt(p *podInfo, d *decision) (best *candidate, told string, clear bool) {
	if len(d.refusals) == 0 {
		return nil, "", false // no nodes
	}
	if reason := s.mayNotPreempt(p, d); reason != "" {
		return nil, reason, false
	}
	total := 0
	for _, count := range d.refusals {
		total += count
	}
	candidates, reasons := s.candidates(p, d.crowded)
	if len(candidates) == 0 {
		if rest := total - len(d.crowded); rest > 0 {
			reasons[noHelp] += rest
		}
		return nil, "0/" + strconv.Itoa(total) + " nodes are available: " + reasons.String() + ".", true
	}
	best = slices.MinFunc(candidates, compareCandidates) // the first of equals
	return best, "found a potential placement for pod on node " + best.node.name + ", preempting " + strconv.Itoa(len(best.victims)) + " victims", false
}

// mayNotPreempt is why a pod may not make others go.
func (s *Scheduler) mayNotPreempt(p *podInfo, d *decision) string {
	if p.Spec.PreemptionPolicy != nil && *p.Spec.PreemptionPolicy == corev1.PreemptNever {
		return "not eligible due to preemptionPolicy=Never."
	}
	at, ok := s.cluster.nominated[p.UID]
	if !ok || !slices.Contains(d.crowded, at.node) {
		return ""
	}
	for _, other := range at.node.pods { // whether there is any does not depend on the order
		if priority(other.Pod) < priority(p.Pod) && other.DeletionTimestamp != nil && isPreempted(other.Pod) {
			return "not eligible due to a terminating pod on the nominated node."
		}
	}
	return ""
}

func isPreempted(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue && c.Reason == corev1.PodReasonPreemptionByScheduler
	})
}

// candidates tries the nodes without their less important pods. The texts count
// why the others are none.
func (s *Scheduler) candidates(p *podInfo, nodes []*nodeInfo) ([]*candidate, texts) {
	reasons := texts{}
	if len(nodes) == 0 {
		return nil, reasons
	}
	lower := false
	for rank := range s.cluster.priorities {
		lower = lower || rank < priority(p.Pod)
	}
	if !lower { // as in most clusters: nobody is less important
		reasons[noVictims] = len(nodes)
		return nil, reasons
	}
	budgets := cache.List[*policyv1.PodDisruptionBudget](s.cache, "poddisruptionbudgets.policy", "")
	enough := min(max(len(nodes)*minCandidatesPercent/100, minCandidates), len(nodes))
	var found []*candidate
	unviolating := 0
	for i, offset := 0, s.random.IntN(len(nodes)); i < len(nodes) && (unviolating == 0 || len(found) < enough); i++ {
		c, why := s.tryWithout(p, nodes[(offset+i)%len(nodes)], budgets)
		if c == nil {
			for _, reason := range why {
				reasons[reason]++
			}
			continue
		}
		if found = append(found, c); c.violations == 0 {
			unviolating++
		}
	}
	return found, reasons
}

// tryWithout finds the least important pods of a node without which it can take
// the pod; or why not even without all of them.
func (s *Scheduler) tryWithout(p *podInfo, n *nodeInfo, budgets []*policyv1.PodDisruptionBudget) (*candidate, []string) {
	var lower []*podInfo
	for _, other := range n.pods { // they are sorted below
		if priority(other.Pod) < priority(p.Pod) {
			lower = append(lower, other)
		}
	}
	if len(lower) == 0 {
		return nil, []string{noVictims}
	}
	now := s.clock.Now()
	slices.SortFunc(lower, func(a, b *podInfo) int { return compareImportance(a.Pod, b.Pod, now) })
	for _, other := range lower {
		s.try(p, other, n, -1)
	}
	var victims []*podInfo
	defer func() {
		for _, victim := range victims {
			s.try(p, victim, n, 1)
		}
	}()
	if r, _ := s.consider(p, n); r != nil {
		victims = lower
		return nil, r.reasons
	}
	c := &candidate{node: n}
	violating, others := violations(lower, budgets)
	for i, group := range [...][]*podInfo{violating, others} {
		for _, other := range group { // the most important first: it may stay if there is room
			s.try(p, other, n, 1)
			if r, _ := s.consider(p, n); r != nil {
				s.try(p, other, n, -1)
				victims = append(victims, other)
				if i == 0 {
					c.violations++
				}
			}
		}
	}
	c.victims = slices.Clone(victims)
	slices.SortStableFunc(c.victims, func(a, b *podInfo) int { return compareImportance(a.Pod, b.Pod, now) })
	if len(c.victims) == 0 {
		return nil, []string{noVictims}
	}
	first := c.victims[0].Pod // of the most important ones the first to start
	c.since = started(first, now)
	return c, nil
}

// compareImportance orders the more important pod first: that of the higher
// priority, or else the older one.
func compareImportance(a, b *corev1.Pod, now time.Time) int {
	return cmp.Or(cmp.Compare(priority(b), priority(a)), started(a, now).Compare(started(b, now)),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// started is when a pod did, now if it is about to.
func started(pod *corev1.Pod, now time.Time) time.Time {
	if pod.Status.StartTime == nil {
		return now
	}
	return pod.Status.StartTime.Time
}

// violations separates the pods whose end would violate a disruption budget.
func violations(pods []*podInfo, budgets []*policyv1.PodDisruptionBudget) (violating, others []*podInfo) {
	allowed := make([]int32, len(budgets))
	selectors := make([]labels.Selector, len(budgets))
	for i, budget := range budgets {
		allowed[i] = budget.Status.DisruptionsAllowed
		selectors[i] = labels.Nothing()
		if selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector); err == nil && !selector.Empty() {
			selectors[i] = selector
		}
	}
	for _, p := range pods {
		violates := false
		for i, budget := range budgets {
			if _, disrupted := budget.Status.DisruptedPods[p.Name]; disrupted ||
				budget.Namespace != p.Namespace || !selectors[i].Matches(labels.Set(p.Labels)) {
				continue
			}
			if allowed[i]--; allowed[i] < 0 {
				violates = true
				break
			}
		}
		if violates {
			violating = append(violating, p)
		} else {
			others = append(others, p)
		}
	}
	return violating, others
}

// compareCandidates orders the one first that does the least harm.
func compareCandidates(a, b *candidate) int {
	if c := cmp.Or(cmp.Compare(a.violations, b.violations),
		cmp.Compare(priority(a.victims[0].Pod), priority(b.victims[0].Pod)),
		cmp.Compare(a.importance(), b.importance()),
		cmp.Compare(len(a.victims), len(b.victims))); c != 0 {
		return c
	}
	return cmp.Or(b.since.Compare(a.since), strings.Compare(a.node.name, b.node.name))
}

// importance adds up the victims' priorities, each made positive.
func (c *candidate) importance() int64 {
	sum := int64(0)
	for _, victim := range c.victims {
		sum += int64(priority(victim.Pod)) + math.MaxInt32 + 1
	}
	return sum
}
