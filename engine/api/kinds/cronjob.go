package kinds

import (
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func cronJob() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         batchv1.SchemeGroupVersion.WithKind("CronJob"),
		Plural:                   "cronjobs",
		Singular:                 "cronjob",
		ShortNames:               []string{"cj"},
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &batchv1.CronJob{} },
		NewList:                  func() runtime.Object { return &batchv1.CronJobList{} },
		Default:                  on(defaultCronJob),
		PrepareForCreate:         on(prepareCronJob),
		PrepareForUpdate:         onUpdate(prepareCronJobUpdate),
		PrepareForStatusUpdate:   onUpdate(func(c, old *batchv1.CronJob) { c.Spec = old.Spec }),
		Validate:                 validate(validation.CronJob),
		ValidateUpdate:           validateUpdate(validation.CronJobUpdate),
		Warnings:                 warnings(cronJobWarnings),
		AllowUnconditionalUpdate: true,
		Columns:                  cronJobColumns(),
		Row:                      row(cronJobRow),
	}
}

func defaultCronJob(c *batchv1.CronJob) {
	spec := &c.Spec
	if spec.ConcurrencyPolicy == "" {
		spec.ConcurrencyPolicy = batchv1.AllowConcurrent
	}
	if spec.Suspend == nil {
		spec.Suspend = new(false)
	}
	if spec.SuccessfulJobsHistoryLimit == nil {
		spec.SuccessfulJobsHistoryLimit = new(int32(3))
	}
	if spec.FailedJobsHistoryLimit == nil {
		spec.FailedJobsHistoryLimit = new(int32(1))
	}
	defaultJobTemplate(&spec.JobTemplate.Spec)
}

func prepareCronJob(c *batchv1.CronJob) {
	c.Status = batchv1.CronJobStatus{}
	c.Generation = 1
	dropGatedJob(&c.Spec.JobTemplate.Spec)
}

func prepareCronJobUpdate(c, old *batchv1.CronJob) {
	c.Status = old.Status
	dropGatedJob(&c.Spec.JobTemplate.Spec)
	if !equality.Semantic.DeepEqual(&c.Spec, &old.Spec) {
		c.Generation = old.Generation + 1
	}
}

func cronJobWarnings(c, old *batchv1.CronJob) []string {
	if old == nil {
		return validation.CronJobWarnings(c)
	}
	var list []string
	if c.Generation != old.Generation {
		list = validation.JobSpecWarnings("spec.jobTemplate.spec", &c.Spec.JobTemplate.Spec)
	}
	if strings.Contains(c.Spec.Schedule, "TZ") {
		list = append(list, "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details")
	}
	return list
}

func cronJobColumns() []metav1.TableColumnDefinition {
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Schedule", "The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron."),
		textColumn("Timezone", "The time zone name for the given schedule, see https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not specified, this will default to the time zone of the kube-controller-manager process. The set of valid time zone names and the time zone offset is loaded from the system-wide time zone database by the API server during CronJob validation and the controller manager during execution. If no system-wide time zone database can be found a bundled version of the database is used instead. If the time zone name becomes invalid during the lifetime of a CronJob or due to a change in host configuration, the controller will stop creating new new Jobs and will create a system event with the reason UnknownTimeZone. More information can be found in https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones"),
		{Name: "Suspend", Type: "boolean", Description: "This flag tells the controller to suspend subsequent executions, it does not apply to already started executions.  Defaults to false."},
		integerColumn("Active", "A list of pointers to currently running jobs."),
		textColumn("Last Schedule", "Information when was the last time the job was successfully scheduled."),
		ageColumn(),
	}, templateColumns(jobSelectorDescription)...)
}

func cronJobRow(c *batchv1.CronJob, now time.Time) []any {
	lastSchedule, timeZone, suspend := "<none>", "<none>", "<unset>"
	if c.Status.LastScheduleTime != nil {
		lastSchedule = age(*c.Status.LastScheduleTime, now)
	}
	if c.Spec.TimeZone != nil {
		timeZone = *c.Spec.TimeZone
	}
	if c.Spec.Suspend != nil {
		suspend = "False"
		if *c.Spec.Suspend {
			suspend = "True"
		}
	}
	template := &c.Spec.JobTemplate.Spec
	containers := template.Template.Spec.Containers
	return []any{
		c.Name, c.Spec.Schedule, timeZone, suspend, int64(len(c.Status.Active)), lastSchedule, age(c.CreationTimestamp, now),
		containerNames(containers), containerImages(containers), metav1.FormatLabelSelector(template.Selector),
	}
}
