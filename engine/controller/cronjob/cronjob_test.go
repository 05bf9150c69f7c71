package cronjob_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/cronjob"
	"tidepool.dev/tidepool/engine/controller/garbagecollector"
	"tidepool.dev/tidepool/engine/controller/job"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		cronjob.New(c.Cache, c.ClientOf(cronjob.Name), c.Recorder(cronjob.Name), c.Clock),
		job.New(c.Cache, c.ClientOf(job.Name), c.Recorder(job.Name), c.Clock),
		garbagecollector.New(c.Cache, c.ClientOf(garbagecollector.Name), c.Recorder(garbagecollector.Name), c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

func hello(schedule, image string) *batchv1.CronJob {
	return &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "hello"},
		Spec: batchv1.CronJobSpec{
			Schedule: schedule,
			JobTemplate: batchv1.JobTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "hello"}},
				Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
					RestartPolicy: corev1.RestartPolicyNever,
					Containers:    []corev1.Container{{Name: "c", Image: image}},
				}}},
			},
		},
	}
}

func start(c *controllertest.Cluster, cj *batchv1.CronJob) {
	c.Helper()
	c.AddNodes(1)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	controllertest.Create(c, cj)
}

func get(c *controllertest.Cluster) *batchv1.CronJob {
	c.Helper()
	cj, ok := controllertest.Get[*batchv1.CronJob](c, "default", "hello")
	if !ok {
		c.Fatal("the CronJob is gone")
	}
	return cj
}

func jobs(c *controllertest.Cluster) []*batchv1.Job {
	return controllertest.List[*batchv1.Job](c, "default")
}

func count(c *controllertest.Cluster, reason string) int {
	n := 0
	for _, event := range controllertest.List[*corev1.Event](c, "default") {
		if event.InvolvedObject.Kind == "CronJob" && event.Reason == reason {
			n += int(event.Count)
		}
	}
	return n
}

// TestSchedule: virtual time begins with the year 2026.
func TestSchedule(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, hello("* * * * *", controllertest.Exits(0)))
		c.Until("has run twice", func() bool {
			s := get(c).Status
			return s.LastScheduleTime != nil && s.LastScheduleTime.UTC().Format(time.TimeOnly) == "00:02:00" && len(s.Active) == 0 && s.LastSuccessfulTime != nil
		})
		first := jobs(c)[0]
		if want := fmt.Sprintf("hello-%d", time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC).Unix()/60); first.Name != want {
			c.Errorf("name %s, want %s", first.Name, want)
		}
		if got := first.Annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]; got != "2026-01-01T00:01:00Z" {
			c.Errorf("scheduled %q", got)
		}
		if first.Labels["app"] != "hello" || !metav1.IsControlledBy(first, get(c)) {
			c.Errorf("labels %v, owners %v", first.Labels, first.OwnerReferences)
		}
		events := c.Events("CronJob", "hello")
		want := []string{"Normal SuccessfulCreate: Created job " + first.Name, fmt.Sprintf("Normal SawCompletedJob: Saw completed job: %s, condition: Complete", first.Name)}
		if len(events) < 2 || !slices.Equal(events[:2], want) {
			c.Errorf("events %q, want %q", events, want)
		}
	})
}

func TestHistory(t *testing.T) {
	for image, limits := range map[string][2]int32{controllertest.Exits(0): {2, 0}, controllertest.Exits(1): {0, 3}} {
		t.Run(image, func(t *testing.T) {
			controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
				cj := hello("* * * * *", image)
				cj.Spec.SuccessfulJobsHistoryLimit, cj.Spec.FailedJobsHistoryLimit = &limits[0], &limits[1]
				cj.Spec.JobTemplate.Spec.BackoffLimit = new(int32(0))
				start(c, cj)
				c.Pass(10*time.Minute + 30*time.Second)
				if got, want := len(jobs(c)), int(max(limits[0], limits[1])); got != want {
					c.Errorf("%d Jobs, want %d", got, want)
				}
				if got := count(c, "SuccessfulCreate"); got != 10 {
					c.Errorf("%d Jobs made, want 10", got)
				}
			})
		})
	}
}

