// Package client is how the engine's own components write to the API: the
// verbs of the Kubernetes API on typed objects, without serialization but with
// admission, defaulting, validation and optimistic concurrency. engine/api
// implements it in process; a node agent implements it over HTTPS.
//
// Reconcilers read from engine/cache; Get here is for the few that must see the
// newest state.
package client

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

// Client writes as one user. Errors are *errors.StatusError, as Kubernetes
// words them. Resource names carry their group: "pods", "deployments.apps".
// Returned objects are shared and immutable; passed objects belong to the
// client afterwards.
type Client interface {
	Get(ctx context.Context, resource, namespace, name string) (store.Object, error)
	Create(ctx context.Context, resource string, obj store.Object) (store.Object, error)
	// Update replaces everything but the status, at obj's resourceVersion.
	Update(ctx context.Context, resource string, obj store.Object) (store.Object, error)
	// UpdateStatus replaces the status alone, at obj's resourceVersion.
	UpdateStatus(ctx context.Context, resource string, obj store.Object) (store.Object, error)
	// UpdateApproval replaces what decides about a request for a certificate.
	UpdateApproval(ctx context.Context, resource string, obj store.Object) (store.Object, error)
	Delete(ctx context.Context, resource, namespace, name string, opts metav1.DeleteOptions) error
	Bind(ctx context.Context, binding *corev1.Binding) error
	Evict(ctx context.Context, eviction *policyv1.Eviction) error
	// Finalize replaces a namespace's spec.finalizers alone, at its
	// resourceVersion; a deleted namespace goes with the last of them.
	Finalize(ctx context.Context, namespace *corev1.Namespace) (store.Object, error)
	// IssueToken returns a request for a token of a service account, answered.
	IssueToken(ctx context.Context, namespace, account string, request *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error)
}

// Modify reads the newest state of an object, lets change edit a copy and
// writes it back with write (c.Update or c.UpdateStatus), again from the start
// after a conflict. change returns false when there is nothing to write.
func Modify[T store.Object](ctx context.Context, c Client, resource, namespace, name string,
	write func(context.Context, string, store.Object) (store.Object, error), change func(T) bool) (T, error) {
	for {
		current, err := c.Get(ctx, resource, namespace, name)
		if err != nil {
			var none T
			return none, err
		}
		next := current.DeepCopyObject().(T)
		if !change(next) {
			return current.(T), nil
		}
		written, err := write(ctx, resource, next)
		if errors.IsConflict(err) {
			continue
		}
		if err != nil {
			var none T
			return none, err
		}
		return written.(T), nil
	}
}
