package rest

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/store"
)

// inProcess is the client of the engine's own components.
type inProcess struct {
	*Operations
	user string
	opts WriteOptions
}

// Client returns the client of a component, which writes as a user, for
// instance "system:kube-scheduler".
func (o *Operations) Client(user string) client.Client {
	return &inProcess{o, user, WriteOptions{Manager: managerOf(user)}}
}

// managerOf is the program that a component's user belongs to, as which Kubernetes
// records it in managedFields: the beginning of its user agent.
func managerOf(user string) string {
	switch {
	case strings.HasPrefix(user, "system:serviceaccount:kube-system:"):
		return "kube-controller-manager"
	case strings.HasPrefix(user, "system:node:"):
		return "kubelet"
	}
	return strings.TrimPrefix(user, "system:")
}

func (c *inProcess) kind(resource string) (*kind.Kind, error) {
	if k, ok := c.Kind(resource); ok {
		return k, nil
	}
	return nil, apierrors.NewNotFound(corev1.Resource(resource), "")
}

// as makes the user the author of what has no other cause.
func (c *inProcess) as(ctx context.Context) context.Context {
	if store.CauseFrom(ctx).Actor != "" {
		return ctx
	}
	return store.WithCause(ctx, store.Cause{Actor: c.user})
}

func (c *inProcess) Get(ctx context.Context, resource, namespace, name string) (store.Object, error) {
	k, err := c.kind(resource)
	if err != nil {
		return nil, err
	}
	return c.Operations.Get(ctx, k, namespace, name)
}

func (c *inProcess) Create(ctx context.Context, resource string, obj store.Object) (store.Object, error) {
	k, err := c.kind(resource)
	if err != nil {
		return nil, err
	}
	return c.Operations.Create(c.as(ctx), k, obj, c.opts)
}

func (c *inProcess) Update(ctx context.Context, resource string, obj store.Object) (store.Object, error) {
	return c.update(ctx, resource, obj, Main)
}

func (c *inProcess) UpdateStatus(ctx context.Context, resource string, obj store.Object) (store.Object, error) {
	return c.update(ctx, resource, obj, Status)
}

func (c *inProcess) UpdateApproval(ctx context.Context, resource string, obj store.Object) (store.Object, error) {
	return c.update(ctx, resource, obj, Approval)
}

func (c *inProcess) update(ctx context.Context, resource string, obj store.Object, part Part) (store.Object, error) {
	k, err := c.kind(resource)
	if err != nil {
		return nil, err
	}
	return c.Operations.Update(c.as(ctx), k, obj.GetNamespace(), obj.GetName(), part, Replace(obj), c.opts)
}

func (c *inProcess) Delete(ctx context.Context, resource, namespace, name string, opts metav1.DeleteOptions) error {
	k, err := c.kind(resource)
	if err != nil {
		return err
	}
	_, _, err = c.Operations.Delete(c.as(ctx), k, namespace, name, opts)
	return err
}

func (c *inProcess) Bind(ctx context.Context, binding *corev1.Binding) error {
	return c.Operations.Bind(c.as(ctx), binding, c.opts)
}

func (c *inProcess) Evict(ctx context.Context, eviction *policyv1.Eviction) error {
	return c.Operations.Evict(c.as(ctx), eviction)
}

func (c *inProcess) Finalize(ctx context.Context, namespace *corev1.Namespace) (store.Object, error) {
	return c.Operations.Finalize(c.as(ctx), namespace, c.opts)
}
