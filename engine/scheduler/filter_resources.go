package scheduler

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const fitPlugin = "NodeResourcesFit"

// nodeResourcesFit refuses nodes that have too little left of what the pod
// requests, and names all of it.
func nodeResourcesFit(p *podInfo, n *nodeInfo) *refusal {
	var short shortage
	if int64(len(n.pods))+1 > n.maxPods {
		short.mask |= tooManyPods
	}
	short.check(tooLittleCPU, p.requests.milliCPU, n.requested.milliCPU, n.allocatable.milliCPU)
	short.check(tooLittleMemory, p.requests.memory, n.requested.memory, n.allocatable.memory)
	short.check(tooLittleEphemeral, p.requests.ephemeral, n.requested.ephemeral, n.allocatable.ephemeral)
	if len(p.requests.scalars) == 0 {
		return short.refusal()
	}
	var scalars []corev1.ResourceName
	for _, s := range p.requests.scalars {
		if short.check(0, s.value, n.requested.scalar(s.name), n.allocatable.scalar(s.name)) {
			scalars = append(scalars, s.name)
		}
	}
	if len(scalars) == 0 {
		return short.refusal()
	}
	r := &refusal{plugin: fitPlugin, unresolvable: short.unresolvable}
	if common := short.refusal(); common != nil {
		r.reasons = append(r.reasons, common.reasons...)
	}
	for _, name := range scalars {
		r.reasons = append(r.reasons, "Insufficient "+string(name))
	}
	return r
}

// The resources that every node has, as bits.
const (
	tooManyPods = 1 << iota
	tooLittleCPU
	tooLittleMemory
	tooLittleEphemeral
)

var shortageReasons = [...]string{"Too many pods", "Insufficient cpu", "Insufficient memory", "Insufficient ephemeral-storage"}

// shortage is what a node has too little of. Full clusters refuse often, so the
// refusals of common shortages are made once.
type shortage struct {
	mask         uint8
	unresolvable bool
}

func (s *shortage) check(bit uint8, requested, used, capacity int64) bool {
	if requested == 0 || requested <= capacity-used {
		return false
	}
	s.mask |= bit
	s.unresolvable = s.unresolvable || requested > capacity
	return true
}

var shortages = func() (all [2][1 << len(shortageReasons)]*refusal) {
	for unresolvable := range all {
		for mask := 1; mask < len(all[unresolvable]); mask++ {
			r := &refusal{plugin: fitPlugin, unresolvable: unresolvable == 1}
			for i, reason := range shortageReasons {
				if mask&(1<<i) != 0 {
					r.reasons = append(r.reasons, reason)
				}
			}
			all[unresolvable][mask] = r
		}
	}
	return all
}()

func (s shortage) refusal() *refusal {
	if s.unresolvable {
		return shortages[1][s.mask]
	}
	return shortages[0][s.mask]
}

// unsatisfied words the refusal of nodes that a PreFilter plugin has left out.
func unsatisfied(plugins ...string) *refusal {
	return &refusal{plugins[0], []string{"node(s) didn't satisfy plugin(s) [" + strings.Join(plugins, " ") + "]"}, true}
}
