// Package podgc is the control loop that removes pods which nobody else will:
// those of nodes that no longer exist or are declared out of service, deleted
// ones that were never scheduled, and the oldest of too many that have ended.
package podgc

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/about"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "pod-garbage-collector"

	resource     = "pods"
	nodeResource = "nodes"

	// As in kube-controller-manager: a missing node may yet come back, and of
	// ended pods this many are kept.
	quarantine = 40 * time.Second
	period     = 20 * time.Second
	keep       = 12500
)

// Requests name a pod, or, without a namespace, a node ("node/NAME") or all
// pods that have ended.
const (
	nodePrefix = "node/"
	ended      = "ended"
)

type loop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock

	mu      sync.Mutex
	ended   int                  // pods that have ended
	missing map[string]time.Time // nodes that pods name and that do not exist, since when
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, _ events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, clock: clock, missing: map[string]time.Time{}}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: l.forPod},
			{Resource: nodeResource, Map: forNode},
		},
		Reconciler: l,
	}
}

func forNode(event store.Event) []controller.Request {
	node := event.Object.(*corev1.Node)
	if event.Type == store.Deleted || outOfService(node) {
		return []controller.Request{{Name: nodePrefix + node.Name}}
	}
	return nil
}

func (l *loop) forPod(event store.Event) []controller.Request {
	var before, after bool
	if event.Prev != nil {
		before = podutil.Terminal(event.Prev.(*corev1.Pod))
	}
	pod := event.Object.(*corev1.Pod)
	if event.Type != store.Deleted {
		after = podutil.Terminal(pod)
	}
	if before != after && l.countEnded(after) {
		return []controller.Request{{Name: ended}}
	}
	if event.Type == store.Deleted {
		return nil
	}
	if pod.Spec.NodeName == "" {
		if pod.DeletionTimestamp != nil {
			return controller.ForObject(event)
		}
		return nil
	}
	if event.Prev != nil && event.Prev.(*corev1.Pod).Spec.NodeName != "" && pod.DeletionTimestamp == nil {
		return nil
	}
	node, ok := cache.Get[*corev1.Node](l.cache, nodeResource, "", pod.Spec.NodeName)
	if ok && !(pod.DeletionTimestamp != nil && outOfService(node)) {
		return nil
	}
	return []controller.Request{{Name: nodePrefix + pod.Spec.NodeName}}
}

// countEnded reports whether too many pods have ended.
func (l *loop) countEnded(more bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !more {
		l.ended--
		return false
	}
	l.ended++
	return l.ended > keep
}

// outOfService reports whether a person has declared that the node is off.
func outOfService(node *corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return false
		}
	}
	return slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if request.Namespace != "" {
		return l.collectUnscheduled(ctx, request)
	}
	if node, ok := strings.CutPrefix(request.Name, nodePrefix); ok {
		return l.collectOfNode(about.Object(ctx, nodeResource, "", node), node)
	}
	return controller.Result{}, l.collectEnded(ctx)
}

// collectUnscheduled removes a deleted pod that has no node to end it.
func (l *loop) collectUnscheduled(ctx context.Context, request controller.Request) (controller.Result, error) {
	pod, ok := cache.Get[*corev1.Pod](l.cache, resource, request.Namespace, request.Name)
	if !ok || pod.DeletionTimestamp == nil || pod.Spec.NodeName != "" || podutil.Terminal(pod) {
		return controller.Result{}, nil
	}
	if wait := pod.DeletionTimestamp.Add(period).Sub(l.clock.Now()); wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	return controller.Result{}, l.remove(ctx, pod, nil)
}

func (l *loop) collectOfNode(ctx context.Context, name string) (controller.Result, error) {
	node, exists := cache.Get[*corev1.Node](l.cache, nodeResource, "", name)
	wait := l.quarantined(name, exists)
	if wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	if exists && !outOfService(node) {
		return controller.Result{}, nil
	}
	var orphaned *corev1.PodCondition
	if !exists {
		if _, err := l.client.Get(ctx, nodeResource, "", name); !errors.IsNotFound(err) {
			return controller.Result{}, err
		}
		orphaned = &corev1.PodCondition{Reason: "DeletionByPodGC", Message: "PodGC: node no longer exists"}
	}
	for _, pod := range cache.Find[*corev1.Pod](l.cache, resource, cache.ByNode, name) {
		if exists && pod.DeletionTimestamp == nil {
			continue
		}
		if err := l.remove(ctx, pod, orphaned); err != nil {
			return controller.Result{}, err
		}
	}
	return controller.Result{}, nil
}

// quarantined is how long a missing node's pods are left alone yet.
func (l *loop) quarantined(node string, exists bool) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if exists {
		delete(l.missing, node)
		return 0
	}
	since, ok := l.missing[node]
	if !ok {
		since = l.clock.Now()
		l.missing[node] = since
	}
	wait := since.Add(quarantine).Sub(l.clock.Now())
	if wait <= 0 {
		delete(l.missing, node)
	}
	return wait
}

// collectEnded removes the oldest ended pods, evicted ones first.
func (l *loop) collectEnded(ctx context.Context) error {
	var pods []*corev1.Pod
	for _, pod := range cache.List[*corev1.Pod](l.cache, resource, "") {
		if podutil.Terminal(pod) {
			pods = append(pods, pod)
		}
	}
	if len(pods) <= keep {
		return nil
	}
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int {
		if evicted(a) != evicted(b) {
			if evicted(a) {
				return -1
			}
			return 1
		}
		return cmp.Or(a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	for _, pod := range pods[:len(pods)-keep] {
		if err := l.remove(about.Object(ctx, resource, pod.Namespace, pod.Name), pod, nil); err != nil {
			return err
		}
	}
	return nil
}

func evicted(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed && pod.Status.Reason == "Evicted"
}

// remove deletes a pod at once. There is nobody to say that it has ended, so
// that is said first.
func (l *loop) remove(ctx context.Context, pod *corev1.Pod, why *corev1.PodCondition) error {
	if !podutil.Terminal(pod) {
		_, err := podutil.ChangeStatus(ctx, l.client, pod, func(fresh *corev1.Pod) bool {
			if podutil.Terminal(fresh) {
				return false
			}
			fresh.Status.Phase = corev1.PodFailed
			fresh.Status.ObservedGeneration = fresh.Generation
			if why != nil {
				podutil.SetCondition(&fresh.Status, podutil.Disrupted(fresh, stamp.Now(l.clock), why.Reason, why.Message))
			}
			return true
		})
		if errors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	now := int64(0)
	err := l.client.Delete(ctx, resource, pod.Namespace, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now,
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}
