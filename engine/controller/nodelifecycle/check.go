package nodelifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

// silenced are the conditions that nobody knows any more of a silent node.
var silenced = []corev1.NodeConditionType{
	corev1.NodeReady, corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure,
}

// check looks after one node: is it silent, are its taints and labels right,
// are its pods to be marked.
func (l *loop) check(ctx context.Context, name string) (controller.Result, error) {
	l.announce(ctx, name)
	node, ok := cache.Get[*corev1.Node](l.cache, resource, "", name)
	if !ok {
		return controller.Result{}, nil
	}
	deadline := l.deadline(node)
	result := controller.Result{RequeueAfter: deadline.Sub(l.clock.Now())}
	if result.RequeueAfter <= 0 {
		result.RequeueAfter = gracePeriod
		var err error
		if node, err = l.silence(ctx, node); err != nil {
			return controller.Result{}, ignoreNotFound(err)
		}
	}
	node, err := l.keepRight(ctx, node)
	if err != nil {
		return controller.Result{}, ignoreNotFound(err)
	}
	if err := l.markPods(ctx, node); err != nil {
		return controller.Result{}, err
	}
	return result, nil
}

// announce records that a node has come or gone.
func (l *loop) announce(ctx context.Context, name string) {
	l.mu.Lock()
	gone := l.gone[name]
	delete(l.gone, name)
	var come *corev1.Node
	if h, ok := l.nodes[name]; ok {
		come, h.come = h.come, nil
	}
	l.mu.Unlock()
	if gone != nil {
		l.recorder.Event(ctx, gone, corev1.EventTypeNormal, "RemovingNode", fmt.Sprintf("Node %s event: Removing Node %s from Controller", name, name))
	}
	if come != nil {
		l.recorder.Event(ctx, come, corev1.EventTypeNormal, "RegisteredNode", fmt.Sprintf("Node %s event: Registered Node %s in Controller", name, name))
	}
}

// deadline is when the node counts as silent unless it gives a sign of life.
func (l *loop) deadline(node *corev1.Node) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.nodes[node.Name]
	if !ok {
		return l.clock.Now().Add(gracePeriod)
	}
	// A lease that came before its node was not noted.
	if lease, ok := cache.Get[*coordinationv1.Lease](l.cache, leaseResource, corev1.NamespaceNodeLease, node.Name); ok && lease.Spec.RenewTime != nil {
		h.renew(lease, l.clock.Now())
	}
	if !h.reported {
		return h.probed.Add(startupGrace)
	}
	return h.probed.Add(gracePeriod)
}

// silence marks a node that has given no sign of life as unknown.
func (l *loop) silence(ctx context.Context, node *corev1.Node) (*corev1.Node, error) {
	wasReady := false
	if c := nodeCondition(node, corev1.NodeReady); c != nil {
		wasReady = c.Status == corev1.ConditionTrue
	}
	next := node.DeepCopy()
	if !l.forgetConditions(next) {
		return node, nil
	}
	written, err := l.client.UpdateStatus(ctx, resource, next)
	if err != nil {
		return nil, err
	}
	node = written.(*corev1.Node)
	if wasReady {
		l.mu.Lock()
		if h, ok := l.nodes[node.Name]; ok {
			h.mark = true
		}
		l.mu.Unlock()
		l.recorder.Event(ctx, node, corev1.EventTypeNormal, "NodeNotReady", fmt.Sprintf("Node %s status is now: NodeNotReady", node.Name))
	}
	return node, nil
}

// forgetConditions reports whether there was anything left to forget.
func (l *loop) forgetConditions(node *corev1.Node) bool {
	now, changed := stamp.Now(l.clock), false
	for _, conditionType := range silenced {
		c := nodeCondition(node, conditionType)
		if c == nil {
			changed = true
			node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{
				Type:               conditionType,
				Status:             corev1.ConditionUnknown,
				LastHeartbeatTime:  node.CreationTimestamp,
				LastTransitionTime: now,
				Reason:             "NodeStatusNeverUpdated",
				Message:            "Kubelet never posted node status.",
			})
		} else if c.Status != corev1.ConditionUnknown {
			changed = true
			c.Status = corev1.ConditionUnknown
			c.Reason = "NodeStatusUnknown"
			c.Message = "Kubelet stopped posting node status."
			c.LastTransitionTime = now
		}
	}
	return changed
}

