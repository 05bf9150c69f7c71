package scheduler

// refusal says why a node can't take a pod.
type refusal struct {
	plugin  string
	reasons []string
	// unresolvable: not even without its other pods could it.
	unresolvable bool
}

// filter refuses nodes that can't take a pod; nil is consent.
type filter func(*podInfo, *nodeInfo) *refusal

// filters run in this order, and the first refusal of a node counts
// (pkg/scheduler/apis/config/v1/default_plugins.go).
var filters = []filter{
	nodeUnschedulable,
	nodeName,
	taintToleration,
	nodeAffinity,
	nodePorts,
	nodeResourcesFit,
}
