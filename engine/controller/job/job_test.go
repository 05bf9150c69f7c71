package job_test

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
	"tidepool.dev/tidepool/engine/controller/garbagecollector"
	"tidepool.dev/tidepool/engine/controller/job"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		garbagecollector.New(c.Cache, c.ClientOf(garbagecollector.Name), c.Recorder(garbagecollector.Name), c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		job.New(c.Cache, c.ClientOf(job.Name), c.Recorder(job.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

// work is a Job whose pods run one container of an image.
func work(image string) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "work"},
		Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "c", Image: image}},
		}}},
	}
}

func indexed(image string, completions, parallelism int32) *batchv1.Job {
	j := work(image)
	j.Spec.CompletionMode = new(batchv1.IndexedCompletion)
	j.Spec.Completions, j.Spec.Parallelism = &completions, &parallelism
	return j
}

func start(c *controllertest.Cluster, j *batchv1.Job) {
	c.Helper()
	c.AddNodes(2)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	controllertest.Create(c, j)
}

func get(c *controllertest.Cluster) *batchv1.Job {
	c.Helper()
	j, ok := controllertest.Get[*batchv1.Job](c, "default", "work")
	if !ok {
		c.Fatal("the Job is gone")
	}
	return j
}

func change(c *controllertest.Cluster, edit func(*batchv1.Job)) {
	c.Helper()
	controllertest.Change(c, "default", "work", edit)
}

func pods(c *controllertest.Cluster) []*corev1.Pod {
	return controllertest.List[*corev1.Pod](c, "default")
}

// conditions are those of the Job that are true, as "Type Reason: message".
func conditions(j *batchv1.Job) []string {
	var lines []string
	for _, c := range j.Status.Conditions {
		if c.Status == corev1.ConditionTrue {
			lines = append(lines, fmt.Sprintf("%s %s: %s", c.Type, c.Reason, c.Message))
		}
	}
	return lines
}

func ends(c *controllertest.Cluster, want ...string) {
	c.Helper()
	c.Until("ended", func() bool {
		return slices.ContainsFunc(get(c).Status.Conditions, func(each batchv1.JobCondition) bool {
			return (each.Type == batchv1.JobComplete || each.Type == batchv1.JobFailed) && each.Status == corev1.ConditionTrue
		})
	})
	j := get(c)
	if got := conditions(j); !slices.Equal(got, want) {
		c.Errorf("conditions %q, want %q", got, want)
	}
	if u := j.Status.UncountedTerminatedPods; u == nil || len(u.Succeeded)+len(u.Failed) > 0 || j.Status.Active != 0 {
		c.Errorf("status %+v", j.Status)
	}
	c.Until("no pod is held back", func() bool {
		return !slices.ContainsFunc(pods(c), func(pod *corev1.Pod) bool { return len(pod.Finalizers) > 0 })
	})
}

const (
	reached  = "Reached expected number of succeeded pods"
	tooOften = "Job has reached the specified backoff limit"
)

func counts(c *controllertest.Cluster, succeeded, failed int32) {
	c.Helper()
	if s := get(c).Status; s.Succeeded != succeeded || s.Failed != failed {
		c.Errorf("%d succeeded and %d failed, want %d and %d", s.Succeeded, s.Failed, succeeded, failed)
	}
}

func TestComplete(t *testing.T) {
	for _, test := range []struct {
		completions, parallelism *int32
		want                     int32
	}{
		{nil, nil, 1}, {new(int32(5)), new(int32(2)), 5}, {new(int32(700)), new(int32(700)), 700}, {nil, new(int32(3)), 3},
	} {
		t.Run(fmt.Sprint(test.want), func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				j := work(controllertest.Exits(0))
				j.Spec.Completions, j.Spec.Parallelism = test.completions, test.parallelism
				start(c, j)
				ends(c, "SuccessCriteriaMet CompletionsReached: "+reached, "Complete CompletionsReached: "+reached)
				if test.completions != nil || test.parallelism == nil { // else it depends on which pod is seen first
					counts(c, test.want, 0)
				}
				if s := get(c).Status; s.StartTime == nil || s.CompletionTime == nil {
					c.Errorf("times %v and %v", s.StartTime, s.CompletionTime)
				}
				events := c.Events("Job", "work")
				if slices.ContainsFunc(events, func(event string) bool {
					return strings.HasPrefix(event, "Warning") && !strings.Contains(event, "TooManySucceededPods")
				}) {
					c.Errorf("warnings of a Job that succeeds: %q", events)
				}
				if last := events[len(events)-1]; test.want < 10 && last != "Normal Completed: Job completed" || !strings.HasPrefix(events[0], "Normal SuccessfulCreate: Created pod: work-") {
					c.Errorf("events %q", events)
				}
			})
		})
	}
}

