// Package volumeprotection has the two control loops that keep storage which is
// in use: a claim's finalizer goes only when no pod on a node uses it, a
// volume's only when no claim is bound to it. The loop of claims also notes in a
// condition since when a claim has been unused.
package volumeprotection

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/controller/internal/stamp"
	"tidepool.dev/tidepool/engine/internal/volumes"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// ClaimsName is the loop of claims in causes.
	ClaimsName = "pvc-protection-controller"

	claimFinalizer = "kubernetes.io/pvc-protection"
)

type claimLoop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
}

// NewClaims returns the control loop of claims.
func NewClaims(cache *cache.Cache, client client.Client, clock clock.Clock) controller.Controller {
	return controller.Controller{
		Name: ClaimsName,
		Watches: []controller.Watch{
			{Resource: volumes.ClaimResource, Map: controller.ForObject},
			{Resource: "pods", Map: claimsOf},
		},
		Reconciler: &claimLoop{cache, client, clock},
	}
}

// claimsOf requests the claims of a pod whose use of them may have changed.
func claimsOf(event store.Event) []controller.Request {
	pod := event.Object.(*corev1.Pod)
	if old, ok := event.Prev.(*corev1.Pod); ok && event.Type == store.Modified &&
		podutil.Terminal(old) == podutil.Terminal(pod) && old.Spec.NodeName == pod.Spec.NodeName {
		return nil
	}
	var requests []controller.Request
	for i := range pod.Spec.Volumes {
		if claim := volumes.ClaimOf(pod, &pod.Spec.Volumes[i]); claim != "" {
			requests = append(requests, controller.Request{Namespace: pod.Namespace, Name: claim})
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *claimLoop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	claim, ok := cache.Get[*corev1.PersistentVolumeClaim](l.cache, volumes.ClaimResource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	onNode, wanted := l.users(claim)
	var err error
	switch protected := slices.Contains(claim.Finalizers, claimFinalizer); {
	case claim.DeletionTimestamp == nil && claim.Status.Phase == corev1.ClaimBound && unused(claim) != conditionStatus(!wanted):
		err = l.note(ctx, claim, !wanted)
	case claim.DeletionTimestamp != nil && protected && !onNode:
		err = setFinalizers(ctx, l.client, volumes.ClaimResource, claim, without(claim.Finalizers, claimFinalizer))
	case claim.DeletionTimestamp == nil && !protected:
		err = setFinalizers(ctx, l.client, volumes.ClaimResource, claim, append(slices.Clone(claim.Finalizers), claimFinalizer))
	}
	return settle(err)
}

// users tells whether a pod that has a node uses the claim, and whether any pod
// that has not ended does.
func (l *claimLoop) users(claim *corev1.PersistentVolumeClaim) (onNode, wanted bool) {
	for _, pod := range cache.Find[*corev1.Pod](l.cache, "pods", cache.ByClaim, claim.Namespace+"/"+claim.Name) {
		onNode = onNode || pod.Spec.NodeName != ""
		wanted = wanted || !podutil.Terminal(pod)
	}
	return onNode, wanted
}

func conditionStatus(is bool) corev1.ConditionStatus {
	if is {
		return corev1.ConditionTrue
	}
	return corev1.ConditionFalse
}

// unused is the status of the claim's condition, empty if it has none.
func unused(claim *corev1.PersistentVolumeClaim) corev1.ConditionStatus {
	for _, c := range claim.Status.Conditions {
		if c.Type == corev1.PersistentVolumeClaimUnused {
			return c.Status
		}
	}
	return ""
}

func (l *claimLoop) note(ctx context.Context, claim *corev1.PersistentVolumeClaim, isUnused bool) error {
	condition := corev1.PersistentVolumeClaimCondition{
		Type: corev1.PersistentVolumeClaimUnused, Status: conditionStatus(isUnused), LastTransitionTime: stamp.Now(l.clock),
		Reason: "PodUsingPVC", Message: "A pod is currently referencing this PVC",
	}
	if isUnused {
		condition.Reason, condition.Message = "NoPodsUsingPVC", "No pods are currently referencing this PVC"
	}
	next := claim.DeepCopy()
	next.Status.Conditions = slices.DeleteFunc(next.Status.Conditions, func(c corev1.PersistentVolumeClaimCondition) bool { return c.Type == condition.Type })
	next.Status.Conditions = append(next.Status.Conditions, condition)
	_, err := l.client.UpdateStatus(ctx, volumes.ClaimResource, next)
	return err
}

func without(finalizers []string, gone string) []string {
	return slices.DeleteFunc(slices.Clone(finalizers), func(f string) bool { return f == gone })
}

func setFinalizers(ctx context.Context, c client.Client, resource string, obj store.Object, finalizers []string) error {
	next := obj.DeepCopyObject().(store.Object)
	next.SetFinalizers(finalizers)
	_, err := c.Update(ctx, resource, next)
	return err
}

// settle lets another turn follow where somebody else was faster: their change
// requests it.
func settle(err error) (controller.Result, error) {
	if errors.IsConflict(err) || errors.IsNotFound(err) {
		err = nil
	}
	return controller.Result{}, err
}
