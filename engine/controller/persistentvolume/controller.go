// Package persistentvolume is the control loop that brings claims and volumes
// together: it binds each PersistentVolumeClaim to a PersistentVolume that suits
// it, asks a provisioner to make one where the claim's class has a provisioner,
// notices when one side of a bound pair is gone, and reclaims the volumes of
// claims that are.
//
// What it does not do: make storage. Volumes are made by people or by
// provisioners (see engine/sim), as with Kubernetes' external ones.
package persistentvolume

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/internal/volumes"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the loop's service account.
	Name = "persistent-volume-binder"
	// Component is its name in events.
	Component = "persistentvolume-controller"

	// resync is how often claims without a volume are looked at again
	// (kube-controller-manager --pvclaimbinder-sync-period).
	resync = 15 * time.Second
	// soon is when to look again after another writer was faster.
	soon = 10 * time.Millisecond
)

// A request names a claim, or, without a namespace, a volume.
type loop struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder
}

// New returns the control loop; recorder writes as Component.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder, _ clock.Clock) controller.Controller {
	l := &loop{cache: cache, client: client, recorder: recorder}
	return controller.Controller{
		Name: Component,
		Watches: []controller.Watch{
			{Resource: volumes.ClaimResource, Map: forClaim},
			{Resource: volumes.Resource, Map: forVolume},
		},
		Reconciler: l,
	}
}

func forClaim(event store.Event) []controller.Request {
	requests := controller.ForObject(event)
	claim := event.Object.(*corev1.PersistentVolumeClaim)
	if event.Type == store.Deleted && claim.Spec.VolumeName != "" {
		requests = append(requests, controller.Request{Name: claim.Spec.VolumeName})
	}
	return requests
}

func forVolume(event store.Event) []controller.Request {
	requests := controller.ForObject(event)
	if ref := event.Object.(*corev1.PersistentVolume).Spec.ClaimRef; ref != nil {
		requests = append(requests, controller.Request{Namespace: ref.Namespace, Name: ref.Name})
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	var result controller.Result
	var err error
	if request.Namespace == "" {
		if volume, ok := cache.Get[*corev1.PersistentVolume](l.cache, volumes.Resource, "", request.Name); ok {
			err = l.syncVolume(ctx, volume)
		}
	} else if claim, ok := cache.Get[*corev1.PersistentVolumeClaim](l.cache, volumes.ClaimResource, request.Namespace, request.Name); ok {
		result, err = l.syncClaim(ctx, claim)
	}
	if errors.IsConflict(err) || errors.IsNotFound(err) {
		return controller.Result{RequeueAfter: soon}, nil
	}
	return result, err
}

func (l *loop) syncClaim(ctx context.Context, claim *corev1.PersistentVolumeClaim) (controller.Result, error) {
	if _, completed := claim.Annotations[volumes.BindCompleted]; completed {
		return controller.Result{}, l.syncBound(ctx, claim)
	}
	var err error
	if claim.Spec.VolumeName == "" {
		err = l.findVolume(ctx, claim)
	} else {
		err = l.useVolume(ctx, claim)
	}
	return controller.Result{RequeueAfter: resync}, err
}

// findVolume looks for a volume on behalf of a claim that takes any.
func (l *loop) findVolume(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	class, found := cache.Get[*storagev1.StorageClass](l.cache, volumes.ClassResource, "", volumes.Class(claim))
	waits := found && volumes.Waits(class)
	all := cache.List[*corev1.PersistentVolume](l.cache, volumes.Resource, "")
	if volume := volumes.Best(claim, all, nil, waits, nil); volume != nil {
		return l.bind(ctx, volume, claim)
	}
	if !volumes.HasClass(claim) {
		if class := volumes.Default(cache.List[*storagev1.StorageClass](l.cache, volumes.ClassResource, "")); class != nil {
			next := claim.DeepCopy()
			next.Spec.StorageClassName = &class.Name
			_, err := l.client.Update(ctx, volumes.ClaimResource, next)
			return err
		}
	}
	switch _, selected := claim.Annotations[volumes.SelectedNode]; {
	case waits && !selected:
		l.sayWhatItWaitsFor(ctx, claim)
	case volumes.Class(claim) != "":
		return l.provision(ctx, claim, class, found)
	default:
		l.recorder.Event(ctx, claim, corev1.EventTypeNormal, "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
	}
	_, err := l.setClaim(ctx, claim, corev1.ClaimPending, nil)
	return err
}

// useVolume binds a claim to the volume that it names, once that is there and
// free.
func (l *loop) useVolume(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	volume, found := cache.Get[*corev1.PersistentVolume](l.cache, volumes.Resource, "", claim.Spec.VolumeName)
	switch {
	case !found:
	case volume.Spec.ClaimRef == nil:
		problem := mismatch(volume, claim)
		if problem == "" {
			return l.bind(ctx, volume, claim)
		}
		l.recorder.Event(ctx, claim, corev1.EventTypeWarning, "VolumeMismatch", "Cannot bind to requested volume \""+volume.Name+"\": "+problem)
	case volumes.Reserved(volume, claim):
		return l.bind(ctx, volume, claim)
	default:
		l.recorder.Event(ctx, claim, corev1.EventTypeWarning, "FailedBinding", "volume \""+volume.Name+"\" already bound to a different claim.")
	}
	_, err := l.setClaim(ctx, claim, corev1.ClaimPending, nil)
	return err
}

// mismatch says why a claim can't use the volume that it names.
func mismatch(volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) string {
	size, wanted := volume.Spec.Capacity[corev1.ResourceStorage], claim.Spec.Resources.Requests[corev1.ResourceStorage]
	switch {
	case volume.DeletionTimestamp != nil:
		return "the volume is marked for deletion \"" + volume.Name + "\""
	case size.Cmp(wanted) < 0:
		return "requested PV is too small"
	case volumes.ClassOf(volume) != volumes.Class(claim):
		return "storageClassName does not match"
	case volumes.AttributesClass(volume.Spec.VolumeAttributesClassName) != volumes.AttributesClass(claim.Spec.VolumeAttributesClassName):
		return "volumeAttributesClassName does not match"
	case !volumes.SameMode(claim, volume):
		return "incompatible volumeMode"
	case !volumes.Offers(volume, claim):
		return "incompatible accessMode"
	}
	return ""
}

// syncBound looks whether a bound claim still has its volume.
func (l *loop) syncBound(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if claim.Spec.VolumeName == "" {
		return l.lost(ctx, claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
	}
	volume, found := cache.Get[*corev1.PersistentVolume](l.cache, volumes.Resource, "", claim.Spec.VolumeName)
	switch {
	case !found:
		return l.lost(ctx, claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
	case volume.Spec.ClaimRef == nil || volume.Spec.ClaimRef.UID == claim.UID:
		return l.bind(ctx, volume, claim)
	}
	return l.lost(ctx, claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
}

func (l *loop) lost(ctx context.Context, claim *corev1.PersistentVolumeClaim, reason, message string) error {
	if claim.Status.Phase == corev1.ClaimLost {
		return nil
	}
	written, err := l.setClaim(ctx, claim, corev1.ClaimLost, nil)
	if err == nil {
		l.recorder.Event(ctx, written, corev1.EventTypeWarning, reason, message)
	}
	return err
}