func TestBackoffLimit(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		j := work(controllertest.Exits(1))
		j.Spec.BackoffLimit = new(int32(2))
		start(c, j)
		began := c.Clock.Now()
		ends(c, "FailureTarget BackoffLimitExceeded: "+tooOften, "Failed BackoffLimitExceeded: "+tooOften)
		counts(c, 0, 3)
		if took := c.Clock.Now().Sub(began); took < 27*time.Second { // 10 s and then 20 s
			c.Errorf("gave up after %s", took)
		}
		events := c.Events("Job", "work")
		if last := events[len(events)-1]; last != "Warning BackoffLimitExceeded: "+tooOften {
			c.Errorf("last event %q", last)
		}
	})
}

func TestDeadline(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		j := work("runs")
		j.Spec.ActiveDeadlineSeconds = new(int64(60))
		start(c, j)
		const message = "Job was active longer than specified deadline"
		ends(c, "FailureTarget DeadlineExceeded: "+message, "Failed DeadlineExceeded: "+message)
		counts(c, 0, 1)
		c.Until("has no pods", func() bool { return len(pods(c)) == 0 })
	})
}

func TestSuspend(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		j := work("runs")
		j.Spec.Parallelism = new(int32(2))
		j.Spec.Suspend = new(true)
		start(c, j)
		c.Until("suspended", func() bool {
			return slices.Equal(conditions(get(c)), []string{"Suspended JobSuspended: Job suspended"})
		})
		if get(c).Status.StartTime != nil || len(pods(c)) != 0 {
			c.Error("a suspended Job has started")
		}
		change(c, func(j *batchv1.Job) { *j.Spec.Suspend = false })
		c.Until("runs", func() bool { s := get(c).Status; return s.Active == 2 && *s.Ready == 2 && s.StartTime != nil })
		change(c, func(j *batchv1.Job) { *j.Spec.Suspend = true })
		c.Until("suspended again", func() bool { s := get(c).Status; return s.Active == 0 && *s.Terminating == 0 && len(pods(c)) == 0 })
		counts(c, 0, 0)
		want := []string{"Normal Resumed: Job resumed", "Normal Suspended: Job suspended"} // the latter twice
		got := slices.DeleteFunc(c.Events("Job", "work"), func(e string) bool { return strings.Contains(e, " pod: ") })
		if !slices.Equal(got, want) {
			c.Errorf("events %q, want %q", got, want)
		}
	})
}

func TestScaleDown(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		j := work("runs")
		j.Spec.Completions, j.Spec.Parallelism = new(int32(5)), new(int32(4))
		start(c, j)
		c.Until("runs four", func() bool { return get(c).Status.Active == 4 })
		change(c, func(j *batchv1.Job) { *j.Spec.Parallelism = 1 })
		c.Until("runs one", func() bool { return get(c).Status.Active == 1 && len(pods(c)) == 1 })
		counts(c, 0, 0)
	})
}

func TestIndexed(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, indexed(controllertest.Exits(0), 3, 2))
		ends(c, "SuccessCriteriaMet CompletionsReached: "+reached, "Complete CompletionsReached: "+reached)
		if s := get(c).Status; s.CompletedIndexes != "0-2" || s.Succeeded != 3 {
			c.Errorf("completed %q, %d", s.CompletedIndexes, s.Succeeded)
		}
		for i, pod := range pods(c) {
			index := fmt.Sprint(i)
			if pod.Spec.Hostname != "work-"+index || !strings.HasPrefix(pod.Name, "work-"+index+"-") ||
				pod.Annotations["batch.kubernetes.io/job-completion-index"] != index || pod.Labels["batch.kubernetes.io/job-completion-index"] != index {
				c.Errorf("pod %s: hostname %s, annotations %v", pod.Name, pod.Spec.Hostname, pod.Annotations)
			}
			env := pod.Spec.Containers[0].Env
			if len(env) != 1 || env[0].Name != "JOB_COMPLETION_INDEX" || env[0].ValueFrom.FieldRef.FieldPath != "metadata.labels['batch.kubernetes.io/job-completion-index']" {
				c.Errorf("environment %v", env)
			}
		}
	})
}

func TestBackoffLimitPerIndex(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		j := indexed(controllertest.Exits(1), 2, 2)
		j.Spec.BackoffLimitPerIndex = new(int32(1))
		start(c, j)
		ends(c, "FailureTarget FailedIndexes: Job has failed indexes", "Failed FailedIndexes: Job has failed indexes")
		counts(c, 0, 4)
		if s := get(c).Status; s.FailedIndexes == nil || *s.FailedIndexes != "0,1" {
			c.Errorf("failed indexes %v", s.FailedIndexes)
		}
		failures := map[string]int{}
		for _, pod := range pods(c) {
			failures[pod.Annotations["batch.kubernetes.io/job-index-failure-count"]]++
		}
		if failures["0"] != 2 || failures["1"] != 2 {
			c.Errorf("failure counts %v", failures)
		}
	})
}

