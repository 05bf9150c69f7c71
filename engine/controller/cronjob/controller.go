// Package cronjob is the control loop that makes a Job whenever a CronJob's
// schedule says so, unless it is suspended, too late, or an earlier Job still
// runs and must not be joined; and that deletes finished Jobs beyond the history
// that is to be kept.
package cronjob

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/written"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/schedule"
)

const (
	// Name is the component in events and causes.
	Name = "cronjob-controller"

	resource    = "cronjobs.batch"
	jobResource = "jobs.batch"
	workers     = 5 // as kube-controller-manager's --concurrent-cron-job-syncs
)

var kind = batchv1.SchemeGroupVersion.WithKind("CronJob")

type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
	clock    clock.Clock
	written  written.Log
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, clock clock.Clock) controller.Controller {
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: controller.ForObject},
			{Resource: jobResource, Map: controller.ForOwner(kind.Kind)},
		},
		Reconciler: &loop{cache: cache, client: client, recorder: recorder, clock: clock},
		Workers:    workers,
	}
}

// turn is one turn on one CronJob.
type turn struct {
	*loop
	cron    *batchv1.CronJob // the turn's own copy
	jobs    []*batchv1.Job
	now     time.Time
	changed bool          // the status
	next    time.Duration // when to look again even if nothing changes; 0 is never
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	if l.written.Pending(request, l.cache.Revision()) {
		return controller.Result{}, nil // its event will lead to another turn
	}
	stored, ok := cache.Get[*batchv1.CronJob](l.cache, resource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	t := &turn{
		loop: l, cron: stored.DeepCopy(), now: l.clock.Now().UTC(),
		jobs: cache.Find[*batchv1.Job](l.cache, jobResource, cache.ByController, string(stored.UID)),
	}
	t.trimHistory(ctx)
	err := t.proceed(ctx)
	if t.changed {
		written, statusErr := l.client.UpdateStatus(ctx, resource, t.cron)
		if statusErr != nil {
			return controller.Result{}, statusErr
		}
		l.written.Note(request, written)
	}
	if errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		err = nil // nothing can be created there any more, and nothing need be
	}
	if err != nil {
		return controller.Result{}, err
	}
	return controller.Result{RequeueAfter: t.next}, nil
}

func (t *turn) event(ctx context.Context, eventType, reason, format string, args ...any) {
	t.recorder.Event(ctx, t.cron, eventType, reason, fmt.Sprintf(format, args...))
}

