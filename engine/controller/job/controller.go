// Package job is the control loop that runs the pods of Jobs to completion: as
// many at a time as asked for, again after failures (with back-off, up to a
// limit, as policies say), each index of an Indexed Job once, none while a Job is
// suspended.
//
// A pod carries a finalizer until its end has been counted in the Job's status,
// so that none is lost or counted twice however pods are deleted.
package job

import (
	"context"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/about"
	"tidepool.dev/tidepool/engine/controller/internal/claim"
	"tidepool.dev/tidepool/engine/controller/internal/orphans"
	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/controller/internal/written"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in events and causes.
	Name = "job-controller"

	resource    = "jobs.batch"
	podResource = "pods"

	// podPrefix marks requests about a pod that no Job may count any more; no
	// name has a slash.
	podPrefix = "pod/"

	// coalesce is how long changes of a Job's pods wait for more of them.
	coalesce = 10 * time.Millisecond
	workers  = 5   // as kube-controller-manager's --concurrent-job-syncs
	burst    = 500 // pods that one turn creates or deletes
)

var kind = batchv1.SchemeGroupVersion.WithKind("Job")

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	control  *podcontrol.Control
	orphans  orphans.Set
	written  written.Log
	failures failureLog
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder, clock: clock, control: podcontrol.New(cache, client, recorder)}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: l.forJob},
			{Resource: podResource, Map: l.forPod},
		},
		Reconciler: l,
		Delay:      coalesce,
		Workers:    workers,
	}
}

// forJob also looks after the pods of a Job that will not count them any more.
func (l *loop) forJob(event store.Event) []controller.Request {
	job := event.Object.(*batchv1.Job)
	if event.Type != store.Deleted && !finished(job) {
		return controller.ForObject(event)
	}
	l.control.Forget(job.UID)
	l.failures.forget(job.UID)
	var requests []controller.Request
	for _, pod := range cache.Find[*corev1.Pod](l.cache, podResource, cache.ByController, string(job.UID)) {
		if tracked(pod) {
			requests = append(requests, ofPod(pod))
		}
	}
	return requests
}

func ofPod(pod store.Object) controller.Request {
	return controller.Request{Namespace: pod.GetNamespace(), Name: podPrefix + pod.GetName()}
}

var forOwner = controller.ForOwner(kind.Kind)

func (l *loop) forPod(event store.Event) []controller.Request {
	l.orphans.Observe(event)
	requests := forOwner(event)
	if event.Type == store.Deleted {
		return requests
	}
	if tracked(event.Object) && l.uncounted(event.Object) {
		requests = append(requests, ofPod(event.Object))
	}
	if metav1.GetControllerOfNoCopy(event.Object) != nil {
		return requests
	}
	for _, job := range cache.List[*batchv1.Job](l.cache, resource, event.Key.Namespace) {
		if selector, err := metav1.LabelSelectorAsSelector(job.Spec.Selector); err == nil && claim.Adoptable(event.Object, selector) {
			requests = append(requests, controller.Request{Namespace: job.Namespace, Name: job.Name})
		}
	}
	return requests
}

// tracked reports whether a pod waits to be counted.
func tracked(pod store.Object) bool {
	return slices.Contains(pod.GetFinalizers(), batchv1.JobTrackingFinalizer)
}

// uncounted reports whether no Job will ever count a tracked pod: it has none,
// or one that is gone or finished. A Job that another controller manages is that
// one's business.
func (l *loop) uncounted(pod store.Object) bool {
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		return true
	}
	if ref.Kind != kind.Kind {
		return false
	}
	job, ok := cache.Get[*batchv1.Job](l.cache, resource, pod.GetNamespace(), ref.Name)
	return !ok || job.UID != ref.UID || finished(job) && ours(job)
}

// ours reports whether the Job names no other controller.
func ours(job *batchv1.Job) bool {
	return job.Spec.ManagedBy == nil || *job.Spec.ManagedBy == batchv1.JobControllerName
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if name, isPod := strings.CutPrefix(request.Name, podPrefix); isPod {
		return controller.Result{}, l.releaseOrphan(about.Object(ctx, podResource, request.Namespace, name), request.Namespace, name)
	}
	if l.written.Pending(request, l.cache.Revision()) {
		return controller.Result{}, nil // its event will lead to another turn
	}
	stored, ok := cache.Get[*batchv1.Job](l.cache, resource, request.Namespace, request.Name)
	if !ok || finished(stored) || !ours(stored) || !l.control.Settled(stored) {
		return controller.Result{}, nil
	}
	t, err := l.begin(ctx, stored)
	if err != nil {
		return controller.Result{}, err
	}
	err = t.proceed(ctx)
	return controller.Result{RequeueAfter: t.nextCheck}, err
}

// releaseOrphan takes the finalizer from a pod that nobody will count.
func (l *loop) releaseOrphan(ctx context.Context, namespace, name string) error {
	pod, ok := cache.Get[*corev1.Pod](l.cache, podResource, namespace, name)
	if !ok || !tracked(pod) || !l.uncounted(pod) {
		return nil
	}
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		// The cache may not show the Job yet.
		job, err := l.client.Get(ctx, resource, namespace, ref.Name)
		if err != nil && !errors.IsNotFound(err) {
			return err
		}
		if err == nil && job.GetUID() == ref.UID && !finished(job.(*batchv1.Job)) {
			return nil
		}
	}
	_, err := l.untrack(ctx, pod)
	return err
}

// untrack takes the finalizer from a pod and returns the pod as written, nil if
// it is gone.
func (l *loop) untrack(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	written, err := client.Modify(ctx, l.client, podResource, pod.Namespace, pod.Name, l.client.Update, func(fresh *corev1.Pod) bool {
		if fresh.UID != pod.UID || !tracked(fresh) {
			return false
		}
		fresh.Finalizers = slices.DeleteFunc(fresh.Finalizers, func(f string) bool { return f == batchv1.JobTrackingFinalizer })
		return true
	})
	if errors.IsNotFound(err) {
		return nil, nil
	}
	return written, err
}
