package kinds

import (
	"time"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func storageVersionMigration() *kind.Kind {
	type migration = storagemigrationv1.StorageVersionMigration
	return &kind.Kind{
		GroupVersionKind: storagemigrationv1.SchemeGroupVersion.WithKind("StorageVersionMigration"),
		Plural:           "storageversionmigrations",
		Singular:         "storageversionmigration",
		New:              func() store.Object { return &migration{} },
		NewList:          func() runtime.Object { return &storagemigrationv1.StorageVersionMigrationList{} },
		PrepareForCreate: on(func(m *migration) { m.Status = storagemigrationv1.StorageVersionMigrationStatus{} }),
		PrepareForUpdate: onUpdate(func(m, old *migration) { m.Status = old.Status }),
		PrepareForStatusUpdate: onUpdate(func(m, old *migration) {
			m.Spec = old.Spec
			metav1.ResetObjectMetaForStatus(&m.ObjectMeta, &old.ObjectMeta)
		}),
		Resets: map[string][][]string{
			"":       {{"status"}},
			"status": {{"metadata"}, {"spec"}},
		},
		Validate:             validate(validation.StorageVersionMigration),
		ValidateUpdate:       validateUpdate(validation.StorageVersionMigrationUpdate),
		ValidateStatusUpdate: validateUpdate(validation.StorageVersionMigrationStatusUpdate),
		Columns: []metav1.TableColumnDefinition{
			textColumn("Name", nameDescription),
			textColumn("Resource", "GroupResource to migrate"),
			textColumn("Status", "Status of the migration"),
		},
		Row: row(func(m *migration, _ time.Time) []any {
			status := "Unknown"
			for _, c := range m.Status.Conditions {
				if c.Status != metav1.ConditionTrue {
					continue
				}
				switch storagemigrationv1.MigrationConditionType(c.Type) {
				case storagemigrationv1.MigrationRunning, storagemigrationv1.MigrationFailed, storagemigrationv1.MigrationSucceeded:
					status = c.Type
				}
			}
			return []any{m.Name, m.Spec.Resource.String(), status}
		}),
	}
}