func (t *turn) proceed(ctx context.Context) error {
	t.followJobs(ctx)
	if err := t.dropMissing(ctx); err != nil || t.cron.DeletionTimestamp != nil {
		return err
	}
	spec := &t.cron.Spec
	text := spec.Schedule
	switch {
	case strings.Contains(text, "TZ"):
		t.event(ctx, corev1.EventTypeWarning, "UnsupportedSchedule", "CRON_TZ or TZ used in schedule %q is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details", text)
	case spec.TimeZone != nil:
		if _, err := schedule.Location(*spec.TimeZone); err != nil {
			t.event(ctx, corev1.EventTypeWarning, "UnknownTimeZone", "invalid timeZone: %q: %s", *spec.TimeZone, err)
			return nil
		}
		text = "TZ=" + *spec.TimeZone + " " + text
	}
	if spec.Suspend != nil && *spec.Suspend {
		return nil
	}
	times, err := schedule.Parse(text)
	if err != nil {
		t.event(ctx, corev1.EventTypeWarning, "UnparseableSchedule", "unparseable schedule: %q : %s", spec.Schedule, err)
		return nil
	}
	due, many, err := dueTime(t.cron, t.now, times)
	if err != nil {
		t.event(ctx, corev1.EventTypeWarning, "InvalidSchedule", "invalid schedule: %s : %s", spec.Schedule, err)
		return nil
	}
	if many {
		t.event(ctx, corev1.EventTypeWarning, "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
	}
	if !due.IsZero() {
		if err := t.start(ctx, due); err != nil {
			return err
		}
	}
	t.next = nextWait(t.cron, t.now, times)
	return nil
}

// start makes the Job of a time, if it may.
func (t *turn) start(ctx context.Context, due time.Time) error {
	spec, status := &t.cron.Spec, &t.cron.Status
	if deadline := spec.StartingDeadlineSeconds; deadline != nil && due.Add(time.Duration(*deadline)*time.Second).Before(t.now) {
		t.event(ctx, corev1.EventTypeWarning, "MissSchedule", "Missed scheduled time to start a job: %s", due.UTC().Format(time.RFC1123Z))
		return nil
	}
	name := jobName(t.cron, due)
	last := status.LastScheduleTime
	if last != nil && last.Time.Equal(due) || slices.ContainsFunc(status.Active, func(ref corev1.ObjectReference) bool { return ref.Name == name }) {
		return nil
	}
	if len(status.Active) > 0 && spec.ConcurrencyPolicy == batchv1.ForbidConcurrent {
		t.event(ctx, corev1.EventTypeNormal, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid")
		return nil
	}
	if spec.ConcurrencyPolicy == batchv1.ReplaceConcurrent {
		for _, ref := range slices.Clone(status.Active) {
			if err := t.replace(ctx, ref); err != nil {
				return err
			}
		}
	}
	job, err := t.create(ctx, name, due)
	if err != nil || job == nil {
		return err
	}
	status.Active = append(status.Active, corev1.ObjectReference{
		APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "Job", Namespace: job.Namespace, Name: job.Name,
		UID: job.UID, ResourceVersion: job.ResourceVersion,
	})
	status.LastScheduleTime = &metav1.Time{Time: due}
	t.changed = true
	return nil
}

func (t *turn) replace(ctx context.Context, ref corev1.ObjectReference) error {
	obj, err := t.client.Get(ctx, jobResource, ref.Namespace, ref.Name)
	if err != nil {
		t.event(ctx, corev1.EventTypeWarning, "FailedGet", "Get job: %v", err)
		return err
	}
	if !t.delete(ctx, obj.(*batchv1.Job)) {
		return fmt.Errorf("could not replace job %s/%s", ref.Namespace, ref.Name)
	}
	return nil
}

// create makes a Job; it returns nil where there is one of the name that is not
// to be entered as running.
func (t *turn) create(ctx context.Context, name string, due time.Time) (*batchv1.Job, error) {
	template := t.cron.Spec.JobTemplate.DeepCopy()
	annotations := template.Annotations
	if annotations == nil {
		annotations = map[string]string{}
	}
	location := time.UTC
	if t.cron.Spec.TimeZone != nil {
		var err error
		if location, err = schedule.Location(*t.cron.Spec.TimeZone); err != nil {
			return nil, err
		}
	}
	annotations[batchv1.CronJobScheduledTimestampAnnotation] = due.In(location).Format(time.RFC3339)
	created, err := t.client.Create(ctx, jobResource, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: t.cron.Namespace, Labels: template.Labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(t.cron, kind)},
		},
		Spec: template.Spec,
	})
	switch {
	case errors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil, err
	case errors.IsAlreadyExists(err):
		obj, err := t.client.Get(ctx, jobResource, t.cron.Namespace, name)
		if err != nil || !metav1.IsControlledBy(obj, t.cron) || isActive(t.cron, obj.GetUID()) {
			return nil, err
		}
		return obj.(*batchv1.Job), nil
	case err != nil:
		t.event(ctx, corev1.EventTypeWarning, "FailedCreate", "Error creating job: %v", err)
		return nil, err
	}
	t.loop.written.Note(controller.Request{Namespace: t.cron.Namespace, Name: t.cron.Name}, created)
	t.event(ctx, corev1.EventTypeNormal, "SuccessfulCreate", "Created job %v", created.GetName())
	return created.(*batchv1.Job), nil
}

// jobName has the time in minutes, so that a time gets one Job even if the
// status was lost.
func jobName(cron *batchv1.CronJob, due time.Time) string {
	return fmt.Sprintf("%s-%d", cron.Name, due.Unix()/60)
}

func isActive(cron *batchv1.CronJob, uid types.UID) bool {
	return slices.ContainsFunc(cron.Status.Active, func(ref corev1.ObjectReference) bool { return ref.UID == uid })
}