func TestSuccessPolicy(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		j := indexed("runs", 3, 3)
		j.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: new("0-1"), SucceededCount: new(int32(1))}}}
		start(c, j)
		c.Until("runs", func() bool { return *orZero(get(c).Status.Ready) == 3 })
		for _, pod := range pods(c) {
			if strings.HasPrefix(pod.Name, "work-1-") {
				controllertest.ChangeStatus(c, "default", pod.Name, func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodSucceeded })
			}
		}
		const message = "Matched rules at index 0"
		ends(c, "SuccessCriteriaMet SuccessPolicy: "+message, "Complete SuccessPolicy: "+message)
		if s := get(c).Status; s.CompletedIndexes != "1" {
			c.Errorf("completed %q", s.CompletedIndexes)
		}
	})
}

func orZero(count *int32) *int32 {
	if count == nil {
		return new(int32)
	}
	return count
}

func onExit(action batchv1.PodFailurePolicyAction, codes ...int32) batchv1.PodFailurePolicyRule {
	return batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
		Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: codes,
	}}
}

func TestPodFailurePolicy(t *testing.T) {
	t.Run("fails the Job", func(t *testing.T) {
		controllertest.Run(t, build, func(c *controllertest.Cluster) {
			j := work(controllertest.Exits(42))
			j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{onExit(batchv1.PodFailurePolicyActionFailJob, 42)}}
			start(c, j)
			c.Until("has a pod", func() bool { return len(pods(c)) == 1 })
			message := fmt.Sprintf("Container c for pod default/%s failed with exit code 42 matching FailJob rule at index 0", pods(c)[0].Name)
			ends(c, "FailureTarget PodFailurePolicy: "+message, "Failed PodFailurePolicy: "+message)
			counts(c, 0, 1)
		})
	})
	t.Run("ignores a failure", func(t *testing.T) {
		controllertest.Run(t, build, func(c *controllertest.Cluster) {
			j := work(controllertest.Exits(7))
			j.Spec.BackoffLimit = new(int32(0))
			j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{onExit(batchv1.PodFailurePolicyActionIgnore, 7)}}
			start(c, j)
			c.Until("has tried three times", func() bool { return len(pods(c)) >= 3 })
			counts(c, 0, 0)
			if got := conditions(get(c)); len(got) > 0 {
				c.Errorf("conditions %q", got)
			}
		})
	})
}

// TestDeletedPods: a pod that is deleted counts as failed, and is replaced at
// once or, if so wished, only when it has ended.
func TestDeletedPods(t *testing.T) {
	for _, policy := range []batchv1.PodReplacementPolicy{batchv1.TerminatingOrFailed, batchv1.Failed} {
		t.Run(string(policy), func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				j := work("runs")
				j.Spec.PodReplacementPolicy = &policy
				start(c, j)
				c.Until("runs", func() bool { return *orZero(get(c).Status.Ready) == 1 })
				first := pods(c)[0]
				c.Silence(first.Spec.NodeName)
				controllertest.Delete[*corev1.Pod](c, "default", first.Name, metav1.DeleteOptions{})
				if policy == batchv1.TerminatingOrFailed {
					c.Until("has another", func() bool { return len(pods(c)) == 2 })
					counts(c, 0, 1)
				} else {
					c.Until("waits", func() bool { return *orZero(get(c).Status.Terminating) == 1 })
					c.Pass(time.Minute)
					if got := len(pods(c)); got != 1 {
						c.Errorf("%d pods", got)
					}
					counts(c, 0, 0)
				}
			})
		})
	}
}

// TestDeletedJob: its pods can go.
func TestDeletedJob(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, work("runs"))
		c.Until("runs", func() bool { return *orZero(get(c).Status.Ready) == 1 })
		background := metav1.DeletePropagationBackground
		controllertest.Delete[*batchv1.Job](c, "default", "work", metav1.DeleteOptions{PropagationPolicy: &background})
		c.Until("all is gone", func() bool {
			_, ok := controllertest.Get[*batchv1.Job](c, "default", "work")
			return !ok && len(pods(c)) == 0
		})
	})
}

// TestManagedBy: the Job of another controller is left alone.
func TestManagedBy(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		j := work(controllertest.Exits(0))
		j.Spec.ManagedBy = new("example.com/other")
		start(c, j)
		c.Pass(time.Minute)
		if got := len(pods(c)); got != 0 {
			c.Errorf("%d pods", got)
		}
	})
}
