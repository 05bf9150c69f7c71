package cronjob

import (
	"errors"
	"time"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
)

const (
	// manyMissed is how many missed times look like a mistake.
	manyMissed = 100
	// margin makes sure that a turn for a time comes after it.
	margin = 100 * time.Millisecond
)

// missed is what has become due since a CronJob last ran.
type missed struct {
	since  time.Time // from when on it was looked at
	latest time.Time // the last time that is due; zero if there is none
	count  int64     // about how many have been missed
}

// missedTimes looks for the times that are due, without counting each: there may
// be very many (pkg/controller/cronjob/utils.go, mostRecentScheduleTime).
func missedTimes(job *batchv1.CronJob, now time.Time, times cron.Schedule, withinDeadline bool) (missed, error) {
	m := missed{since: job.CreationTimestamp.Time}
	if job.Status.LastScheduleTime != nil {
		m.since = job.Status.LastScheduleTime.Time
	}
	if deadline := job.Spec.StartingDeadlineSeconds; withinDeadline && deadline != nil {
		if earliest := now.Add(-time.Duration(*deadline) * time.Second); earliest.After(m.since) {
			m.since = earliest
		}
	}
	m.since = m.since.UTC()
	first := times.Next(m.since)
	second := times.Next(first)
	switch {
	case now.Before(first):
		return m, nil
	case now.Before(second):
		m.latest = first
		return m, nil
	}
	// Guess from the first interval how many there were, and go on from just
	// before the last of them.
	interval := int64(second.Sub(first).Round(time.Second).Seconds())
	if interval < 1 {
		return m, errors.New("time difference between two schedules is less than 1 second")
	}
	m.count = int64(now.Sub(first).Seconds())/interval + 1
	from := first.Add(time.Duration((m.count-2)*interval) * time.Second)
	for t := times.Next(from); !t.After(now) && !t.IsZero(); t = times.Next(t) {
		m.latest = t
	}
	return m, nil
}

// dueTime is the last time that is due, zero if none is; many says that an
// unlikely number has been missed.
func dueTime(job *batchv1.CronJob, now time.Time, times cron.Schedule) (due time.Time, many bool, err error) {
	m, err := missedTimes(job, now, times, true)
	if err != nil {
		return time.Time{}, false, err
	}
	return m.latest, !m.latest.IsZero() && m.count > manyMissed, nil
}

// nextWait is how long it takes to the next time.
func nextWait(job *batchv1.CronJob, now time.Time, times cron.Schedule) time.Duration {
	from := now
	switch m, err := missedTimes(job, now, times, false); {
	case err != nil:
	case !m.latest.IsZero():
		from = m.latest
	case m.count == 0:
		from = m.since
	}
	next := times.Next(from)
	if next.IsZero() {
		return 0
	}
	return max(next.Add(margin).Sub(now), margin)
}
