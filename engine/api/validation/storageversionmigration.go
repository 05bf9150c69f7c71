package validation

import (
	"strings"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// StorageVersionMigration checks a new migration
// (k8s.io/kubernetes/pkg/apis/storagemigration/validation upstream).
func StorageVersionMigration(m *storagemigrationv1.StorageVersionMigration) (errs field.ErrorList) {
	path := field.NewPath("spec", "resource")
	if m.Spec.Resource.Resource == "" {
		errs = append(errs, field.Required(path.Child("resource"), "resource is required to be set"))
	} else if messages := validation.IsDNS1035Label(m.Spec.Resource.Resource); len(messages) > 0 {
		errs = append(errs, field.Invalid(path.Child("resource"), m.Spec.Resource.Resource, strings.Join(messages, ",")))
	}
	if messages := dnsSubdomain(m.Spec.Resource.Group); m.Spec.Resource.Group != "" && len(messages) > 0 {
		errs = append(errs, field.Invalid(path.Child("group"), m.Spec.Resource.Group, strings.Join(messages, ",")))
	}
	return errs
}

// StorageVersionMigrationUpdate checks a migration that replaces another.
func StorageVersionMigrationUpdate(m, old *storagemigrationv1.StorageVersionMigration) field.ErrorList {
	return append(StorageVersionMigration(m), immutable(field.NewPath("spec"), m.Spec, old.Spec)...)
}

// StorageVersionMigrationStatusUpdate checks the status alone: what has
// succeeded or failed stays so.
func StorageVersionMigrationStatusUpdate(m, old *storagemigrationv1.StorageVersionMigration) (errs field.ErrorList) {
	path := field.NewPath("status")
	version := path.Child("resourceVersion")
	if m.Status.ResourceVersion != "" {
		if _, err := resourceversion.CompareResourceVersion(m.Status.ResourceVersion, m.Status.ResourceVersion); err != nil {
			errs = append(errs, field.Invalid(version, m.Status.ResourceVersion, err.Error()))
		}
	}
	conditions := path.Child("conditions")
	errs = append(errs, metav1validation.ValidateConditions(m.Status.Conditions, conditions)...)
	if old.Status.ResourceVersion != "" && old.Status.ResourceVersion != m.Status.ResourceVersion {
		errs = append(errs, field.Invalid(version, m.Status.ResourceVersion, "field is immutable"))
	}
	is := func(of *storagemigrationv1.StorageVersionMigration, condition storagemigrationv1.MigrationConditionType) bool {
		return meta.IsStatusConditionTrue(of.Status.Conditions, string(condition))
	}
	succeeded, failed := storagemigrationv1.MigrationSucceeded, storagemigrationv1.MigrationFailed
	if is(m, succeeded) && is(m, failed) {
		errs = append(errs, field.Invalid(conditions, m.Status.Conditions, "Both success and failed conditions cannot be true at the same time"))
	}
	if is(old, succeeded) && !is(m, succeeded) {
		errs = append(errs, field.Invalid(conditions, m.Status.Conditions, "Success condition cannot be set to false once it is true"))
	}
	if is(old, failed) && !is(m, failed) {
		errs = append(errs, field.Invalid(conditions, m.Status.Conditions, "Failed condition cannot be set to false once it is true"))
	}
	return errs
}
