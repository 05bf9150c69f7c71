package job

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// manage creates or deletes pods towards the number that should run.
func (t *turn) manage(ctx context.Context) error {
	if t.suspended() {
		return t.remove(ctx, t.removable(int(t.running)))
	}
	wanted := t.wanted()
	remove := t.removable(int(max(t.running-wanted, 0)))
	if len(remove) > 0 {
		return t.remove(ctx, remove[:min(len(remove), burst)])
	}
	missing := wanted - t.running
	if t.replacesOnlyFailed() {
		missing -= t.terminating
	}
	if missing <= 0 {
		return nil
	}
	return t.create(ctx, min(int(missing), burst))
}

// wanted is how many pods should run. Without a number of completions, one
// success is enough: what runs then may end, nothing is added.
func (t *turn) wanted() int32 {
	parallelism, completions := *t.job.Spec.Parallelism, t.job.Spec.Completions
	switch {
	case completions == nil && t.succeeded > 0:
		return t.running
	case completions == nil:
		return parallelism
	}
	return max(min(*completions-t.succeeded, parallelism), 0)
}

// removable are at least count active pods that can go, and all that have an
// index twice or one beyond the last.
func (t *turn) removable(count int) []*corev1.Pod {
	left := slices.Clone(t.active)
	var remove []*corev1.Pod
	if t.indexed() {
		remove, left = t.duplicates(left)
	}
	if missing := count - len(remove); missing > 0 {
		podutil.SortForDeletion(left)
		remove = append(remove, left[:missing]...)
	}
	return remove
}

// remove deletes pods that are not to be counted.
func (t *turn) remove(ctx context.Context, pods []*corev1.Pod) error {
	var failure error
	for _, pod := range pods {
		written, err := t.untrack(ctx, pod)
		if err == nil {
			if written != nil {
				t.control.Wrote(t.job, written)
			}
			err = t.control.Delete(ctx, t.job, pod)
		}
		if err != nil {
			failure = err
			continue
		}
		t.gone(pod)
	}
	return failure
}

// gone counts a pod that the turn has deleted.
func (t *turn) gone(pod *corev1.Pod) {
	t.running--
	t.terminating++
	if podutil.Ready(pod) {
		t.ready--
	}
}

func (t *turn) create(ctx context.Context, count int) error {
	if !t.limitsIndexes() {
		if wait := t.record.wait(t.clock.Now()); wait > 0 {
			t.checkAfter(wait)
			return nil
		}
	}
	var indexes []int
	if t.indexed() {
		indexes = t.pendingIndexes(count)
		if t.limitsIndexes() {
			indexes = t.dueIndexes(indexes)
		}
		count = len(indexes)
	}
	template := t.job.Spec.Template.DeepCopy()
	if t.indexed() {
		addIndexVariable(template.Spec.InitContainers)
		addIndexVariable(template.Spec.Containers)
	}
	if !slices.Contains(template.Finalizers, batchv1.JobTrackingFinalizer) {
		template.Finalizers = append(template.Finalizers, batchv1.JobTrackingFinalizer)
	}
	reference := *metav1.NewControllerRef(t.job, kind)
	created, err := podcontrol.CreateEach(count, func(i int) error {
		pod := podcontrol.NewPod(t.job, reference, template)
		if t.indexed() {
			t.nameByIndex(pod, indexes[i])
		}
		_, err := t.control.Create(ctx, t.job, pod)
		return err
	})
	t.running += int32(created)
	return err
}

// longestIndexedName leaves room for the random part of a name of 63 characters.
const longestIndexedName = 63 - 5

// nameByIndex makes a pod that of an index.
func (t *turn) nameByIndex(pod *corev1.Pod, index int) {
	suffix := "-" + strconv.Itoa(index) + "-"
	name := t.job.Name
	if len(name)+len(suffix) > longestIndexedName {
		name = name[:longestIndexedName-len(suffix)]
	}
	pod.GenerateName = name + suffix
	pod.Spec.Hostname = fmt.Sprintf("%s-%d", t.job.Name, index)
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[batchv1.JobCompletionIndexAnnotation] = strconv.Itoa(index)
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[batchv1.JobCompletionIndexAnnotation] = strconv.Itoa(index)
	if t.limitsIndexes() {
		t.noteFailures(pod, t.delayed[index])
	}
}

// noteFailures carries the failures of an index from the pod that failed to the
// one that takes its place.
func (t *turn) noteFailures(pod, failed *corev1.Pod) {
	counted, ignored := 0, 0
	if failed != nil {
		counted, ignored = failureCount(failed), ignoredCount(failed)
		if judge(t.job, failed).counts {
			counted++
		} else {
			ignored++
		}
	}
	pod.Annotations[batchv1.JobIndexFailureCountAnnotation] = strconv.Itoa(counted)
	if ignored > 0 {
		pod.Annotations[batchv1.JobIndexIgnoredFailureCountAnnotation] = strconv.Itoa(ignored)
	}
}

const indexVariable = "JOB_COMPLETION_INDEX"

func addIndexVariable(containers []corev1.Container) {
	for i := range containers {
		if slices.ContainsFunc(containers[i].Env, func(v corev1.EnvVar) bool { return v.Name == indexVariable }) {
			continue
		}
		containers[i].Env = append(containers[i].Env, corev1.EnvVar{
			Name: indexVariable,
			ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{
				FieldPath: fmt.Sprintf("metadata.labels['%s']", batchv1.JobCompletionIndexAnnotation),
			}},
		})
	}
}
