package job

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// verdict is what the failure policy says of a failed pod.
type verdict struct {
	counts     bool // towards the back-off limit
	failsIndex bool
	failsJob   string // the message; empty if it does not
}

// judge applies the first rule that matches; without one, a failure counts.
func judge(job *batchv1.Job, pod *corev1.Pod) verdict {
	if job.Spec.PodFailurePolicy == nil {
		return verdict{counts: true}
	}
	for i, rule := range job.Spec.PodFailurePolicy.Rules {
		matched := ""
		if rule.OnExitCodes != nil {
			if status := exitMatch(pod, rule.OnExitCodes); status != nil {
				matched = fmt.Sprintf("Container %s for pod %s/%s failed with exit code %d", status.Name, pod.Namespace, pod.Name, status.State.Terminated.ExitCode)
			}
		} else if c := conditionMatch(pod, rule.OnPodConditions); c != nil {
			matched = fmt.Sprintf("Pod %s/%s has condition %s", pod.Namespace, pod.Name, c.Type)
		}
		if matched == "" {
			continue
		}
		switch rule.Action {
		case batchv1.PodFailurePolicyActionIgnore:
			return verdict{}
		case batchv1.PodFailurePolicyActionFailIndex:
			return verdict{counts: true, failsIndex: true}
		case batchv1.PodFailurePolicyActionCount:
			return verdict{counts: true}
		case batchv1.PodFailurePolicyActionFailJob:
			return verdict{counts: true, failsJob: fmt.Sprintf("%s matching %s rule at index %d", matched, rule.Action, i)}
		}
	}
	return verdict{counts: true}
}

// exitMatch finds a container that failed with one of the codes, or with none
// of them.
func exitMatch(pod *corev1.Pod, rule *batchv1.PodFailurePolicyOnExitCodesRequirement) *corev1.ContainerStatus {
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range statuses {
			ended := statuses[i].State.Terminated
			if ended == nil || ended.ExitCode == 0 || rule.ContainerName != nil && *rule.ContainerName != statuses[i].Name {
				continue
			}
			if wantIn := rule.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn; slices.Contains(rule.Values, ended.ExitCode) == wantIn {
				return &statuses[i]
			}
		}
	}
	return nil
}

func conditionMatch(pod *corev1.Pod, patterns []batchv1.PodFailurePolicyOnPodConditionsPattern) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if slices.ContainsFunc(patterns, func(p batchv1.PodFailurePolicyOnPodConditionsPattern) bool {
			return p.Type == c.Type && p.Status == c.Status
		}) {
			return c
		}
	}
	return nil
}

// policyFailure looks for a pod whose failure fails the Job.
func (t *turn) policyFailure() (string, bool) {
	if t.job.Spec.PodFailurePolicy == nil {
		return "", false
	}
	for _, pod := range t.pods {
		if t.isFailed(pod) {
			if message := judge(t.job, pod).failsJob; message != "" {
				return message, true
			}
		}
	}
	return "", false
}

// successMatch looks for a rule of the success policy that is fulfilled.
func (t *turn) successMatch() (string, bool) {
	if t.job.Spec.SuccessPolicy == nil || len(t.completed) == 0 {
		return "", false
	}
	for i, rule := range t.job.Spec.SuccessPolicy.Rules {
		met := false
		switch {
		case rule.SucceededIndexes != nil:
			wanted := parseIntervals(*rule.SucceededIndexes, int(*t.job.Spec.Completions))
			common := wanted.common(t.completed)
			met = len(wanted) > 0 && (common == wanted.total() || rule.SucceededCount != nil && common >= int(*rule.SucceededCount))
		case rule.SucceededCount != nil:
			met = t.completed.total() >= int(*rule.SucceededCount)
		}
		if met {
			return fmt.Sprintf("Matched rules at index %d", i), true
		}
	}
	return "", false
}
