package validation

import (
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/schedule"
)

// longestCronJobName leaves room for the suffix of its Jobs' names.
const longestCronJobName = 63 - 11

// CronJob checks a new CronJob.
func CronJob(c *batchv1.CronJob) field.ErrorList {
	errs := cronJobSpec(&c.Spec, nil)
	if len(c.Name) > longestCronJobName {
		errs = append(errs, field.Invalid(metadataPath.Child("name"), c.Name, "must be no more than 52 characters"))
	}
	return errs
}

// CronJobUpdate checks a change to a CronJob.
func CronJobUpdate(c, old *batchv1.CronJob) field.ErrorList { return cronJobSpec(&c.Spec, &old.Spec) }

func cronJobSpec(spec, old *batchv1.CronJobSpec) field.ErrorList {
	errs := cronSchedule(specPath.Child("schedule"), spec, old)
	if spec.StartingDeadlineSeconds != nil {
		errs = append(errs, nonNegative(specPath, "startingDeadlineSeconds", *spec.StartingDeadlineSeconds)...)
	}
	if old == nil || !equality.Semantic.DeepEqual(old.TimeZone, spec.TimeZone) {
		errs = append(errs, timeZone(specPath.Child("timeZone"), spec.TimeZone)...)
	}
	errs = append(errs, oneOf(specPath.Child("concurrencyPolicy"), spec.ConcurrencyPolicy,
		batchv1.AllowConcurrent, batchv1.ForbidConcurrent, batchv1.ReplaceConcurrent)...)
	errs = append(errs, cronJobTemplate(specPath.Child("jobTemplate", "spec"), &spec.JobTemplate.Spec)...)
	if spec.SuccessfulJobsHistoryLimit != nil {
		errs = append(errs, nonNegative(specPath, "successfulJobsHistoryLimit", *spec.SuccessfulJobsHistoryLimit)...)
	}
	if spec.FailedJobsHistoryLimit != nil {
		errs = append(errs, nonNegative(specPath, "failedJobsHistoryLimit", *spec.FailedJobsHistoryLimit)...)
	}
	return errs
}

func cronJobTemplate(at *field.Path, spec *batchv1.JobSpec) field.ErrorList {
	errs := jobSpec(at, spec)
	if spec.Selector != nil {
		errs = append(errs, field.Invalid(at.Child("selector"), spec.Selector, "`selector` will be auto-generated"))
	}
	if manual := spec.ManualSelector; manual != nil && *manual {
		errs = append(errs, field.NotSupported(at.Child("manualSelector"), *manual, []string{"nil", "false"}))
	}
	return errs
}

// cronSchedule allows a time zone inside the schedule only where there was one.
func cronSchedule(at *field.Path, spec, old *batchv1.CronJobSpec) field.ErrorList {
	if spec.Schedule == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	if _, err := schedule.Parse(spec.Schedule); err != nil {
		errs = append(errs, field.Invalid(at, spec.Schedule, err.Error()))
	}
	zoned := strings.Contains(spec.Schedule, "TZ")
	wasZoned := old != nil && strings.Contains(old.Schedule, "TZ")
	switch {
	case wasZoned && zoned && spec.TimeZone != nil:
		errs = append(errs, field.Invalid(at, spec.Schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"))
	case !wasZoned && zoned:
		errs = append(errs, field.Invalid(at, spec.Schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
	}
	return errs
}

func timeZone(at *field.Path, name *string) field.ErrorList {
	if name == nil {
		return nil
	}
	if *name == "" {
		return field.ErrorList{field.Invalid(at, *name, "timeZone must be nil or non-empty string")}
	}
	for _, part := range strings.Split(*name, "/") {
		if part == "." || part == ".." || strings.HasPrefix(part, "-") || !isZonePart(part) {
			return field.ErrorList{field.Invalid(at, *name, "unknown time zone "+*name)}
		}
	}
	var errs field.ErrorList
	if strings.EqualFold(*name, "Local") {
		errs = append(errs, field.Invalid(at, *name, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"))
	}
	if _, err := schedule.Location(*name); err != nil {
		errs = append(errs, field.Invalid(at, *name, err.Error()))
	}
	return errs
}

// isZonePart follows https://data.iana.org/time-zones/theory.html#naming, with
// digits and plus signs for the sake of old names.
func isZonePart(part string) bool {
	if part == "" || len(part) > 14 {
		return false
	}
	for i := range len(part) {
		if c := part[i]; !isAlphanumeric(c) && !strings.ContainsRune(".-_+", rune(c)) {
			return false
		}
	}
	return true
}

// CronJobWarnings tells the author of a new CronJob what is allowed but unwise.
func CronJobWarnings(c *batchv1.CronJob) []string {
	return append(nameWarnings(c.Name), JobSpecWarnings("spec.jobTemplate.spec", &c.Spec.JobTemplate.Spec)...)
}
