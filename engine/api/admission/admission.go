// Package admission is Kubernetes' admission chain: the plugins that may change
// an object before it is validated (Mutate) and refuse it afterwards
// (Validate). Plugins, their order and their messages are those that
// kube-apiserver v1.37 has switched on by default
// (k8s.io/kubernetes/pkg/kubeapiserver/options.AllOrderedPlugins).
//
// What lives here: decisions about a request, one file per plugin. What may
// not: HTTP, and checks of an object by itself; they are in
// engine/api/validation.
package admission

import (
	"context"
	"errors"
	"math/rand/v2"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Operation is what a request does to an object.
type Operation string

const (
	Create Operation = "CREATE"
	Update Operation = "UPDATE"
	Delete Operation = "DELETE"
)

// Request is what plugins decide about. Only Mutate may change Object, and must
// copy first what Object may share with stored ones (everything behind a
// pointer, a slice or a map that it has not made itself).
type Request struct {
	// Kind is the kind of the resource; with a Subresource, Object may be of
	// another (a Binding, an Eviction).
	Kind        *kind.Kind
	Subresource string
	Operation   Operation
	// Namespace and Name are as in the request's path; Name is empty while a
	// new object's is to be generated.
	Namespace, Name string
	// Object is the new state, nil on Delete; Old the present one, nil on
	// Create.
	Object, Old store.Object
	DryRun      bool
	User        authenticationv1.UserInfo
	// Warn tells the client something; it may be nil.
	Warn func(text string)
}

// Forbidden is the refusal of a request, as Kubernetes words it
// (k8s.io/apiserver/pkg/admission.NewForbidden).
func (r *Request) Forbidden(reason error) error {
	if apierrors.IsForbidden(reason) {
		return reason
	}
	name := r.Name
	if name == "" && r.Object != nil {
		if name = r.Object.GetName(); name == "" {
			name = r.Object.GetGenerateName()
		}
	}
	if name == "" {
		name = "Unknown"
	}
	return apierrors.NewForbidden(r.Kind.GroupResource(), name, reason)
}

// newPod returns the pod that a request creates.
func (r *Request) newPod() (*corev1.Pod, bool) {
	if r.Operation != Create || r.Subresource != "" {
		return nil, false
	}
	pod, ok := r.Object.(*corev1.Pod)
	return pod, ok
}

func (r *Request) warn(text string) {
	if r.Warn != nil {
		r.Warn(text)
	}
}

// Plugin is one link of the chain. A nil function has nothing to say.
type Plugin struct {
	Name string
	// Mutate may change the object, and refuse it.
	Mutate func(context.Context, *Request) error
	// Validate may refuse the object as it is to be written.
	Validate func(context.Context, *Request) error
}

// Config is what the plugins need.
type Config struct {
	// Store is where plugins look things up, and where quotas are charged.
	Store store.Interface
	Clock clock.Clock
	// Random must be safe for concurrent use.
	Random *rand.Rand
	// Kinds are those that are served at present.
	Kinds func() []*kind.Kind
	// CEL evaluates the expressions of policies and webhooks; nil: there is no
	// evaluator.
	CEL cel.Evaluator
	// Call calls webhooks; nil: none can be called.
	Call Caller
	// Authorize answers policies' questions; nil refuses everything.
	Authorize cel.Authorize
}

// Chain is a list of plugins. It is safe for concurrent use.
type Chain []Plugin

// New returns the default plugins.
func New(config Config) Chain {
	look := lookup{config.Store}
	return Chain{
		namespaceLifecycle(look),
		limitRanger(look),
		serviceAccount(look, config.Random),
		taintNodesByCondition(),
		podSecurity(look),
		priority(look),
		defaultTolerationSeconds(),
		defaultStorageClass(look),
		storageObjectInUseProtection(),
		persistentVolumeClaimResize(look),
		runtimeClass(look),
		defaultIngressClass(look),
		mutatingWebhooks(look, config),
		validatingPolicies(look, config),
		validatingWebhooks(look, config),
		resourceQuota(look, config.Clock),
	}
}

// Mutate lets every plugin change the object, until one refuses it.
func (c Chain) Mutate(ctx context.Context, r *Request) error {
	for i := range c {
		if c[i].Mutate == nil {
			continue
		}
		if err := c[i].Mutate(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Validate asks every plugin, until one refuses the object.
func (c Chain) Validate(ctx context.Context, r *Request) error {
	for i := range c {
		if c[i].Validate == nil {
			continue
		}
		if err := c[i].Validate(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Admit is Mutate and then Validate, for requests with nothing in between.
func (c Chain) Admit(ctx context.Context, r *Request) error {
	if err := c.Mutate(ctx, r); err != nil {
		return err
	}
	return c.Validate(ctx, r)
}

// lookup reads what is stored.
type lookup struct{ store store.Interface }

// get returns an object; false if there is none.
func get[T store.Object](ctx context.Context, l lookup, resource, namespace, name string) (T, bool, error) {
	var none T
	obj, err := l.store.Get(ctx, store.Key{Resource: resource, Namespace: namespace, Name: name})
	if errors.Is(err, store.ErrNotFound) {
		return none, false, nil
	}
	if err != nil {
		return none, false, apierrors.NewInternalError(err)
	}
	return obj.(T), true, nil
}

// list returns a namespace's objects, or every namespace's.
func list[T store.Object](ctx context.Context, l lookup, resource, namespace string) ([]T, error) {
	page, err := l.store.List(ctx, resource, namespace, store.ListOptions{})
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	if len(page.Items) == 0 {
		return nil, nil
	}
	items := make([]T, len(page.Items))
	for i, obj := range page.Items {
		items[i] = obj.(T)
	}
	return items, nil
}
