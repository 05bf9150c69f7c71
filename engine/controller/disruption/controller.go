// Package disruption is the control loop that keeps the status of
// PodDisruptionBudgets: how many of the pods that a budget is for are healthy,
// how many have to be, and so how many may be evicted at once. Evictions
// themselves, which the budget may refuse, are in engine/api/rest.
//
// It also takes back the mark of pods that were to be disrupted and were not.
package disruption

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/about"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/internal/budgets"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the loop's service account and its name in causes.
	Name = "disruption-controller"
	// Component is its name in events.
	Component = "controllermanager"

	// deletionTimeout is how long an evicted pod that has not been deleted
	// counts as disrupted.
	deletionTimeout = 2 * time.Minute
	// staleTimeout is how long a pod may be marked as about to be disrupted.
	staleTimeout = 2 * time.Minute
	// coalesce is how long changes of pods wait for more of them, since a turn
	// looks at all pods of a namespace.
	coalesce = 20 * time.Millisecond
)

// podPrefix begins the names of requests that are about a pod.
const podPrefix = "pod/"

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	scales   map[string]*kind.Kind // kinds that scale, by "GROUP/KIND"
}

// New returns the control loop; recorder writes as Component, served are the
// kinds that may be the pods' controllers.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock, served []*kind.Kind) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock, scales: map[string]*kind.Kind{}}
	for _, k := range served {
		l.scales[k.Group+"/"+k.Kind] = k
	}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: budgets.Resource, Map: controller.ForObject},
			{Resource: "pods", Map: l.forPod},
		},
		Reconciler: l,
		Delay:      coalesce,
	}
}

