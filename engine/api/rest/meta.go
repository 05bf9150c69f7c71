package rest

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/names"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// setKind tells an object of the store its kind.
func setKind(k *kind.Kind, obj store.Object) {
	obj.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
}

func validateNewMeta(k *kind.Kind, obj store.Object) field.ErrorList {
	if surelyValid(k, metadataOf(obj)) {
		return nil
	}
	validateName := k.ValidateName
	if validateName == nil {
		validateName = apivalidation.NameIsDNSSubdomain
	}
	errs := apivalidation.ValidateObjectMetaAccessor(obj, k.Namespaced, validateName, metaPath)
	return append(errs, validateFinalizers(obj)...)
}

var metaPath = field.NewPath("metadata")

func validateFinalizers(obj store.Object) field.ErrorList {
	if _, custom := obj.(runtime.Unstructured); custom || obj.GetObjectKind().GroupVersionKind().Group == apiextensionsv1.GroupName {
		return nil
	}
	var errs field.ErrorList
	for i, name := range obj.GetFinalizers() {
		errs = append(errs, validation.StandardFinalizer(metaPath.Child("finalizers").Index(i), name)...)
	}
	return errs
}

func validateMetaUpdate(obj, old store.Object) field.ErrorList {
	if surelyValidUpdate(metadataOf(obj), metadataOf(old)) {
		return nil
	}
	errs := apivalidation.ValidateObjectMetaAccessorUpdate(obj, old, metaPath)
	return append(errs, validateFinalizers(obj)...)
}

// prepareNewMeta drops what only the server may set, and sets it.
func (o *Operations) prepareNewMeta(obj store.Object) {
	obj.SetDeletionTimestamp(nil)
	obj.SetDeletionGracePeriodSeconds(nil)
	obj.SetSelfLink("")
	obj.SetGeneration(0)
	obj.SetCreationTimestamp(o.now())
	obj.SetUID(names.UID(o.random))
}

// prepareMetaUpdate keeps what only the server may change.
func prepareMetaUpdate(obj, old store.Object) {
	obj.SetGeneration(old.GetGeneration())
	obj.SetSelfLink("")
	if obj.GetUID() == "" {
		obj.SetUID(old.GetUID())
	}
	if created := obj.GetCreationTimestamp(); created.IsZero() {
		obj.SetCreationTimestamp(old.GetCreationTimestamp())
	}
	if old.GetDeletionTimestamp() != nil && obj.GetDeletionTimestamp() == nil {
		obj.SetDeletionTimestamp(old.GetDeletionTimestamp())
	}
	if old.GetDeletionGracePeriodSeconds() != nil && obj.GetDeletionGracePeriodSeconds() == nil {
		obj.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	}
}
