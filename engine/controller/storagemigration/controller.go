// Package storagemigration is the control loop of StorageVersionMigrations: it
// writes all objects of a resource again, so that none is stored in a form from
// before its CustomResourceDefinition named another as that of storage
// (k8s.io/kubernetes/pkg/controller/storageversionmigrator upstream).
package storagemigration

import (
	"context"
	"fmt"
	"strconv"
	"time"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "storage-version-migrator-controller"

	resource = "storageversionmigrations.storagemigration.k8s.io"
	// patience is how long a resource that is not served may take to be.
	patience = time.Minute
)

type loop struct {
	cache  *cache.Cache
	client client.Client
	clock  clock.Clock
	// served reports whether there is a resource.
	served func(resource string) bool
}

// New returns the control loop.
func New(cache *cache.Cache, client client.Client, clock clock.Clock, served func(resource string) bool) controller.Controller {
	return controller.Controller{
		Name:       Name,
		Watches:    []controller.Watch{{Resource: resource, Map: controller.ForObject}},
		Reconciler: &loop{cache, client, clock, served},
	}
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	m, ok := cache.Get[*storagemigrationv1.StorageVersionMigration](l.cache, resource, "", request.Name)
	if !ok || is(m, storagemigrationv1.MigrationSucceeded) || is(m, storagemigrationv1.MigrationFailed) {
		return controller.Result{}, nil
	}
	of := m.Spec.Resource.Resource
	if m.Spec.Resource.Group != "" {
		of += "." + m.Spec.Resource.Group
	}
	next := m.DeepCopy()
	if !l.served(of) {
		if waited := l.clock.Now().Sub(m.CreationTimestamp.Time); waited < patience {
			return controller.Result{RequeueAfter: patience - waited}, nil
		}
		l.set(next, storagemigrationv1.MigrationFailed, metav1.ConditionTrue, "StorageVersionMigrationFailed", "migration encountered unhandled error: unable to obtain GVR from discovery")
		return l.write(ctx, next)
	}
	if m.Status.ResourceVersion == "" { // what is written from now on is new already
		next.Status.ResourceVersion = strconv.FormatInt(l.cache.Revision(), 10)
		l.set(next, storagemigrationv1.MigrationRunning, metav1.ConditionTrue, runningReason, "The migration is running")
		return l.write(ctx, next)
	}
	written, err := l.migrate(ctx, of)
	if err != nil {
		return controller.Result{}, err
	}
	message := "The migration is running"
	if written > 0 {
		message += fmt.Sprintf(", %d objects verified migrated", written)
	}
	l.set(next, storagemigrationv1.MigrationRunning, metav1.ConditionTrue, runningReason, message)
	l.set(next, storagemigrationv1.MigrationSucceeded, metav1.ConditionTrue, "StorageVersionMigrationSucceeded", "Migration completed")
	return l.write(ctx, next)
}

const runningReason = "MigrationRunning"

// migrate writes every object as it is; the API stores it in today's form.
func (l *loop) migrate(ctx context.Context, of string) (count int, err error) {
	for _, obj := range cache.List[store.Object](l.cache, of, "") {
		_, err := l.client.Update(ctx, of, obj.DeepCopyObject().(store.Object))
		if err != nil && !errors.IsNotFound(err) && !errors.IsConflict(err) { // somebody else has just written it
			return count, err
		}
		count++
	}
	return count, nil
}

func is(m *storagemigrationv1.StorageVersionMigration, condition storagemigrationv1.MigrationConditionType) bool {
	return meta.IsStatusConditionTrue(m.Status.Conditions, string(condition))
}

func (l *loop) set(m *storagemigrationv1.StorageVersionMigration, condition storagemigrationv1.MigrationConditionType, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&m.Status.Conditions, metav1.Condition{
		Type: string(condition), Status: status, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(l.clock.Now().Truncate(time.Second)),
	})
}

func (l *loop) write(ctx context.Context, m *storagemigrationv1.StorageVersionMigration) (controller.Result, error) {
	_, err := l.client.UpdateStatus(ctx, resource, m)
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		err = nil // that change leads to another turn
	}
	return controller.Result{}, err
}