// forPod requests the budgets that are for a pod before or after a change that
// they count.
func (l *loop) forPod(event store.Event) []controller.Request {
	pod := event.Object.(*corev1.Pod)
	old, _ := event.Prev.(*corev1.Pod)
	var requests []controller.Request
	if event.Type != store.Deleted && marked(pod) != nil {
		requests = append(requests, controller.Request{Namespace: pod.Namespace, Name: podPrefix + pod.Name})
	}
	if old != nil && event.Type == store.Modified && podutil.Ready(old) == podutil.Ready(pod) && maps.Equal(old.Labels, pod.Labels) &&
		(old.DeletionTimestamp == nil) == (pod.DeletionTimestamp == nil) {
		return requests
	}
	for _, budget := range cache.List[*policyv1.PodDisruptionBudget](l.cache, budgets.Resource, pod.Namespace) {
		selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
		if err == nil && (selector.Matches(labels.Set(pod.Labels)) || old != nil && selector.Matches(labels.Set(old.Labels))) {
			requests = append(requests, controller.Request{Namespace: budget.Namespace, Name: budget.Name})
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if name, isPod := strings.CutPrefix(request.Name, podPrefix); isPod {
		return l.cleanPod(about.Object(ctx, "pods", request.Namespace, name), request.Namespace, name)
	}
	budget, ok := cache.Get[*policyv1.PodDisruptionBudget](l.cache, budgets.Resource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	pods, err := l.podsOf(budget)
	if err != nil {
		return controller.Result{}, l.fail(ctx, budget, err)
	}
	if len(pods) == 0 {
		l.recorder.Event(ctx, budget, corev1.EventTypeNormal, "NoPods", "No matching pods found")
	}
	expected, desired, unmanaged, err := l.expect(budget, pods)
	if err != nil {
		l.recorder.Event(ctx, budget, corev1.EventTypeWarning, "CalculateExpectedPodCountFailed",
			fmt.Sprintf("Failed to calculate the number of expected pods: %v", err))
		return controller.Result{}, l.fail(ctx, budget, err)
	}
	if unmanaged {
		l.recorder.Event(ctx, budget, corev1.EventTypeWarning, "UnmanagedPods", fmt.Sprintf(
			"Pods selected by this PodDisruptionBudget (selector: %v) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
			selectorText(budget.Spec.Selector)))
	}
	disrupted, recheck := l.disrupted(ctx, budget, pods)
	healthy := int32(0)
	for _, pod := range pods {
		if _, is := disrupted[pod.Name]; !is && pod.DeletionTimestamp == nil && podutil.Ready(pod) {
			healthy++
		}
	}
	return controller.Result{RequeueAfter: recheck}, l.write(ctx, budget, healthy, desired, expected, disrupted)
}

func (l *loop) podsOf(budget *policyv1.PodDisruptionBudget) ([]*corev1.Pod, error) {
	selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
	if err != nil {
		return nil, err
	}
	pods := cache.List[*corev1.Pod](l.cache, "pods", budget.Namespace)
	return slices.DeleteFunc(pods, func(pod *corev1.Pod) bool { return !selector.Matches(labels.Set(pod.Labels)) }), nil
}

// disrupted are the pods whose eviction has been granted and which are not gone
// yet, and when to look at them again.
func (l *loop) disrupted(ctx context.Context, budget *policyv1.PodDisruptionBudget, pods []*corev1.Pod) (map[string]metav1.Time, time.Duration) {
	var still map[string]metav1.Time
	var recheck time.Duration
	for _, pod := range pods {
		since, is := budget.Status.DisruptedPods[pod.Name]
		if !is || pod.DeletionTimestamp != nil {
			continue
		}
		wait := since.Add(deletionTimeout).Sub(l.clock.Now())
		if wait < 0 {
			l.recorder.Event(ctx, pod, corev1.EventTypeWarning, "NotDeleted",
				fmt.Sprintf("Pod was expected by PDB %s/%s to be deleted but it wasn't", budget.Namespace, budget.Namespace)) // the namespace twice, as upstream
			continue
		}
		if still == nil {
			still = map[string]metav1.Time{}
		}
		still[pod.Name] = since
		if wait++; recheck == 0 || wait < recheck {
			recheck = wait
		}
	}
	return still, recheck
}

func (l *loop) write(ctx context.Context, budget *policyv1.PodDisruptionBudget, healthy, desired, expected int32, disrupted map[string]metav1.Time) error {
	allowed := max(healthy-desired, 0)
	if expected <= 0 {
		allowed = 0
	}
	next := budget.DeepCopy()
	next.Status = policyv1.PodDisruptionBudgetStatus{
		ObservedGeneration: budget.Generation, DisruptedPods: disrupted, DisruptionsAllowed: allowed,
		CurrentHealthy: healthy, DesiredHealthy: desired, ExpectedPods: expected, Conditions: next.Status.Conditions,
	}
	if equality.Semantic.DeepEqual(next.Status, budget.Status) && budgets.Settled(budget) {
		return nil
	}
	budgets.Settle(next, stamp.Now(l.clock))
	return l.update(ctx, next)
}

// fail allows nothing, since nothing is known.
func (l *loop) fail(ctx context.Context, budget *policyv1.PodDisruptionBudget, problem error) error {
	next := budget.DeepCopy()
	next.Status.DisruptionsAllowed = 0
	budgets.Set(next, metav1.ConditionFalse, policyv1.SyncFailedReason, problem.Error(), stamp.Now(l.clock))
	return l.update(ctx, next)
}

// update leaves it to the next turn where somebody else was faster, an eviction
// for instance, whose write requests that turn.
func (l *loop) update(ctx context.Context, budget *policyv1.PodDisruptionBudget) error {
	_, err := l.client.UpdateStatus(ctx, budgets.Resource, budget)
	if errors.IsConflict(err) || errors.IsNotFound(err) {
		return nil
	}
	return err
}

// selectorText writes a selector as the String method of its type, which builds
// for the browser leave out.
func selectorText(s *metav1.LabelSelector) string {
	if s == nil {
		return "nil"
	}
	var text strings.Builder
	text.WriteString("&LabelSelector{MatchLabels:map[string]string{")
	for _, key := range slices.Sorted(maps.Keys(s.MatchLabels)) {
		fmt.Fprintf(&text, "%s: %s,", key, s.MatchLabels[key])
	}
	text.WriteString("},MatchExpressions:[]LabelSelectorRequirement{")
	for _, e := range s.MatchExpressions {
		fmt.Fprintf(&text, "LabelSelectorRequirement{Key:%s,Operator:%s,Values:%v,},", e.Key, e.Operator, e.Values)
	}
	text.WriteString("},}")
	return text.String()
}
