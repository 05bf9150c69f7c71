package rest

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// optimisticLock is how Kubernetes words a conflict of resourceVersions
// (k8s.io/apiserver/pkg/registry/generic/registry.OptimisticLockErrorMsg).
var errOptimisticLock = errors.New("the object has been modified; please apply your changes to the latest version and try again")

// statusError words an error of the store as the API does.
func statusError(err error, k *kind.Kind, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return apierrors.NewNotFound(k.GroupResource(), name)
	case errors.Is(err, store.ErrExists):
		return apierrors.NewAlreadyExists(k.GroupResource(), name)
	case errors.Is(err, store.ErrConflict):
		return apierrors.NewConflict(k.GroupResource(), name, errOptimisticLock)
	case errors.Is(err, store.ErrCompacted):
		return apierrors.NewResourceExpired("The resourceVersion for the provided watch is too old.")
	case errors.Is(err, store.ErrFuture):
		return apierrors.NewTimeoutError("Too large resource version", 1)
	}
	return apierrors.NewInternalError(err)
}

// invalid is nil where there is nothing wrong.
func invalid(k *kind.Kind, name string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(k.GroupVersionKind.GroupKind(), name, errs)
}

// wrongUID words a precondition on another object of the same name, as
// k8s.io/apiserver/pkg/registry/rest and storage do.
func wrongUID(k *kind.Kind, name string, want, got types.UID) error {
	return apierrors.NewConflict(schema.GroupResource{Group: k.Group, Resource: k.Kind}, name,
		fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", want, got))
}

// wrongRevision words a precondition on another state of the object.
func wrongRevision(k *kind.Kind, name, want, got string) error {
	return apierrors.NewConflict(schema.GroupResource{Group: k.Group, Resource: k.Kind}, name,
		fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", want, got))
}
