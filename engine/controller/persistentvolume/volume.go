package persistentvolume

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/internal/volumes"
)

// syncVolume keeps a volume's phase, and reclaims it when its claim is gone.
func (l *loop) syncVolume(ctx context.Context, volume *corev1.PersistentVolume) error {
	ref := volume.Spec.ClaimRef
	if ref == nil || ref.UID == "" { // free, or kept for a claim that has yet to take it
		_, err := l.setVolume(ctx, volume, corev1.VolumeAvailable, "")
		return err
	}
	claim, err := l.claimOf(ctx, volume)
	switch {
	case err != nil:
		return err
	case claim == nil:
		return l.release(ctx, volume)
	case claim.Spec.VolumeName == "":
		if !volumes.SameMode(claim, volume) {
			l.recorder.Event(ctx, volume, corev1.EventTypeWarning, "VolumeMismatch",
				fmt.Sprintf("Cannot bind PersistentVolume to requested PersistentVolumeClaim %q due to incompatible volumeMode.", claim.Name))
			l.recorder.Event(ctx, claim, corev1.EventTypeWarning, "VolumeMismatch",
				fmt.Sprintf("Cannot bind PersistentVolume %q to requested PersistentVolumeClaim due to incompatible volumeMode.", volume.Name))
		}
		return nil // the claim's turn, which its volume's change has requested too, binds them
	case claim.Spec.VolumeName == volume.Name:
		_, err := l.setVolume(ctx, volume, corev1.VolumeBound, "")
		return err
	}
	if _, provisioned := volume.Annotations[volumes.ProvisionedBy]; provisioned && volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete {
		return l.release(ctx, volume) // it was made for the claim, which has another
	}
	return l.unbind(ctx, volume)
}

// claimOf is the claim that a volume is bound to, nil if that is gone. A
// volume's data is at stake, so the newest state counts.
func (l *loop) claimOf(ctx context.Context, volume *corev1.PersistentVolume) (*corev1.PersistentVolumeClaim, error) {
	ref := volume.Spec.ClaimRef
	claim, ok := cache.Get[*corev1.PersistentVolumeClaim](l.cache, volumes.ClaimResource, ref.Namespace, ref.Name)
	if ok && claim.UID == ref.UID {
		return claim, nil
	}
	newest, err := l.client.Get(ctx, volumes.ClaimResource, ref.Namespace, ref.Name)
	if errors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if claim = newest.(*corev1.PersistentVolumeClaim); claim.UID != ref.UID {
		return nil, nil
	}
	return claim, nil
}

// release marks a volume whose claim is gone, and does with it what its policy
// says.
func (l *loop) release(ctx context.Context, volume *corev1.PersistentVolume) error {
	if phase := volume.Status.Phase; phase != corev1.VolumeReleased && phase != corev1.VolumeFailed {
		var err error
		if volume, err = l.setVolume(ctx, volume, corev1.VolumeReleased, ""); err != nil {
			return err
		}
	}
	switch volume.Spec.PersistentVolumeReclaimPolicy {
	case corev1.PersistentVolumeReclaimRetain:
		return nil
	case corev1.PersistentVolumeReclaimRecycle:
		return l.recycle(ctx, volume)
	case corev1.PersistentVolumeReclaimDelete:
		return l.delete(ctx, volume)
	}
	return l.failed(ctx, volume, "VolumeUnknownReclaimPolicy", "Volume has unrecognized PersistentVolumeReclaimPolicy")
}

func (l *loop) failed(ctx context.Context, volume *corev1.PersistentVolume, reason, message string) error {
	if volume.Status.Phase == corev1.VolumeFailed {
		return nil
	}
	written, err := l.setVolume(ctx, volume, corev1.VolumeFailed, message)
	if err == nil {
		l.recorder.Event(ctx, written, corev1.EventTypeWarning, reason, message)
	}
	return err
}

// recycle makes a volume available again. Upstream runs a pod that empties the
// directory, which here nothing has ever filled.
func (l *loop) recycle(ctx context.Context, volume *corev1.PersistentVolume) error {
	if volume.Spec.HostPath == nil && volume.Spec.NFS == nil {
		return l.failed(ctx, volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!")
	}
	l.recorder.Event(ctx, volume, corev1.EventTypeNormal, "VolumeRecycled", "Volume recycled")
	return l.unbind(ctx, volume)
}

// temporary is what kube-controller-manager deletes of its own machine, which
// it does for tests.
var temporary = regexp.MustCompile("/tmp/.+")

// delete deletes a volume, as far as that is not for an external provisioner
// to do.
func (l *loop) delete(ctx context.Context, volume *corev1.PersistentVolume) error {
	provisioner := volume.Annotations[volumes.ProvisionedBy]
	source := volume.Spec.PersistentVolumeSource
	switch {
	case provisioner != "" && !strings.HasPrefix(provisioner, "kubernetes.io/"), source.CSI != nil:
		return nil
	case provisioner != "":
		return l.failed(ctx, volume, "VolumeFailedDelete", "no volume plugin matched name: "+provisioner)
	case source.HostPath == nil:
		return l.failed(ctx, volume, "VolumeFailedDelete",
			fmt.Sprintf("error getting deleter volume plugin for volume %q: no deletable volume plugin matched", volume.Name))
	case !temporary.MatchString(source.HostPath.Path):
		return l.failed(ctx, volume, "VolumeFailedDelete",
			"host_path deleter only supports /tmp/.+ but received provided "+source.HostPath.Path)
	}
	return l.client.Delete(ctx, volumes.Resource, "", volume.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &volume.UID}})
}
