package scheduler

import "fmt"

const fitPlugin = "NodeResourcesFit"

// nodeResourcesFit refuses nodes that have too little left of what the pod
// requests.
func nodeResourcesFit(p *podInfo, n *nodeInfo) *refusal {
	var r *refusal
	refuse := func(reason string, unresolvable bool) {
		if r == nil {
			r = &refusal{plugin: fitPlugin}
		}
		r.reasons = append(r.reasons, reason)
		r.unresolvable = r.unresolvable || unresolvable
	}
	if int64(len(n.pods))+1 > n.maxPods {
		refuse("Too many pods", false)
	}
	check := func(name string, requested, used, capacity int64) {
		if requested > 0 && requested > capacity-used {
			refuse("Insufficient "+name, requested > capacity)
		}
	}
	check("cpu", p.requests.milliCPU, n.requested.milliCPU, n.allocatable.milliCPU)
	check("memory", p.requests.memory, n.requested.memory, n.allocatable.memory)
	check("ephemeral-storage", p.requests.ephemeral, n.requested.ephemeral, n.allocatable.ephemeral)
	for _, s := range p.requests.scalars {
		check(string(s.name), s.value, n.requested.scalar(s.name), n.allocatable.scalar(s.name))
	}
	return r
}

// unavailable words why no node can take a pod
// (pkg/scheduler/framework.FitError and its preemption).
func unavailable(refusals []*refusal, never bool) string {
	reasons, preemption := histogram{}, histogram{}
	for _, r := range refusals {
		for _, reason := range r.reasons {
			reasons.count(reason)
		}
		if r.unresolvable {
			preemption.count("Preemption is not helpful for scheduling")
		} else {
			preemption.count("No preemption victims found for incoming pod")
		}
	}
	message := fmt.Sprintf("0/%d nodes are available: %s.", len(refusals), reasons)
	if never {
		return message + " preemption: not eligible due to preemptionPolicy=Never."
	}
	return fmt.Sprintf("%s preemption: 0/%d nodes are available: %s.", message, len(refusals), preemption)
}
