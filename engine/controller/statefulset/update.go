package statefulset

import (
	"cmp"
	"context"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// update takes the next step towards what the set asks for and reports.
func (t *turn) update(ctx context.Context) error {
	if err := t.findRevisions(ctx); err != nil {
		return err
	}
	t.assign()
	var err error
	if t.set.DeletionTimestamp == nil {
		err = t.step(ctx)
	}
	if statusErr := t.writeStatus(ctx); err == nil {
		err = statusErr
	}
	if trimErr := t.trimHistory(ctx); err == nil {
		err = trimErr
	}
	return err
}

// assign puts each pod in its place and plans those that are missing.
func (t *turn) assign() {
	t.replicas = make([]*corev1.Pod, *t.set.Spec.Replicas)
	for _, pod := range t.pods {
		if ordinal := ordinalOf(pod); inRange(t.set, ordinal) {
			t.replicas[ordinal-first(t.set)] = pod
		} else if ordinal >= 0 {
			t.condemned = append(t.condemned, pod)
		}
	}
	for i := range t.replicas {
		if t.replicas[i] == nil {
			t.replicas[i] = t.newPod(first(t.set) + i)
		}
	}
	slices.SortFunc(t.condemned, func(a, b *corev1.Pod) int { return cmp.Compare(ordinalOf(b), ordinalOf(a)) })
}

// step brings the pods in order, then those beyond the last one away, and only
// then goes on with a rollout. A set that is ordered waits after each step.
func (t *turn) step(ctx context.Context) error {
	if wait, err := t.each(t.replicas, func(pod *corev1.Pod) (bool, error) { return t.keep(ctx, pod) }); wait || err != nil {
		return err
	}
	if wait, err := t.each(t.condemned, func(pod *corev1.Pod) (bool, error) { return false, t.syncClaims(ctx, pod) }); wait || err != nil {
		return err
	}
	unhealthy := t.firstUnavailable()
	if wait, err := t.each(t.condemned, func(pod *corev1.Pod) (bool, error) { return t.condemn(ctx, pod, unhealthy) }); wait || err != nil {
		return err
	}
	if t.set.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType {
		return nil
	}
	return t.roll(ctx)
}

func (t *turn) ordered() bool { return t.set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement }

// each does something for each pod: in order until one makes it wait, or for
// all if the set is parallel.
func (t *turn) each(pods []*corev1.Pod, do func(*corev1.Pod) (wait bool, err error)) (bool, error) {
	if !t.ordered() {
		_, err := podcontrol.CreateEach(len(pods), func(i int) error {
			_, err := do(pods[i])
			return err
		})
		return err != nil, err
	}
	for _, pod := range pods {
		if wait, err := do(pod); wait || err != nil {
			return true, err
		}
	}
	return false, nil
}

func planned(pod *corev1.Pod) bool { return pod.UID == "" }

// keep sees to it that a replica exists, with its claims, and is well.
func (t *turn) keep(ctx context.Context, pod *corev1.Pod) (wait bool, err error) {
	if podutil.Terminal(pod) {
		if pod.DeletionTimestamp == nil {
			return true, t.delete(ctx, pod)
		}
		return true, nil
	}
	if planned(pod) {
		if t.claimIsStale(pod) {
			return true, nil
		}
		return true, t.createPod(ctx, pod)
	}
	if pod.Status.Phase == corev1.PodPending {
		if err := t.createClaims(ctx, pod); err != nil {
			return true, err
		}
		if err := t.syncClaims(ctx, pod); err != nil {
			return true, err
		}
	}
	if t.ordered() && (pod.DeletionTimestamp != nil || !isReady(pod) || !t.available(pod)) {
		return true, nil
	}
	if hasIdentity(t.set, pod) && hasStorage(t.set, pod) {
		return false, t.syncClaims(ctx, pod)
	}
	return false, t.restore(ctx, pod)
}

// condemn deletes a pod beyond the last one. An ordered set does so with one at
// a time, and only while all others are well.
func (t *turn) condemn(ctx context.Context, pod, unhealthy *corev1.Pod) (wait bool, err error) {
	if pod.DeletionTimestamp != nil {
		return t.ordered(), nil
	}
	if t.ordered() && pod != unhealthy && (!isReady(pod) || !t.available(pod)) {
		return true, nil
	}
	return true, t.delete(ctx, pod)
}

func (t *turn) firstUnavailable() *corev1.Pod {
	for _, pod := range t.replicas {
		if t.unavailable(pod) {
			return pod
		}
	}
	for _, pod := range slices.Backward(t.condemned) {
		if t.unavailable(pod) {
			return pod
		}
	}
	return nil
}

func isReady(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodRunning && podutil.Ready(pod)
}

func (t *turn) available(pod *corev1.Pod) bool {
	available, wait := podutil.Available(pod, time.Duration(t.set.Spec.MinReadySeconds)*time.Second, t.clock.Now())
	if !available {
		t.checkAfter(wait)
	}
	return available
}

func (t *turn) unavailable(pod *corev1.Pod) bool {
	return !t.available(pod) || pod.DeletionTimestamp != nil
}

func revisionOf(pod *corev1.Pod) string { return pod.Labels[appsv1.StatefulSetRevisionLabel] }

// roll deletes pods of old revisions from the last to the first, as many at a
// time as may be unavailable; they come back as the next revision.
func (t *turn) roll(ctx context.Context) error {
	partition, limit := t.rollLimits()
	missing, useless := 0, 0
	for _, pod := range t.replicas {
		if t.unavailable(pod) {
			missing++
			if !t.ordered() && t.isOld(pod) {
				useless++
			}
		}
	}
	if missing >= limit && useless == 0 {
		return nil
	}
	old := func(yield func(*corev1.Pod) bool) {
		for i := len(t.replicas) - 1; i >= partition; i-- {
			if t.isOld(t.replicas[i]) && !yield(t.replicas[i]) {
				return
			}
		}
	}
	room := limit - missing
	for pod := range old {
		// What does not run anyway costs a parallel set nothing.
		free := !t.ordered() && !t.available(pod)
		if !free && room <= 0 {
			if t.ordered() {
				return nil
			}
			continue
		}
		if err := t.delete(ctx, pod); err != nil {
			return err
		}
		t.rolled++
		if !free {
			room--
		}
	}
	return nil
}

// isOld reports whether a pod is to be replaced and is not on its way yet.
func (t *turn) isOld(pod *corev1.Pod) bool {
	return revisionOf(pod) != t.next.Name && pod.DeletionTimestamp == nil && !planned(pod)
}

func (t *turn) rollLimits() (partition, unavailable int) {
	rolling := t.set.Spec.UpdateStrategy.RollingUpdate
	if rolling == nil {
		return 0, 1
	}
	if rolling.Partition != nil {
		partition = int(*rolling.Partition)
	}
	unavailable = 1
	if rolling.MaxUnavailable != nil {
		if count, err := intstr.GetScaledValueFromIntOrPercent(rolling.MaxUnavailable, len(t.replicas), false); err == nil {
			unavailable = max(count, 1)
		}
	}
	return partition, unavailable
}
