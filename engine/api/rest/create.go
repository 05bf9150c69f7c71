package rest

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/managed"
	"tidepool.dev/tidepool/engine/api/names"
	"tidepool.dev/tidepool/engine/store"
)

// WriteOptions are what the writing verbs have in common.
type WriteOptions struct {
	// DryRun does everything but the writing.
	DryRun bool
	// Warn is told what the client should print; it may be nil.
	Warn func(text string)
	// Manager is recorded in managedFields as who has set the fields, in the
	// form of the object that Version names; empty is the stored form.
	Manager, Version string
	// MayCreate, if set, is asked before an update creates an object.
	MayCreate func() error
	// recorded says that the object's managedFields are right as they are.
	recorded bool
	// scale says that the object is changed through its Scale.
	scale bool
}

// record gives an object that is about to replace live, nil for a new one, its
// managedFields.
func (o *Operations) record(k *kind.Kind, live, next store.Object, subresource string, opts WriteOptions) {
	if !opts.recorded {
		o.fields.Update(k, live, next, managed.Write{Manager: opts.Manager, Subresource: subresource, Version: opts.Version})
	}
}

func (w WriteOptions) warn(k *kind.Kind, obj, old store.Object) {
	if w.Warn == nil || k.Warnings == nil {
		return
	}
	for _, text := range k.Warnings(obj, old) {
		w.Warn(text)
	}
}

// generateAttempts is how often a generated name that is taken is drawn again
// (upstream's RetryGenerateName).
const generateAttempts = 8

// Create adds an object, which belongs to the store afterwards.
func (o *Operations) Create(ctx context.Context, k *kind.Kind, obj store.Object, opts WriteOptions) (store.Object, error) {
	if k.Closing != "" {
		err := apierrors.NewMethodNotSupported(k.GroupResource(), "create")
		err.ErrStatus.Message = k.Closing
		return nil, err
	}
	setKind(k, obj)
	if k.Default != nil {
		k.Default(obj)
	}
	o.record(k, nil, obj, "", opts)
	prefix := obj.GetGenerateName()
	if obj.GetName() != "" || prefix == "" {
		return o.create(ctx, k, obj, opts)
	}
	for attempt := 1; ; attempt++ {
		created, err := o.create(ctx, k, obj, opts)
		if err == nil || !apierrors.IsAlreadyExists(err) {
			return created, err
		}
		if attempt == generateAttempts {
			return nil, apierrors.NewGenerateNameConflict(k.GroupResource(), obj.GetName(), attempt)
		}
		obj.SetName("")
	}
}

func (o *Operations) create(ctx context.Context, k *kind.Kind, obj store.Object, opts WriteOptions) (store.Object, error) {
	defer o.lockServices(k)()
	if obj.GetResourceVersion() != "" {
		return nil, apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	o.prepareNewMeta(obj)
	request := o.request(ctx, admission.Create, k, opts)
	request.Namespace, request.Name, request.Object = obj.GetNamespace(), obj.GetName(), obj
	if err := o.admission.Mutate(ctx, request); err != nil {
		return nil, err
	}
	obj = request.Object
	if err := o.check(ctx, request); err != nil {
		return nil, err
	}
	if obj.GetName() == "" && obj.GetGenerateName() != "" {
		obj.SetName(names.Generate(obj.GetGenerateName(), o.random))
	}
	if service, ok := obj.(*corev1.Service); ok {
		if err := o.allocateService(ctx, service, nil); err != nil {
			return nil, err
		}
	}
	if k.PrepareForCreate != nil {
		k.PrepareForCreate(obj)
	}
	if k.Stamp != nil {
		k.Stamp(obj, nil, o.now())
	}
	errs := validateNewMeta(k, obj)
	if k.Validate != nil {
		errs = append(errs, k.Validate(obj)...)
	}
	if err := invalid(k, obj.GetName(), errs); err != nil {
		return nil, err
	}
	opts.warn(k, obj, nil)
	if err := o.admission.Validate(ctx, request); err != nil {
		return nil, err
	}
	if opts.DryRun {
		at := key(k, obj.GetNamespace(), obj.GetName())
		if _, err := o.store.Get(ctx, at); !errors.Is(err, store.ErrNotFound) {
			if err == nil {
				err = fmt.Errorf("%s: %w", at, store.ErrExists)
			}
			return nil, statusError(err, k, obj.GetName())
		}
		return obj, nil
	}
	created, err := o.store.Create(ctx, key(k, obj.GetNamespace(), obj.GetName()), obj)
	return created, statusError(err, k, obj.GetName())
}
