package rest

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	case errors.Is(err, store.ErrFuture):
		return tooLarge(err)
	case errors.Is(err, store.ErrCompacted):
		return apierrors.NewResourceExpired("The resourceVersion for the provided list is too old.")
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

// tooLarge words a wish for a revision that has not happened yet
// (k8s.io/apiserver/pkg/storage.NewTooLargeResourceVersionError).
func tooLarge(err error) error {
	text := "Too large resource version"
	status := apierrors.NewTimeoutError(text, 1)
	if known := (*store.RevisionError)(nil); errors.As(err, &known) {
		status = apierrors.NewTimeoutError(fmt.Sprintf("%s: %d, current: %d", text, known.Wanted, known.Bound), 1)
	}
	status.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: text}}
	return status
}
