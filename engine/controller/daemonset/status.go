package daemonset

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"

	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// updateStatus counts nodes and writes what is news. The generation counts as
// observed once the turn has acted on it.
func (t *turn) updateStatus(ctx context.Context, acted bool) error {
	status := appsv1.DaemonSetStatus{
		ObservedGeneration: t.ds.Status.ObservedGeneration,
		CollisionCount:     t.ds.Status.CollisionCount,
		Conditions:         t.ds.Status.Conditions,
	}
	if acted {
		status.ObservedGeneration = t.ds.Generation
	}
	byNode := t.podsByNode()
	for _, node := range t.nodes {
		pods := byNode[node.Name]
		run, _ := t.wants(node)
		switch {
		case !run && len(pods) > 0:
			status.NumberMisscheduled++
			continue
		case !run:
			continue
		}
		status.DesiredNumberScheduled++
		if len(pods) == 0 {
			continue
		}
		status.CurrentNumberScheduled++
		sortByAge(pods)
		if podutil.Ready(pods[0]) {
			status.NumberReady++
			if t.available(pods[0]) {
				status.NumberAvailable++
			}
		}
		if t.isCurrent(pods[0]) {
			status.UpdatedNumberScheduled++
		}
	}
	status.NumberUnavailable = status.DesiredNumberScheduled - status.NumberAvailable
	if equal(&t.ds.Status, &status) {
		return nil
	}
	next := t.ds.DeepCopy()
	next.Status = status
	written, err := t.client.UpdateStatus(ctx, resource, next)
	if err == nil {
		t.note(written)
	}
	return err
}

func equal(a, b *appsv1.DaemonSetStatus) bool {
	return a.CurrentNumberScheduled == b.CurrentNumberScheduled &&
		a.NumberMisscheduled == b.NumberMisscheduled &&
		a.DesiredNumberScheduled == b.DesiredNumberScheduled &&
		a.NumberReady == b.NumberReady &&
		a.ObservedGeneration == b.ObservedGeneration &&
		a.UpdatedNumberScheduled == b.UpdatedNumberScheduled &&
		a.NumberAvailable == b.NumberAvailable &&
		a.NumberUnavailable == b.NumberUnavailable
}