// keepRight gives the node the NoSchedule taints of its conditions and the old
// names of its labels, and takes the NoExecute taints off a node that is ready.
func (l *loop) keepRight(ctx context.Context, node *corev1.Node) (*corev1.Node, error) {
	if _, changed := l.taints(node); !changed && !labelsWrong(node) {
		return node, nil
	}
	return client.Modify(ctx, l.client, resource, "", node.Name, l.client.Update, func(fresh *corev1.Node) bool {
		taints, changed := l.taints(fresh)
		if changed {
			fresh.Spec.Taints = taints
		}
		if labelsWrong(fresh) {
			changed = true
			for _, label := range betaLabels {
				if value, ok := fresh.Labels[label.stable]; ok {
					fresh.Labels[label.beta] = value
				}
			}
		}
		return changed
	})
}

func labelsWrong(node *corev1.Node) bool {
	for _, label := range betaLabels {
		if value, ok := node.Labels[label.stable]; ok && node.Labels[label.beta] != value {
			return true
		}
	}
	return false
}

// taints are the node's as they should be, and whether they differ.
func (l *loop) taints(node *corev1.Node) ([]corev1.Taint, bool) {
	wanted := noSchedule(node)
	ready := nodeCondition(node, corev1.NodeReady)
	var status corev1.ConditionStatus
	if ready != nil {
		status = ready.Status
	}
	key := noExecute(status)
	var taints []corev1.Taint
	evicting := false
	for _, taint := range node.Spec.Taints {
		switch {
		case taint.Effect == corev1.TaintEffectNoSchedule && slices.Contains(ours, taint.Key):
			if !slices.Contains(wanted, taint.Key) {
				continue
			}
		case taint.Effect == corev1.TaintEffectNoExecute && (taint.Key == corev1.TaintNodeNotReady || taint.Key == corev1.TaintNodeUnreachable):
			if ready != nil && taint.Key != key {
				// It is ready, or evicts for the other reason from now on.
				evicting = key != ""
				continue
			}
		}
		taints = append(taints, taint)
	}
	changed := len(taints) != len(node.Spec.Taints)
	now := stamp.Now(l.clock)
	for _, key := range wanted {
		if !slices.ContainsFunc(taints, func(t corev1.Taint) bool { return t.Key == key && t.Effect == corev1.TaintEffectNoSchedule }) {
			taints = append(taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &now})
			changed = true
		}
	}
	if evicting && !slices.ContainsFunc(taints, func(t corev1.Taint) bool { return t.Key == key && t.Effect == corev1.TaintEffectNoExecute }) {
		taints = append(taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoExecute, TimeAdded: &now})
	}
	return taints, changed
}

// markPods tells everyone that the pods of a silent node serve nobody.
func (l *loop) markPods(ctx context.Context, node *corev1.Node) error {
	l.mu.Lock()
	h, ok := l.nodes[node.Name]
	mark := ok && h.mark
	if mark {
		h.mark = false
	}
	l.mu.Unlock()
	if c := nodeCondition(node, corev1.NodeReady); !mark || c == nil || c.Status == corev1.ConditionTrue {
		return nil
	}
	now := stamp.Now(l.clock)
	for _, pod := range cache.Find[*corev1.Pod](l.cache, podResource, cache.ByNode, node.Name) {
		if !podutil.Ready(pod) {
			continue
		}
		if err := l.markPod(ctx, pod, now); err != nil {
			l.mu.Lock()
			h.mark = true
			l.mu.Unlock()
			return err
		}
	}
	return nil
}

func (l *loop) markPod(ctx context.Context, pod *corev1.Pod, now metav1.Time) error {
	changed := false
	written, err := podutil.ChangeStatus(ctx, l.client, pod, func(fresh *corev1.Pod) bool {
		c := podutil.Condition(fresh, corev1.PodReady)
		changed = c != nil && c.Status == corev1.ConditionTrue
		if changed {
			c.Status = corev1.ConditionFalse
			c.LastTransitionTime = now
		}
		return changed
	})
	if err != nil {
		return ignoreNotFound(err)
	}
	if changed {
		l.recorder.Event(ctx, written, corev1.EventTypeWarning, "NodeNotReady", "Node is not ready")
	}
	return nil
}

func ignoreNotFound(err error) error {
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}
