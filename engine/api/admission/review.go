package admission

import (
	"context"
	"encoding/json"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/store"
)

// review is the request as webhooks and expressions see it; the objects are
// added for webhooks.
func (r *Request) review() *admissionv1.AdmissionRequest {
	kind, resource := metav1.GroupVersionKind(r.Kind.GroupVersionKind), metav1.GroupVersionResource(r.resources()[0])
	for _, obj := range [...]store.Object{r.Object, r.Old} {
		if obj != nil { // with a subresource it may be of another kind
			kind = metav1.GroupVersionKind(obj.GetObjectKind().GroupVersionKind())
			break
		}
	}
	return &admissionv1.AdmissionRequest{
		Kind: kind, Resource: resource, SubResource: r.Subresource,
		RequestKind: &kind, RequestResource: &resource, RequestSubResource: r.Subresource,
		Name: r.Name, Namespace: r.Namespace, Operation: admissionv1.Operation(r.Operation),
		UserInfo: r.User, DryRun: &r.DryRun,
	}
}

// withObjects adds the objects as a webhook gets them.
func withObjects(review *admissionv1.AdmissionRequest, r *Request) error {
	for _, part := range [...]struct {
		obj store.Object
		to  *runtime.RawExtension
	}{{r.Object, &review.Object}, {r.Old, &review.OldObject}} {
		if part.obj == nil {
			continue
		}
		text, err := json.Marshal(part.obj)
		if err != nil {
			return err
		}
		part.to.Raw = text
	}
	return nil
}

// input is what expressions are evaluated about.
func (r *Request) input(ctx context.Context, look lookup, config *Config, params runtime.Object) (cel.Input, error) {
	input := cel.Input{Request: r.review(), Params: params, Authorize: config.Authorize}
	if r.Object != nil {
		input.Object = r.Object
	}
	if r.Old != nil {
		input.OldObject = r.Old
	}
	namespace, err := r.namespace(ctx, look)
	input.Namespace = namespace
	return input, err
}

func conditionExpressions(conditions []admissionregistrationv1.MatchCondition) []cel.Expression {
	var all []cel.Expression
	for i := range conditions {
		all = append(all, cel.Expression{Text: conditions[i].Expression, Type: cel.Bool})
	}
	return all
}

// holds reports whether match conditions do: one that does not is enough to
// skip, whatever the others.
func holds(ctx context.Context, program cel.Program, input cel.Input) (bool, error) {
	results, err := program.Evaluate(ctx, input)
	if err != nil {
		return false, err
	}
	var errs []error
	for _, result := range results {
		if result.Err != nil {
			errs = append(errs, result.Err)
		} else if result.Value == false {
			return false, nil
		}
	}
	return len(errs) == 0, utilerrors.NewAggregate(errs)
}
