package storagemigration_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/storagemigration"
)

func build(c *controllertest.Cluster) []controller.Controller {
	served := func(resource string) bool { _, ok := c.Operations.Kind(resource); return ok }
	return []controller.Controller{storagemigration.New(c.Cache, c.ClientOf(storagemigration.Name), c.Clock, served)}
}

func migrate(c *controllertest.Cluster, resource string) func(storagemigrationv1.MigrationConditionType) bool {
	controllertest.Create(c, &storagemigrationv1.StorageVersionMigration{
		ObjectMeta: metav1.ObjectMeta{Name: "x"},
		Spec:       storagemigrationv1.StorageVersionMigrationSpec{Resource: metav1.GroupResource{Resource: resource}},
	})
	return func(condition storagemigrationv1.MigrationConditionType) bool {
		obj, err := c.Client.Get(c.Context(), "storageversionmigrations.storagemigration.k8s.io", "", "x")
		return err == nil && meta.IsStatusConditionTrue(obj.(*storagemigrationv1.StorageVersionMigration).Status.Conditions, string(condition))
	}
}

func TestMigration(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a"}})
		is := migrate(c, "configmaps")
		c.Until("migrated", func() bool { return is(storagemigrationv1.MigrationSucceeded) })
	})
}

// TestUnknown: what is not served within a minute fails.
func TestUnknown(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		is := migrate(c, "unicorns")
		c.Pass(30 * time.Second)
		if is(storagemigrationv1.MigrationFailed) {
			t.Error("it has failed at once")
		}
		c.Pass(time.Minute)
		c.Until("failed", func() bool { return is(storagemigrationv1.MigrationFailed) })
	})
}
