// Package ttlafterfinished is the control loop that deletes Jobs some time after
// they have finished, if they say so (spec.ttlSecondsAfterFinished).
package ttlafterfinished

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
)

const (
	// Name is the component in causes.
	Name = "ttl-after-finished-controller"

	resource = "jobs.batch"
	workers  = 5 // as kube-controller-manager's --concurrent-ttl-after-finished-syncs
)

type loop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, clock clock.Clock) controller.Controller {
	return controller.Controller{
		Name:       Name,
		Watches:    []controller.Watch{{Resource: resource, Map: controller.ForObject}},
		Reconciler: &loop{cache, client, clock},
		Workers:    workers,
	}
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	job, ok := cache.Get[*batchv1.Job](l.cache, resource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	if wait, expires := l.left(job); !expires || wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	// Someone may just have given it more time.
	fresh, err := l.client.Get(ctx, resource, request.Namespace, request.Name)
	if errors.IsNotFound(err) {
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	job = fresh.(*batchv1.Job)
	if wait, expires := l.left(job); !expires || wait > 0 {
		return controller.Result{RequeueAfter: wait}, nil
	}
	foreground := metav1.DeletePropagationForeground
	err = l.client.Delete(ctx, resource, job.Namespace, job.Name, metav1.DeleteOptions{
		PropagationPolicy: &foreground,
		Preconditions:     &metav1.Preconditions{UID: &job.UID},
	})
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		err = nil
	}
	return controller.Result{}, err
}

// left is how long a Job has, if it has finished and is to be deleted.
func (l *loop) left(job *batchv1.Job) (wait time.Duration, expires bool) {
	ttl := job.Spec.TTLSecondsAfterFinished
	if ttl == nil || job.DeletionTimestamp != nil {
		return 0, false
	}
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			end := c.LastTransitionTime.Add(time.Duration(*ttl) * time.Second)
			return max(end.Sub(l.clock.Now()), 0), true
		}
	}
	return 0, false
}
