package rest

import (
	"context"
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/internal/budgets"
	"tidepool.dev/tidepool/engine/store"
)

// mostDisrupted is how many granted evictions a budget remembers at most.
const mostDisrupted = 2000

// Evict deletes a pod on behalf of somebody who empties its node, if its
// disruption budget lets it
// (k8s.io/kubernetes/pkg/registry/core/pod/storage.EvictionREST). A condition
// of the pod tells the reason to whoever looks after it.
func (o *Operations) Evict(ctx context.Context, eviction *policyv1.Eviction) error {
	var opts metav1.DeleteOptions
	if eviction.DeleteOptions != nil {
		opts = *eviction.DeleteOptions
	}
	pods := o.kinds["pods"]
	for {
		current, err := o.store.Get(ctx, key(pods, eviction.Namespace, eviction.Name))
		if err != nil {
			return statusError(err, pods, eviction.Name)
		}
		pod := current.(*corev1.Pod)
		own := opts
		pinned := opts.Preconditions != nil && opts.Preconditions.ResourceVersion != nil
		pin := false // whether the pod has to be deleted in the state that has been judged
		budget := ""
		if needsNoBudget(pod) {
			pin = pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil
		} else if budget, pin, err = o.askBudget(ctx, pod, len(opts.DryRun) > 0); err != nil {
			return err
		}
		if pin && !pinned {
			own.Preconditions = &metav1.Preconditions{ResourceVersion: &pod.ResourceVersion}
			if opts.Preconditions != nil {
				own.Preconditions.UID = opts.Preconditions.UID
			}
		}
		err = o.evictNow(ctx, pods, eviction, own)
		if pin && !pinned && apierrors.IsConflict(err) {
			if budget == "" {
				continue
			}
			return stillProcessed(budget)
		}
		return err
	}
}

// needsNoBudget says that a pod does nothing that an eviction could disrupt.
func needsNoBudget(pod *corev1.Pod) bool {
	switch pod.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed, corev1.PodPending:
		return true
	}
	return pod.DeletionTimestamp != nil
}

// askBudget takes one disruption from the budget that a pod has, and returns
// its name. unready pods may need none, while they are so.
func (o *Operations) askBudget(ctx context.Context, pod *corev1.Pod, dryRun bool) (name string, unready bool, err error) {
	kinds, ok := o.kinds[budgets.Resource]
	if !ok {
		return "", false, nil
	}
	list, err := o.store.List(ctx, kinds.Resource(), pod.Namespace, store.ListOptions{})
	if err != nil {
		return "", false, apierrors.NewInternalError(err)
	}
	var budget *policyv1.PodDisruptionBudget
	for _, obj := range list.Items {
		candidate := obj.(*policyv1.PodDisruptionBudget)
		selector, err := metav1.LabelSelectorAsSelector(candidate.Spec.Selector)
		if err != nil || !selector.Matches(labels.Set(pod.Labels)) {
			continue
		}
		if budget != nil {
			return "", false, &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: 500,
				Message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."}}
		}
		budget = candidate
	}
	if budget == nil {
		return "", false, nil
	}
	if !ready(pod) {
		policy := budget.Spec.UnhealthyPodEvictionPolicy
		if policy != nil && *policy == policyv1.AlwaysAllow ||
			budget.Status.CurrentHealthy >= budget.Status.DesiredHealthy && budget.Status.DesiredHealthy > 0 {
			return budget.Name, true, nil
		}
	}
	for {
		err := o.takeFrom(ctx, kinds, budget, pod.Name, dryRun)
		if !errors.Is(err, store.ErrConflict) {
			return budget.Name, false, err
		}
		current, err := o.store.Get(ctx, key(kinds, budget.Namespace, budget.Name))
		if err != nil {
			return "", false, statusError(err, kinds, budget.Name)
		}
		budget = current.(*policyv1.PodDisruptionBudget)
	}
}

