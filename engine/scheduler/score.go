package scheduler

import (
	"math"

	corev1 "k8s.io/api/core/v1"
)

// maxScore is the best that a plugin can say of a node, 0 the worst.
const maxScore = 100

// scorer judges the feasible nodes for a pod: it writes a score for each node,
// from 0 to maxScore.
type scorer struct {
	name   string
	weight int64
	score  func(s *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64)
}

const scorerCount = 7

// scorers with the default profile's weights.
var scorers = [scorerCount]scorer{
	{"TaintToleration", 3, scoreTaints},
	{"NodeAffinity", 2, scoreAffinity},
	{"NodeResourcesFit", 1, each(leastAllocated)},
	{"PodTopologySpread", 2, scoreSpread},
	{"InterPodAffinity", 2, scorePeers},
	{"NodeResourcesBalancedAllocation", 1, each(balancedAllocation)},
	{"ImageLocality", 1, scoreImages},
}

func each(score func(*podInfo, *nodeInfo) int64) func(*Scheduler, *podInfo, []*nodeInfo, []int64) {
	return func(_ *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64) {
		for i, n := range nodes {
			scores[i] = score(p, n)
		}
	}
}

// normalize stretches scores so that the highest becomes maxScore; reversed,
// the highest becomes 0.
func normalize(scores []int64, reversed bool) {
	var highest int64
	for _, score := range scores {
		highest = max(highest, score)
	}
	for i := range scores {
		if highest > 0 {
			scores[i] = maxScore * scores[i] / highest
		}
		if reversed {
			scores[i] = maxScore - scores[i]
		}
	}
}

// scoreTaints prefers nodes with fewer PreferNoSchedule taints that the pod does
// not tolerate.
func scoreTaints(_ *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64) {
	for i, n := range nodes {
		scores[i] = 0
		for j := range n.Spec.Taints {
			taint := &n.Spec.Taints[j]
			if taint.Effect == corev1.TaintEffectPreferNoSchedule && !tolerates(p.Spec.Tolerations, taint) {
				scores[i]++
			}
		}
	}
	normalize(scores, true)
}

// scoreAffinity prefers nodes that match more of the pod's preferred terms.
func scoreAffinity(_ *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64) {
	if p.preferred == nil {
		clear(scores)
		return
	}
	for i, n := range nodes {
		scores[i] = p.preferred.Score(n.Node)
	}
	normalize(scores, false)
}

// leastAllocated prefers nodes of which more is left, CPU and memory alike.
func leastAllocated(p *podInfo, n *nodeInfo) int64 {
	var sum, count int64
	part := func(requested, capacity int64) {
		if capacity == 0 {
			return
		}
		count++
		if requested <= capacity {
			sum += (capacity - requested) * maxScore / capacity
		}
	}
	part(n.nonZero.milliCPU+p.nonZero.milliCPU, n.allocatable.milliCPU)
	part(n.nonZero.memory+p.nonZero.memory, n.allocatable.memory)
	if count == 0 {
		return 0
	}
	return sum / count
}

// balancedAllocation prefers nodes that the pod brings nearer to using equal
// parts of their CPU and memory.
func balancedAllocation(p *podInfo, n *nodeInfo) int64 {
	if p.requests.milliCPU == 0 && p.requests.memory == 0 {
		return 0 // upstream skips the plugin for pods that request nothing
	}
	with := balance(n.requested.milliCPU+p.requests.milliCPU, n.requested.memory+p.requests.memory, n)
	without := balance(n.requested.milliCPU, n.requested.memory, n)
	return maxScore/2 + (maxScore/2+with-without)/2
}

// balance is maxScore when the fractions in use are equal; it falls to half of
// that the farther apart they are.
func balance(milliCPU, memory int64, n *nodeInfo) int64 {
	if n.allocatable.milliCPU == 0 || n.allocatable.memory == 0 {
		return maxScore
	}
	cpu := min(float64(milliCPU)/float64(n.allocatable.milliCPU), 1)
	mem := min(float64(memory)/float64(n.allocatable.memory), 1)
	return int64((1 - math.Abs(cpu-mem)/2) * maxScore)
}

// An image counts from smallestImage on; per container, largestImage is as good
// as it gets (plugins/imagelocality).
const (
	smallestImage = 23 << 20
	largestImage  = 1000 << 20
)

// scoreImages prefers nodes that have the pod's images already. An image that
// few nodes have counts less, or all pods would go to the first node.
func scoreImages(s *Scheduler, p *podInfo, nodes []*nodeInfo, scores []int64) {
	best := int64(largestImage * len(p.images))
	for i, n := range nodes {
		var sum int64
		for _, image := range p.images {
			if size, ok := n.images[image]; ok {
				spread := float64(s.cluster.imageNodes[image]) / float64(len(s.cluster.nodes))
				sum += int64(float64(size) * spread)
			}
		}
		scores[i] = maxScore * (min(max(sum, smallestImage), best) - smallestImage) / (best - smallestImage)
	}
}
