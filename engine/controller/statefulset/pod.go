package statefulset

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/client"
)

// notePod records what was done to a pod, or why it could not be.
func (t *turn) notePod(ctx context.Context, verb string, pod *corev1.Pod, err error) {
	title := strings.ToUpper(verb[:1]) + verb[1:]
	if err != nil {
		t.recorder.Event(ctx, t.set, corev1.EventTypeWarning, "Failed"+title,
			fmt.Sprintf("%s Pod %s in StatefulSet %s failed error: %s", verb, pod.Name, t.set.Name, err))
		return
	}
	t.recorder.Event(ctx, t.set, corev1.EventTypeNormal, "Successful"+title,
		fmt.Sprintf("%s Pod %s in StatefulSet %s successful", verb, pod.Name, t.set.Name))
}

func (t *turn) createPod(ctx context.Context, pod *corev1.Pod) error {
	if err := t.createClaims(ctx, pod); err != nil {
		t.notePod(ctx, "create", pod, err)
		return err
	}
	created, err := t.client.Create(ctx, podResource, pod.DeepCopy())
	if errors.IsAlreadyExists(err) {
		return err
	}
	if err == nil {
		t.expected.Wrote(t.set, created)
	}
	if claimErr := t.syncClaims(ctx, pod); claimErr != nil {
		return claimErr
	}
	t.notePod(ctx, "create", pod, err)
	return err
}

func (t *turn) delete(ctx context.Context, pod *corev1.Pod) error {
	err := t.client.Delete(ctx, podResource, pod.Namespace, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		err = nil
	}
	if err == nil {
		t.expected.Deleting(t.set, pod)
	}
	t.notePod(ctx, "delete", pod, err)
	return err
}

// restore gives a pod back what makes it a member of the set.
func (t *turn) restore(ctx context.Context, pod *corev1.Pod) error {
	if err := t.createClaims(ctx, pod); err != nil {
		t.notePod(ctx, "update", pod, err)
		return err
	}
	written, err := client.Modify(ctx, t.client, podResource, pod.Namespace, pod.Name, t.client.Update, func(fresh *corev1.Pod) bool {
		if fresh.UID != pod.UID || hasIdentity(t.set, fresh) && hasStorage(t.set, fresh) {
			return false
		}
		identify(fresh, ordinalOf(fresh))
		if !hasStorage(t.set, fresh) {
			fresh.Spec.Volumes = t.volumes(fresh.Spec.Volumes, ordinalOf(fresh))
		}
		return true
	})
	if err == nil {
		t.expected.Wrote(t.set, written)
	}
	t.notePod(ctx, "update", pod, err)
	return err
}
