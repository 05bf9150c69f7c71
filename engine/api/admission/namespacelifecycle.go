package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// immortal namespaces may not be deleted.
var immortal = []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic}

// namespaceLifecycle refuses new objects in namespaces that do not exist or are
// being deleted, and the end of those that a cluster needs.
func namespaceLifecycle(look lookup) Plugin {
	return Plugin{Name: "NamespaceLifecycle", Mutate: func(ctx context.Context, r *Request) error {
		if r.Kind.Group == "" && r.Kind.Kind == "Namespace" {
			if r.Operation == Delete && slices.Contains(immortal, r.Name) {
				return apierrors.NewForbidden(r.Kind.GroupResource(), r.Name, errors.New("this namespace may not be deleted"))
			}
			return nil
		}
		if r.Namespace == "" || r.Operation != Create {
			return nil
		}
		namespace, ok, err := get[*corev1.Namespace](ctx, look, "namespaces", "", r.Namespace)
		switch {
		case err != nil:
			return err
		case !ok:
			return apierrors.NewNotFound(corev1.Resource("namespaces"), r.Namespace)
		case namespace.Status.Phase != corev1.NamespaceTerminating && namespace.DeletionTimestamp == nil:
			return nil
		}
		forbidden := r.Forbidden(fmt.Errorf("unable to create new content in namespace %s because it is being terminated", r.Namespace)).(*apierrors.StatusError)
		forbidden.ErrStatus.Details.Causes = append(forbidden.ErrStatus.Details.Causes, metav1.StatusCause{
			Type:    corev1.NamespaceTerminatingCause,
			Message: fmt.Sprintf("namespace %s is being terminated", r.Namespace),
			Field:   "metadata.namespace",
		})
		return forbidden
	}}
}