func ready(pod *corev1.Pod) bool {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// takeFrom notes a disruption in a budget, or says why there is none to have.
func (o *Operations) takeFrom(ctx context.Context, k *kind.Kind, budget *policyv1.PodDisruptionBudget, pod string, dryRun bool) error {
	status := &budget.Status
	const currently = "The disruption budget %s does not allow evicting pods currently"
	switch {
	case status.ObservedGeneration < budget.Generation:
		return stillProcessed(budget.Name)
	case status.DisruptionsAllowed < 0:
		return noEviction(budget.Name, "pdb disruptions allowed is negative", fmt.Sprintf(currently+": pdb disruptions allowed is negative", budget.Name))
	case len(status.DisruptedPods) > mostDisrupted:
		return noEviction(budget.Name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
			fmt.Sprintf(currently+": too many pending evictions not confirmed by PDB controller", budget.Name))
	case status.DisruptionsAllowed == 0:
		return exhausted(budget)
	case dryRun:
		return nil
	}
	next := budget.DeepCopy()
	if next.Status.DisruptionsAllowed--; next.Status.DisruptionsAllowed == 0 {
		budgets.Settle(next, o.now())
	}
	next.Status.DisruptedPods = maps.Clone(next.Status.DisruptedPods)
	if next.Status.DisruptedPods == nil {
		next.Status.DisruptedPods = map[string]metav1.Time{}
	}
	next.Status.DisruptedPods[pod] = o.now()
	_, err := o.store.Update(ctx, key(k, budget.Namespace, budget.Name), next, store.RevisionOf(budget))
	if errors.Is(err, store.ErrConflict) {
		return err
	}
	return statusError(err, k, budget.Name)
}

const violates = "Cannot evict pod as it would violate the pod's disruption budget."

func withCause(err *apierrors.StatusError, message string) error {
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: message})
	return err
}

func stillProcessed(budget string) error {
	return withCause(apierrors.NewTooManyRequests(violates, 10), fmt.Sprintf("The disruption budget %s is still being processed by the server.", budget))
}

func noEviction(budget, reason, cause string) error {
	return withCause(apierrors.NewForbidden(schema.GroupResource{Group: policyv1.GroupName, Resource: "poddisruptionbudget"}, budget, errors.New(reason)), cause)
}

func exhausted(budget *policyv1.PodDisruptionBudget) error {
	message := fmt.Sprintf("The disruption budget %s does not allow evicting pods currently", budget.Name)
	c := budgets.Condition(budget)
	explained := c != nil && c.Status == metav1.ConditionFalse && c.Message != ""
	switch {
	case explained && c.Reason == policyv1.SyncFailedReason:
		message += " because it failed sync: " + c.Message
	case budget.Status.CurrentHealthy <= budget.Status.DesiredHealthy:
		message = fmt.Sprintf("The disruption budget %s needs %d healthy pods and has %d currently",
			budget.Name, budget.Status.DesiredHealthy, budget.Status.CurrentHealthy)
	case explained:
		message += fmt.Sprintf(" (%s): %s", c.Reason, c.Message)
	}
	return withCause(apierrors.NewTooManyRequests(violates, 0), message)
}

// evictNow marks a pod and deletes it.
func (o *Operations) evictNow(ctx context.Context, pods *kind.Kind, eviction *policyv1.Eviction, opts metav1.DeleteOptions) error {
	if len(opts.DryRun) == 0 {
		marked, err := o.Update(ctx, pods, eviction.Namespace, eviction.Name, Status, func(current store.Object) (store.Object, error) {
			if err := checkPreconditions(pods, eviction.Name, opts.Preconditions, current); err != nil {
				return nil, err
			}
			return o.markEvicted(current.(*corev1.Pod)), nil
		}, WriteOptions{recorded: true}) // as in Kubernetes, it is nobody's
		if err != nil {
			return err
		}
		if opts.Preconditions != nil && opts.Preconditions.ResourceVersion != nil { // we have moved it on ourselves
			opts.Preconditions = &metav1.Preconditions{UID: opts.Preconditions.UID, ResourceVersion: new(marked.GetResourceVersion())}
		}
	}
	_, _, err := o.Delete(ctx, pods, eviction.Namespace, eviction.Name, opts)
	return err
}

func (o *Operations) markEvicted(pod *corev1.Pod) *corev1.Pod {
	next := *pod // the list of conditions is replaced, nothing is changed
	next.ResourceVersion = ""
	next.Status.Conditions = withCondition(pod.Status.Conditions, corev1.PodCondition{
		Type:               corev1.DisruptionTarget,
		Status:             corev1.ConditionTrue,
		LastTransitionTime: o.now(),
		Reason:             "EvictionByEvictionAPI",
		Message:            "Eviction API: evicting",
	})
	return &next
}
