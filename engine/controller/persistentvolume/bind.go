package persistentvolume

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/internal/volumes"
)

// bind makes volume and claim point at each other, the volume first: nobody
// else can take it then. What is as it should be is not written.
func (l *loop) bind(ctx context.Context, volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) error {
	if bound, changed := volumes.Reserve(volume, claim); changed {
		written, err := l.client.Update(ctx, volumes.Resource, bound)
		if err != nil {
			return err
		}
		volume = written.(*corev1.PersistentVolume)
	}
	volume, err := l.setVolume(ctx, volume, corev1.VolumeBound, "")
	if err != nil {
		return err
	}
	if claim, err = l.point(ctx, claim, volume); err != nil {
		return err
	}
	_, err = l.setClaim(ctx, claim, corev1.ClaimBound, volume)
	return err
}

// point makes a claim name its volume.
func (l *loop) point(ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) (*corev1.PersistentVolumeClaim, error) {
	next := claim.DeepCopy()
	changed := false
	annotate := func(key string) {
		if _, has := next.Annotations[key]; !has {
			metav1.SetMetaDataAnnotation(&next.ObjectMeta, key, "yes")
			changed = true
		}
	}
	if claim.Spec.VolumeName != volume.Name {
		if claim.Spec.VolumeName == "" {
			annotate(volumes.BoundByController)
		}
		next.Spec.VolumeName = volume.Name
		changed = true
	}
	annotate(volumes.BindCompleted)
	if !changed {
		return claim, nil
	}
	written, err := l.client.Update(ctx, volumes.ClaimResource, next)
	if err != nil {
		return nil, err
	}
	return written.(*corev1.PersistentVolumeClaim), nil
}

// setClaim writes a claim's phase, with what its volume, if any, gives it.
func (l *loop) setClaim(ctx context.Context, claim *corev1.PersistentVolumeClaim, phase corev1.PersistentVolumeClaimPhase, volume *corev1.PersistentVolume) (*corev1.PersistentVolumeClaim, error) {
	next := claim.DeepCopy()
	status := &next.Status
	changed := status.Phase != phase
	switch {
	case volume == nil:
		changed = changed || status.AccessModes != nil || status.Capacity != nil || status.CurrentVolumeAttributesClassName != nil
		status.AccessModes, status.Capacity, status.CurrentVolumeAttributesClassName = nil, nil, nil
	default:
		if !slices.Equal(status.AccessModes, volume.Spec.AccessModes) {
			status.AccessModes, changed = volume.Spec.AccessModes, true
		}
		if claim.Status.Phase != phase {
			status.Capacity = volume.Spec.Capacity
		}
		if claim.Status.Phase == corev1.ClaimPending && phase == corev1.ClaimBound {
			status.CurrentVolumeAttributesClassName = volume.Spec.VolumeAttributesClassName
		}
	}
	status.Phase = phase
	if !changed {
		return claim, nil
	}
	written, err := l.client.UpdateStatus(ctx, volumes.ClaimResource, next)
	if err != nil {
		return nil, err
	}
	return written.(*corev1.PersistentVolumeClaim), nil
}

// setVolume writes a volume's phase.
func (l *loop) setVolume(ctx context.Context, volume *corev1.PersistentVolume, phase corev1.PersistentVolumePhase, message string) (*corev1.PersistentVolume, error) {
	if volume.Status.Phase == phase {
		return volume, nil
	}
	next := volume.DeepCopy()
	next.Status.Phase, next.Status.Message = phase, message
	written, err := l.client.UpdateStatus(ctx, volumes.Resource, next)
	if err != nil {
		return nil, err
	}
	return written.(*corev1.PersistentVolume), nil
}

// unbind takes a volume back from a claim that has another one. A volume that a
// person has kept for the claim stays so.
func (l *loop) unbind(ctx context.Context, volume *corev1.PersistentVolume) error {
	next := volume.DeepCopy()
	if _, ours := next.Annotations[volumes.BoundByController]; ours {
		next.Spec.ClaimRef = nil
		delete(next.Annotations, volumes.BoundByController)
	} else {
		next.Spec.ClaimRef.UID = ""
	}
	written, err := l.client.Update(ctx, volumes.Resource, next)
	if err != nil {
		return err
	}
	_, err = l.setVolume(ctx, written.(*corev1.PersistentVolume), corev1.VolumeAvailable, "")
	return err
}
