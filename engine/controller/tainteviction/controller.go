// Package tainteviction is the control loop that evicts pods from nodes with
// NoExecute taints: at once those that do not tolerate them, and when its time
// is up what tolerates them for a while.
//
// Who taints nodes, and why, is not its business (see package nodelifecycle).
package tainteviction

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "taint-eviction-controller"

	resource     = "pods"
	nodeResource = "nodes"
	workers      = 8
)

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock

	mu    sync.Mutex
	plans map[controller.Request]plan
}

// plan is a pod's eviction.
type plan struct {
	pod  *corev1.Pod
	at   time.Time
	done bool
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock, plans: map[controller.Request]plan{}}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: l.forPod},
			{Resource: nodeResource, Map: l.forNode},
		},
		Reconciler: l,
		Workers:    workers,
	}
}

// forNode requests the pods of a node whose NoExecute taints have changed.
func (l *loop) forNode(event store.Event) []controller.Request {
	if event.Type == store.Deleted {
		return nil
	}
	var before []corev1.Taint
	if event.Prev != nil {
		before = noExecute(event.Prev.(*corev1.Node))
	}
	after := noExecute(event.Object.(*corev1.Node))
	if len(before) == 0 && len(after) == 0 || equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	var requests []controller.Request
	for _, pod := range cache.Find[*corev1.Pod](l.cache, resource, cache.ByNode, event.Key.Name) {
		requests = append(requests, controller.Request{Namespace: pod.Namespace, Name: pod.Name})
	}
	return requests
}

// forPod requests a pod that has come to a tainted node, whose tolerations have
// changed there, or whose eviction is planned when it goes.
func (l *loop) forPod(event store.Event) []controller.Request {
	pod := event.Object.(*corev1.Pod)
	if event.Type == store.Deleted {
		if _, ok := l.planned(controller.ForObject(event)[0]); ok {
			return controller.ForObject(event)
		}
		return nil
	}
	if pod.Spec.NodeName == "" {
		return nil
	}
	if event.Prev != nil {
		prev := event.Prev.(*corev1.Pod)
		if prev.Spec.NodeName == pod.Spec.NodeName && sameTolerations(prev.Spec.Tolerations, pod.Spec.Tolerations) {
			return nil
		}
	}
	node, ok := cache.Get[*corev1.Node](l.cache, nodeResource, "", pod.Spec.NodeName)
	if !ok || len(noExecute(node)) == 0 {
		return nil
	}
	return controller.ForObject(event)
}

func sameTolerations(a, b []corev1.Toleration) bool {
	if len(a) != len(b) {
		return false
	}
	return len(a) == 0 || &a[0] == &b[0] || equality.Semantic.DeepEqual(a, b)
}

func noExecute(node *corev1.Node) []corev1.Taint {
	var taints []corev1.Taint
	for _, taint := range node.Spec.Taints {
		if taint.Effect == corev1.TaintEffectNoExecute {
			taints = append(taints, taint)
		}
	}
	return taints
}

func (l *loop) planned(request controller.Request) (plan, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.plans[request]
	return p, ok
}

func (l *loop) remember(request controller.Request, p plan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plans[request] = p
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	pod, ok := cache.Get[*corev1.Pod](l.cache, resource, request.Namespace, request.Name)
	p, isPlanned := l.planned(request)
	if isPlanned && (!ok || pod.UID != p.pod.UID) {
		l.cancel(ctx, request, p)
		isPlanned = false
	}
	if !ok || pod.Spec.NodeName == "" {
		return controller.Result{}, nil
	}
	var taints []corev1.Taint
	if node, ok := cache.Get[*corev1.Node](l.cache, nodeResource, "", pod.Spec.NodeName); ok {
		taints = noExecute(node)
	}
	tolerated, limit, limited := tolerance(taints, pod.Spec.Tolerations)
	now := l.clock.Now()
	switch {
	case len(taints) == 0, tolerated && !limited:
		if isPlanned {
			l.cancel(ctx, request, p)
		}
		return controller.Result{}, nil
	case isPlanned && p.done:
		return controller.Result{}, nil
	case !tolerated:
		if isPlanned {
			l.cancel(ctx, request, p)
		}
		p = plan{pod: pod, at: now}
	case !isPlanned:
		p = plan{pod: pod, at: now.Add(limit)}
	}
	l.remember(request, p)
	if wait := p.at.Sub(now); wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	if err := l.evict(ctx, pod); err != nil {
		return controller.Result{}, err
	}
	p.done = true
	l.remember(request, p)
	return controller.Result{}, nil
}

// cancel forgets a plan, and says so unless it has been carried out.
func (l *loop) cancel(ctx context.Context, request controller.Request, p plan) {
	l.mu.Lock()
	delete(l.plans, request)
	l.mu.Unlock()
	if !p.done {
		l.recorder.Event(ctx, p.pod, corev1.EventTypeNormal, "TaintManagerEviction", "Cancelling deletion of Pod "+name(p.pod))
	}
}

func (l *loop) evict(ctx context.Context, pod *corev1.Pod) error {
	l.recorder.Event(ctx, pod, corev1.EventTypeNormal, "TaintManagerEviction", "Marking for deletion Pod "+name(pod))
	_, err := podutil.ChangeStatus(ctx, l.client, pod, func(fresh *corev1.Pod) bool {
		return podutil.SetCondition(&fresh.Status, podutil.Disrupted(fresh, stamp.Now(l.clock),
			"DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"))
	})
	if err == nil {
		err = l.client.Delete(ctx, resource, pod.Namespace, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	}
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}

func name(pod *corev1.Pod) string {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}.String()
}

// tolerance reports whether every taint is tolerated and, if only for a limited
// time, for how long.
func tolerance(taints []corev1.Taint, tolerations []corev1.Toleration) (tolerated bool, limit time.Duration, limited bool) {
	for i := range taints {
		j := slices.IndexFunc(tolerations, func(t corev1.Toleration) bool { return tolerates(&t, &taints[i]) })
		if j < 0 {
			return false, 0, false
		}
		seconds := tolerations[j].TolerationSeconds
		if seconds == nil {
			continue
		}
		if d := time.Duration(max(*seconds, 0)) * time.Second; !limited || d < limit {
			limit, limited = d, true
		}
	}
	return true, limit, limited
}

func tolerates(toleration *corev1.Toleration, taint *corev1.Taint) bool {
	if toleration.Effect != "" && toleration.Effect != taint.Effect || toleration.Key != "" && toleration.Key != taint.Key {
		return false
	}
	if toleration.Operator == corev1.TolerationOpExists {
		return true
	}
	return toleration.Value == taint.Value // the operator is Equal, or absent
}
