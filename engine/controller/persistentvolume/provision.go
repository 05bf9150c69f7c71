package persistentvolume

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/internal/volumes"
)

// provision asks the provisioner of a claim's class for a volume.
func (l *loop) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, found bool) error {
	fail := func(message string) {
		l.recorder.Event(ctx, claim, corev1.EventTypeWarning, "ProvisioningFailed", message)
	}
	switch {
	case !found:
		fail(fmt.Sprintf("storageclass.storage.k8s.io %q not found", volumes.Class(claim)))
		return nil
	case strings.HasPrefix(class.Provisioner, "kubernetes.io/"):
		fail("no volume plugin matched name: " + class.Provisioner)
		return nil
	}
	if claim.Annotations[volumes.Provisioner] != class.Provisioner {
		next := claim.DeepCopy()
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, volumes.BetaProvisioner, class.Provisioner)
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, volumes.Provisioner, class.Provisioner)
		written, err := l.client.Update(ctx, volumes.ClaimResource, next)
		if err != nil {
			return err
		}
		claim = written.(*corev1.PersistentVolumeClaim)
	}
	l.recorder.Event(ctx, claim, corev1.EventTypeNormal, "ExternalProvisioning", fmt.Sprintf(
		"Waiting for a volume to be created either by the external provisioner '%s' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
		class.Provisioner))
	return nil
}

// sayWhatItWaitsFor tells why a claim that waits for its first consumer is not
// bound.
func (l *loop) sayWhatItWaitsFor(ctx context.Context, claim *corev1.PersistentVolumeClaim) {
	var names []string
	for _, pod := range cache.Find[*corev1.Pod](l.cache, "pods", cache.ByClaim, claim.Namespace+"/"+claim.Name) {
		if pod.Spec.NodeName == "" && !podutil.Terminal(pod) {
			names = append(names, pod.Name)
		}
	}
	reason, message := "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
	switch len(names) {
	case 0:
	case 1:
		reason, message = "WaitForPodScheduled", "waiting for pod "+names[0]+" to be scheduled"
	default:
		reason, message = "WaitForPodScheduled", "waiting for pods "+strings.Join(names, ",")+" to be scheduled"
	}
	l.recorder.Event(ctx, claim, corev1.EventTypeNormal, reason, message)
}
