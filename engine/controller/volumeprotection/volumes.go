package volumeprotection

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/internal/volumes"
)

const (
	// VolumesName is the loop of volumes in causes.
	VolumesName = "pv-protection-controller"

	volumeFinalizer = "kubernetes.io/pv-protection"
)

type volumeLoop struct {
	cache  *cache.Cache
	client client.Client
}

// NewVolumes returns the control loop of volumes.
func NewVolumes(cache *cache.Cache, client client.Client) controller.Controller {
	return controller.Controller{
		Name:       VolumesName,
		Watches:    []controller.Watch{{Resource: volumes.Resource, Map: controller.ForObject}},
		Reconciler: &volumeLoop{cache, client},
	}
}

// Reconcile implements controller.Reconciler.
func (l *volumeLoop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	volume, ok := cache.Get[*corev1.PersistentVolume](l.cache, volumes.Resource, "", request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	var err error
	switch protected := slices.Contains(volume.Finalizers, volumeFinalizer); {
	case volume.DeletionTimestamp != nil && protected && volume.Status.Phase != corev1.VolumeBound:
		err = setFinalizers(ctx, l.client, volumes.Resource, volume, without(volume.Finalizers, volumeFinalizer))
	case volume.DeletionTimestamp == nil && !protected:
		err = setFinalizers(ctx, l.client, volumes.Resource, volume, append(slices.Clone(volume.Finalizers), volumeFinalizer))
	}
	return settle(err)
}
