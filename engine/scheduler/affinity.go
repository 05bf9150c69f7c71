package scheduler

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/cache"
)

// affinityTerm selects pods, and the topology in which to be near them or not.
type affinityTerm struct {
	namespaces []string
	// inNamespaces selects more namespaces by their labels; nil for none.
	inNamespaces labels.Selector
	selector     labels.Selector
	key          string
	// weight is 0 for required terms, negative for a preference to be apart.
	weight int64
}

// id is the same for terms that select the same pods.
func (t *affinityTerm) id() string {
	id := strings.Join(t.namespaces, ",") + "|"
	if t.inNamespaces != nil {
		id += t.inNamespaces.String() + "!"
	}
	return id + "|" + t.selector.String()
}

// affinities are a pod's terms about other pods.
type affinities struct {
	near, apart, preferred []affinityTerm
}

// affinitiesOf parses a pod's terms; nil if it has none. What does not parse
// has been refused by validation.
func affinitiesOf(pod *corev1.Pod) *affinities {
	spec := pod.Spec.Affinity
	if spec == nil || spec.PodAffinity == nil && spec.PodAntiAffinity == nil {
		return nil
	}
	a := &affinities{}
	if near := spec.PodAffinity; near != nil {
		a.near = termsOf(pod, near.RequiredDuringSchedulingIgnoredDuringExecution)
		a.prefer(pod, near.PreferredDuringSchedulingIgnoredDuringExecution, 1)
	}
	if apart := spec.PodAntiAffinity; apart != nil {
		a.apart = termsOf(pod, apart.RequiredDuringSchedulingIgnoredDuringExecution)
		a.prefer(pod, apart.PreferredDuringSchedulingIgnoredDuringExecution, -1)
	}
	return a
}

func (a *affinities) prefer(pod *corev1.Pod, terms []corev1.WeightedPodAffinityTerm, sign int64) {
	for i := range terms {
		term := termOf(pod, &terms[i].PodAffinityTerm)
		term.weight = sign * int64(terms[i].Weight)
		a.preferred = append(a.preferred, term)
	}
}

func termsOf(pod *corev1.Pod, terms []corev1.PodAffinityTerm) []affinityTerm {
	var all []affinityTerm
	for i := range terms {
		all = append(all, termOf(pod, &terms[i]))
	}
	return all
}

func termOf(pod *corev1.Pod, spec *corev1.PodAffinityTerm) affinityTerm {
	term := affinityTerm{namespaces: slices.Clone(spec.Namespaces), selector: selectorOf(spec.LabelSelector), key: spec.TopologyKey}
	if spec.NamespaceSelector != nil {
		term.inNamespaces = selectorOf(spec.NamespaceSelector)
	} else if len(term.namespaces) == 0 {
		term.namespaces = []string{pod.Namespace}
	}
	slices.Sort(term.namespaces)
	return term
}

// selectorOf selects nothing without a selector.
func selectorOf(selector *metav1.LabelSelector) labels.Selector {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return labels.Nothing()
	}
	return parsed
}

// selects reports whether a term is about a pod.
func (s *Scheduler) selects(t *affinityTerm, p *podInfo) bool {
	if !t.selector.Matches(labels.Set(p.Labels)) {
		return false
	}
	if slices.Contains(t.namespaces, p.Namespace) {
		return true
	}
	if t.inNamespaces == nil {
		return false
	}
	namespace, ok := cache.Get[*corev1.Namespace](s.cache, "namespaces", "", p.Namespace)
	return t.inNamespaces.Empty() || ok && t.inNamespaces.Matches(labels.Set(namespace.Labels))
}

// selectsAll reports whether all terms are about a pod.
func (s *Scheduler) selectsAll(terms []affinityTerm, p *podInfo) bool {
	for i := range terms {
		if !s.selects(&terms[i], p) {
			return false
		}
	}
	return true
}

// peers returns the counted pods that all terms select.
func (s *Scheduler) peers(terms ...affinityTerm) *spreadGroup {
	key := "affinity"
	byNamespace := false
	for i := range terms {
		key += " " + terms[i].id()
		byNamespace = byNamespace || terms[i].inNamespaces != nil
	}
	g := &spreadGroup{all: true, byNamespaceLabels: byNamespace, match: func(p *podInfo) bool { return s.selectsAll(terms, p) }}
	if len(terms) == 1 && !byNamespace && len(terms[0].namespaces) == 1 {
		g.namespace, g.selector = terms[0].namespaces[0], terms[0].selector
	}
	return s.cluster.openGroup(key, g)
}

// carried counts the placed pods that have a term, which concerns other pods
// that are to be placed.
type carried struct {
	tally
	term affinityTerm
	// apart terms keep others away, the rest only make nodes better or worse.
	apart bool
	pods  int
}

// carry counts the terms of a pod that comes to (1) or leaves (-1) a node.
func (c *cluster) carry(p *podInfo, n *nodeInfo, by int64) {
	a := p.affinities
	if a == nil {
		return
	}
	for i := range a.apart {
		c.carryTerm(&a.apart[i], true, n, by)
	}
	for i := range a.near { // to be near those that want to be near is a little better
		liked := a.near[i]
		liked.weight = 1
		c.carryTerm(&liked, false, n, by)
	}
	for i := range a.preferred {
		c.carryTerm(&a.preferred[i], false, n, by)
	}
}

func (c *cluster) carryTerm(term *affinityTerm, apart bool, n *nodeInfo, by int64) {
	key := strconv.FormatBool(apart) + strconv.FormatInt(term.weight, 10) + term.key + "|" + term.id()
	t, ok := c.carried[key]
	if !ok {
		t = &carried{term: *term, apart: apart}
		t.by(c, term.key)
		c.carried[key] = t
	}
	t.count(n, by)
	if t.pods += int(by); t.pods == 0 {
		delete(c.carried, key)
	}
}

// scorePeers prefers nodes that are near pods which the pod, or which they,
// want near, and far from those they want apart.
func scorePeers(s *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64) {
	clear(scores)
	add := func(d *domains, weight int64) {
		if d.sum == 0 {
			return
		}
		for i, n := range nodes {
			scores[i] += weight * d.on(n)
		}
	}
	if p.affinities != nil {
		for i := range p.affinities.preferred {
			term := p.affinities.preferred[i]
			add(s.peers(term).by(&s.cluster, term.key), term.weight)
		}
	}
	for _, t := range s.cluster.carried { // sums don't depend on the order
		if !t.apart && s.selects(&t.term, p) {
			add(t.by(&s.cluster, t.term.key), t.term.weight)
		}
	}
	lowest, highest := slices.Min(scores), slices.Max(scores)
	for i := range scores {
		if highest > lowest {
			scores[i] = int64(maxScore * (float64(scores[i]-lowest) / float64(highest-lowest)))
		} else {
			scores[i] = 0
		}
	}
}
