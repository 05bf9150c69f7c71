package endpoints

import (
	"net/http"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

var (
	scaleKind   = autoscalingv1.SchemeGroupVersion.WithKind("Scale")
	bindingKind = corev1.SchemeGroupVersion.WithKind("Binding")
	// tokenRequestKind is of service accounts' tokens.
	tokenRequestKind = authenticationv1.SchemeGroupVersion.WithKind("TokenRequest")
	evictionKind     = policyv1.SchemeGroupVersion.WithKind("Eviction")
)

// scales are served as parts of other kinds only.
var scales = &resource{Kind: &kind.Kind{GroupVersionKind: scaleKind}, served: scaleKind}

// serveSubresource answers a request about a part of an object.
func (q *request) serveSubresource(r *resource, unacceptable error) error {
	sub, ok := r.subresource(q.subresource)
	if !ok || q.remainder != "" && sub.name != "proxy" {
		return notFound()
	}
	if !slices.Contains(sub.verbs, q.verb) {
		return methodNotAllowed()
	}
	switch sub.name { // these do not answer with objects, whatever is accepted
	case "log":
		return q.log()
	case "exec", "attach":
		return q.process()
	case "portforward":
		return q.portForward()
	case "proxy":
		return q.proxy()
	}
	if unacceptable != nil {
		return unacceptable
	}
	switch sub.name {
	case "scale":
		return q.scale(r)
	case "binding":
		return q.bind()
	case "eviction":
		return q.evict()
	case "token":
		return q.token()
	case "finalize":
		return q.finalize(r)
	default:
		return q.part(r, rest.Part(sub.name))
	}
}

// part reads an object and changes a part of it.
func (q *request) part(r *resource, part rest.Part) error {
	switch q.verb {
	case "get":
		return q.get(r)
	case "update":
		return q.update(r, part)
	default:
		return q.patch(r, part)
	}
}

func (q *request) scale(r *resource) error {
	switch q.verb {
	case "get":
		return q.getScale(r)
	case "update":
		return q.updateScale(r)
	default:
		return q.patchScale(r)
	}
}

func (q *request) updateScale(r *resource) error {
	opts, err := q.writeOptions("UpdateOptions")
	if err != nil {
		return err
	}
	scale := &autoscalingv1.Scale{}
	if err := q.decode(scaleKind, scale, opts.validation); err != nil {
		return err
	}
	if err := q.place(r, scale); err != nil {
		return err
	}
	if err := q.checkName(scale); err != nil {
		return err
	}
	return q.changeScale(r, opts, func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error) { return scale, nil })
}

func (q *request) patchScale(r *resource) error {
	p, opts, err := q.readPatch(patchTypes)
	if err != nil {
		return err
	}
	if p.Type == types.ApplyYAMLPatchType {
		return q.applyScale(r, p, opts)
	}
	return q.untilCurrent(func(onCurrent *bool) error {
		return q.changeScale(r, opts, func(current *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
			patched := &autoscalingv1.Scale{}
			warnings, err := p.Apply(current, patched)
			for _, text := range warnings {
				q.w.warn(text)
			}
			*onCurrent = patched.ResourceVersion == current.ResourceVersion
			return patched, err
		})
	})
}

func (q *request) changeScale(r *resource, opts writeOptions, change func(*autoscalingv1.Scale) (*autoscalingv1.Scale, error)) error {
	var scale *autoscalingv1.Scale
	err := q.do(func() (err error) {
		scale, err = q.Operations.UpdateScale(q.ctx, r.Kind, q.namespace, q.name, change, opts.WriteOptions)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendScale(scale)
}

func (q *request) getScale(r *resource) error {
	var scale *autoscalingv1.Scale
	err := q.do(func() error {
		obj, err := q.Operations.Get(q.ctx, r.Kind, q.namespace, q.name)
		if err == nil {
			scale = rest.ScaleOf(r.Kind, obj)
		}
		return err
	})
	if err != nil {
		return err
	}
	return q.sendScale(scale)
}

// sendScale answers with a Scale, as a table in plain columns.
func (q *request) sendScale(scale *autoscalingv1.Scale) error {
	return q.sendObject(http.StatusOK, scales, scale)
}

// Binding is the kind that gives a pod its node, in the form that names the pod
// in the body: what POST pods/NAME/binding does, by an older path.
func Binding() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: bindingKind,
		Plural:           "bindings",
		Singular:         "binding",
		Namespaced:       true,
		New:              func() store.Object { return &corev1.Binding{} },
		NoVerbs:          []string{"get", "list", "watch", "update", "patch", "delete", "deletecollection"},
	}
}

func (q *request) bind() error {
	if q.namespace == "" {
		return methodNotAllowed()
	}
	opts, err := q.writeOptions("CreateOptions")
	if err != nil {
		return err
	}
	binding := &corev1.Binding{}
	if err := q.decode(bindingKind, binding, opts.validation); err != nil {
		return err
	}
	if q.subresource == "" {
		q.name = binding.Name
	}
	if err := q.nameBody(&binding.ObjectMeta); err != nil {
		return err
	}
	if err := q.do(func() error { return q.Operations.Bind(q.ctx, binding, opts.WriteOptions) }); err != nil {
		return err
	}
	q.sendSuccess()
	return nil
}

func (q *request) evict() error {
	opts, err := q.writeOptions("CreateOptions")
	if err != nil {
		return err
	}
	eviction := &policyv1.Eviction{}
	if err := q.decode(evictionKind, eviction, opts.validation); err != nil {
		return err
	}
	if err := q.nameBody(&eviction.ObjectMeta); err != nil {
		return err
	}
	if opts.DryRun {
		if eviction.DeleteOptions == nil {
			eviction.DeleteOptions = &metav1.DeleteOptions{}
		}
		eviction.DeleteOptions.DryRun = []string{metav1.DryRunAll}
	}
	if err := q.do(func() error { return q.Operations.Evict(q.ctx, eviction) }); err != nil {
		return err
	}
	q.sendSuccess()
	return nil
}

// nameBody makes the object that is sent to a subresource agree with the path.
func (q *request) nameBody(meta *metav1.ObjectMeta) error {
	if meta.Name != "" && meta.Name != q.name {
		return apierrors.NewBadRequest("name in URL does not match name in " + q.subresource + " object")
	}
	if meta.Namespace != "" && meta.Namespace != q.namespace {
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	meta.Name, meta.Namespace = q.name, q.namespace
	return nil
}

func (q *request) sendSuccess() {
	q.send(http.StatusCreated, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusSuccess,
		Code:     http.StatusCreated,
	})
}

func (q *request) finalize(r *resource) error {
	opts, err := q.writeOptions("UpdateOptions")
	if err != nil {
		return err
	}
	namespace := &corev1.Namespace{}
	if err := q.decode(r.served, namespace, opts.validation); err != nil {
		return err
	}
	if err := q.checkName(namespace); err != nil {
		return err
	}
	var obj store.Object
	err = q.do(func() (err error) {
		obj, err = q.Operations.Finalize(q.ctx, namespace, opts.WriteOptions)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendObject(http.StatusOK, r, obj)
}
