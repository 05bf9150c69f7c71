package kinds

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func lease() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:    coordinationv1.SchemeGroupVersion.WithKind("Lease"),
		Plural:              "leases",
		Singular:            "lease",
		Namespaced:          true,
		New:                 func() store.Object { return &coordinationv1.Lease{} },
		NewList:             func() runtime.Object { return &coordinationv1.LeaseList{} },
		PrepareForCreate:    on(func(l *coordinationv1.Lease) { dropCoordination(l, nil) }),
		PrepareForUpdate:    onUpdate(dropCoordination),
		Validate:            validate(validation.Lease),
		ValidateUpdate:      validateUpdate(func(l, _ *coordinationv1.Lease) field.ErrorList { return validation.Lease(l) }),
		AllowCreateOnUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Holder", "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field."),
			ageColumn(),
		},
		Row: row(func(l *coordinationv1.Lease, now time.Time) []any {
			holder := ""
			if l.Spec.HolderIdentity != nil {
				holder = *l.Spec.HolderIdentity
			}
			return []any{l.Name, holder, age(l.CreationTimestamp, now)}
		}),
	}
}

// dropCoordination drops the fields of coordinated leader election, which
// Kubernetes has switched off by default.
func dropCoordination(l, old *coordinationv1.Lease) {
	if old == nil || old.Spec.Strategy == nil {
		l.Spec.Strategy = nil
	}
	if old == nil || old.Spec.PreferredHolder == nil {
		l.Spec.PreferredHolder = nil
	}
}
