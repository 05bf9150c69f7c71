package scheduler

// refusal says why a node can't take a pod.
type refusal struct {
	plugin  string
	reasons []string
	// unresolvable: not even without its other pods could it.
	unresolvable bool
}

// filter refuses nodes that can't take a pod; nil is consent.
type filter struct {
	check func(*podInfo, *nodeInfo) *refusal
	// helps are the changes after which it may consent.
	helps change
}

// filters run in this order, and the first refusal of a node counts
// (pkg/scheduler/apis/config/v1/default_plugins.go).
var filters = [...]filter{
	{nodeName, nodeAdded},
	{nodeUnschedulable, nodeAdded | nodeTaints},
	{taintToleration, nodeAdded | nodeTaints},
	{nodeAffinity, nodeAdded | nodeLabels},
	{nodePorts, nodeAdded | podGone},
	{nodeResourcesFit, nodeAdded | nodeResources | podGone},
}

// check asks the filters about a node by itself. It returns the first refusal and what
// may lift it.
func check(p *podInfo, n *nodeInfo) (*refusal, change) {
	for i := range filters {
		if r := filters[i].check(p, n); r != nil {
			return r, filters[i].helps
		}
	}
	return nil, 0
}

// consider asks everything about a node: also what the pods on other nodes
// mean, and whether there is room besides the pods that are nominated to it.
func (s *Scheduler) consider(p *podInfo, n *nodeInfo) (*refusal, change) {
	if len(n.nominated) > 0 {
		if r, helps := s.considerWithNominated(p, n); r != nil {
			return r, helps
		}
	}
	if r, helps := check(p, n); r != nil {
		return r, helps
	}
	if r := s.storage.check(n); r != nil {
		return r, storageChanged | nodeAdded | nodeLabels | podGone
	}
	if r := s.company.check(n); r != nil {
		return r, companyHelps
	}
	return nil, 0
}