func TestConcurrency(t *testing.T) {
	for _, test := range []struct {
		policy batchv1.ConcurrencyPolicy
		active int
		reason string
	}{
		{batchv1.AllowConcurrent, 4, "SuccessfulCreate"},
		{batchv1.ForbidConcurrent, 1, "JobAlreadyActive"},
		{batchv1.ReplaceConcurrent, 1, "SuccessfulDelete"},
	} {
		t.Run(string(test.policy), func(t *testing.T) {
			controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
				cj := hello("* * * * *", "runs")
				cj.Spec.ConcurrencyPolicy = test.policy
				start(c, cj)
				c.Pass(4*time.Minute + 30*time.Second)
				if got := len(get(c).Status.Active); got != test.active || len(jobs(c)) != test.active {
					c.Errorf("%d active of %d, want %d", got, len(jobs(c)), test.active)
				}
				if got := count(c, test.reason); got < 3 {
					c.Errorf("%d events %s", got, test.reason)
				}
			})
		})
	}
}

func TestTimeZone(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		cj := hello("0 9 * * *", controllertest.Exits(0))
		cj.Spec.TimeZone = new("Asia/Tokyo") // midnight in UTC
		start(c, cj)
		c.Pass(25 * time.Hour)
		all := jobs(c)
		if len(all) != 1 || all[0].Annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] != "2026-01-02T09:00:00+09:00" {
			c.Errorf("%d Jobs: %v", len(all), all)
		}
	})
}

func TestSuspendAndMissedTimes(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		cj := hello("* * * * *", controllertest.Exits(0))
		cj.Spec.Suspend = new(true)
		start(c, cj)
		c.Pass(3 * time.Hour)
		if got := len(jobs(c)); got != 0 {
			c.Errorf("%d Jobs while suspended", got)
		}
		// Of all the missed times, the last one is made up for.
		controllertest.Change(c, "default", "hello", func(cj *batchv1.CronJob) { *cj.Spec.Suspend = false })
		c.Pass(time.Second)
		if got := len(jobs(c)); got != 1 || count(c, "TooManyMissedTimes") != 1 {
			c.Errorf("%d Jobs, events %q", got, c.Events("CronJob", "hello"))
		}
	})
}

func TestStartingDeadline(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		cj := hello("0 * * * *", controllertest.Exits(0))
		cj.Spec.Suspend, cj.Spec.StartingDeadlineSeconds = new(true), new(int64(60))
		start(c, cj)
		c.Pass(90 * time.Minute)
		controllertest.Change(c, "default", "hello", func(cj *batchv1.CronJob) { *cj.Spec.Suspend = false })
		c.Pass(time.Minute)
		if got := len(jobs(c)); got != 0 {
			c.Errorf("%d Jobs half an hour late", got)
		}
		c.Pass(30 * time.Minute)
		if got := len(jobs(c)); got != 1 {
			c.Errorf("%d Jobs in time", got)
		}
	})
}

// TestManualJob: a Job that somebody made from a CronJob is noticed once.
func TestManualJob(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		start(c, hello("0 0 1 6 *", "runs"))
		cj := get(c)
		controllertest.Create(c, &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "by-hand",
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(cj, batchv1.SchemeGroupVersion.WithKind("CronJob"))}},
			Spec: cj.Spec.JobTemplate.DeepCopy().Spec,
		})
		c.Pass(time.Hour)
		events := c.Events("CronJob", "hello")
		if len(events) != 1 || !strings.HasPrefix(events[0], "Warning UnexpectedJob: Saw a job that the controller did not create or forgot: by-hand") {
			c.Errorf("events %q", events)
		}
	})
}

// TestNever: a date that does not exist is said to be wrong and leads to no
// further turns.
func TestNever(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		start(c, hello("0 0 31 2 *", controllertest.Exits(0)))
		c.Pass(24 * time.Hour)
		if got := count(c, "InvalidSchedule"); got != 1 {
			c.Errorf("%d events: %q", got, c.Events("CronJob", "hello"))
		}
	})
}
