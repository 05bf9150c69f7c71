package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/store"
)

const (
	policyResource  = "validatingadmissionpolicies.admissionregistration.k8s.io"
	bindingResource = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
	// longestMessage is the most that a message expression may come to.
	longestMessage = 5 * 1024
)

type (
	policy  = admissionregistrationv1.ValidatingAdmissionPolicy
	binding = admissionregistrationv1.ValidatingAdmissionPolicyBinding
)

// validatingPolicies refuses what ValidatingAdmissionPolicies that are bound
// refuse, and policies whose expressions are wrong.
func validatingPolicies(look lookup, config Config) Plugin {
	p := &policies{look: look, config: &config, compiled: map[types.UID]*compiledPolicy{}}
	return Plugin{Name: "ValidatingAdmissionPolicy", Validate: func(ctx context.Context, r *Request) error {
		if changed, ok := r.Object.(*policy); ok && r.Subresource == "" {
			return p.check(r, changed)
		}
		if r.exempt() || config.CEL == nil {
			return nil
		}
		return p.enforce(ctx, r)
	}}
}

type policies struct {
	look   lookup
	config *Config

	mu       sync.Mutex
	compiled map[types.UID]*compiledPolicy
}

// compiledPolicy is what a policy's expressions have become.
type compiledPolicy struct {
	of         *policy
	conditions cel.Program // nil without any
	// checks has the validations, then the message expressions, then the audit
	// annotations.
	checks cel.Program
	// messages are by validation the index of its message expression; 0 for
	// none.
	messages []int
}

// check refuses a policy whose expressions do not compile.
func (p *policies) check(r *Request, changed *policy) error {
	if p.config.CEL == nil {
		r.warn("this policy is not enforced: " + cel.ErrUnavailable.Error())
		return nil
	}
	_, errs := compilePolicy(p.config.CEL, changed)
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(r.Kind.GroupVersionKind.GroupKind(), changed.Name, errs)
}

// of returns a stored policy, compiled.
func (p *policies) of(stored *policy) *compiledPolicy {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.compiled[stored.UID]
	if known == nil || known.of.Generation != stored.Generation {
		known, _ = compilePolicy(p.config.CEL, stored) // what does not compile fails when it is run
		p.compiled[stored.UID] = known
	}
	return known
}

// forget drops what was compiled of policies that are gone.
func (p *policies) forget(stored []*policy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.compiled) <= len(stored) {
		return
	}
	for uid := range p.compiled {
		if !slices.ContainsFunc(stored, func(s *policy) bool { return s.UID == uid }) {
			delete(p.compiled, uid)
		}
	}
}

func (p *policies) enforce(ctx context.Context, r *Request) error {
	all, err := list[*policy](ctx, p.look, policyResource, "")
	if err != nil || len(all) == 0 {
		return err
	}
	p.forget(all)
	bindings, err := list[*binding](ctx, p.look, bindingResource, "")
	if err != nil {
		return err
	}
	for _, of := range all {
		if err := p.enforceOne(ctx, r, of, bindings); err != nil {
			return err
		}
	}
	return nil
}

// enforceOne asks one policy, once for each of its bindings.
func (p *policies) enforceOne(ctx context.Context, r *Request, of *policy, bindings []*binding) error {
	ignores := of.Spec.FailurePolicy != nil && *of.Spec.FailurePolicy == admissionregistrationv1.Ignore
	matches, err := r.matches(ctx, p.look, of.Spec.MatchConstraints)
	if err != nil && !ignores {
		return denied(r, of, nil, decision{message: "failed to configure policy: " + err.Error()})
	}
	if !matches || err != nil {
		return nil
	}
	for _, bound := range bindings {
		if bound.Spec.PolicyName != of.Name {
			continue
		}
		matches, err := r.matches(ctx, p.look, bound.Spec.MatchResources)
		var params []runtime.Object
		if matches && err == nil {
			params, err = p.params(ctx, r, of, bound)
		}
		if err != nil && !ignores {
			return denied(r, of, bound, decision{message: "failed to configure binding: " + err.Error()})
		}
		if !matches || err != nil {
			continue
		}
		for _, param := range params {
			for _, d := range p.decide(ctx, r, of, param, ignores) {
				if err := act(r, of, bound, d); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// act does what a binding says is to be done about a refusal.
func act(r *Request, of *policy, bound *binding, d decision) error {
	for _, action := range bound.Spec.ValidationActions {
		switch action {
		case admissionregistrationv1.Deny:
			return denied(r, of, bound, d)
		case admissionregistrationv1.Warn:
			r.warn(fmt.Sprintf("Validation failed for ValidatingAdmissionPolicy '%s' with binding '%s': %s", of.Name, bound.Name, d.message))
		}
	}
	return nil
}

// decision is a refusal.
type decision struct {
	message string
	reason  metav1.StatusReason
}

func denied(r *Request, of *policy, bound *binding, d decision) error {
	message := fmt.Sprintf("ValidatingAdmissionPolicy '%s' denied request: %s", of.Name, d.message)
	if bound != nil {
		message = fmt.Sprintf("ValidatingAdmissionPolicy '%s' with binding '%s' denied request: %s", of.Name, bound.Name, d.message)
	}
	refusal := r.Forbidden(errors.New(message)).(*apierrors.StatusError)
	refusal.ErrStatus.Reason = cmp.Or(d.reason, metav1.StatusReasonInvalid)
	switch refusal.ErrStatus.Reason {
	case metav1.StatusReasonForbidden:
		refusal.ErrStatus.Code = http.StatusForbidden
	case metav1.StatusReasonUnauthorized:
		refusal.ErrStatus.Code = http.StatusUnauthorized
	case metav1.StatusReasonRequestEntityTooLarge:
		refusal.ErrStatus.Code = http.StatusRequestEntityTooLarge
	default:
		refusal.ErrStatus.Code = http.StatusUnprocessableEntity
	}
	refusal.ErrStatus.Details.Causes = append(refusal.ErrStatus.Details.Causes, metav1.StatusCause{Message: message})
	return refusal
}

// decide returns what a policy refuses of a request. Errors are refusals, too,
// unless the policy ignores them.
func (p *policies) decide(ctx context.Context, r *Request, of *policy, param runtime.Object, ignores bool) []decision {
	failed := func(err error) []decision {
		if ignores {
			return nil
		}
		return []decision{{message: err.Error()}}
	}
	input, err := r.input(ctx, p.look, p.config, param)
	if err != nil {
		return failed(err)
	}
	compiled := p.of(of)
	if compiled.conditions != nil {
		if ok, err := holds(ctx, compiled.conditions, input); err != nil {
			return failed(err)
		} else if !ok {
			return nil
		}
	}
	results, err := compiled.checks.Evaluate(ctx, input)
	if err != nil {
		return failed(err)
	}
	var refusals []decision
	for i := range of.Spec.Validations {
		check := &of.Spec.Validations[i]
		switch result := results[i]; {
		case result.Err != nil:
			refusals = append(refusals, failed(result.Err)...)
		case result.Value != true:
			d := decision{message: messageOf(check, results, compiled.messages[i])}
			if check.Reason != nil {
				d.reason = *check.Reason
			}
			refusals = append(refusals, d)
		}
	}
	for i := len(results) - len(of.Spec.AuditAnnotations); i < len(results); i++ {
		if results[i].Err != nil {
			refusals = append(refusals, failed(results[i].Err)...)
		}
	}
	return refusals
}

// messageOf is why a validation refuses: what its message expression says, or
// else its message, or else the expression.
func messageOf(check *admissionregistrationv1.Validation, results []cel.Result, at int) string {
	if at > 0 {
		text, _ := results[at].Value.(string)
		if text = strings.TrimSpace(text); text != "" && len(text) <= longestMessage && !strings.Contains(text, "\n") {
			return text
		}
	}
	if message := strings.TrimSpace(check.Message); message != "" {
		return message
	}
	return "failed expression: " + strings.TrimSpace(check.Expression)
}

var errNoParams = errors.New("no params found for policy binding with `Deny` parameterNotFoundAction")

// params returns the objects with which a policy is to be evaluated; a nil one
// where it has none.
func (p *policies) params(ctx context.Context, r *Request, of *policy, bound *binding) ([]runtime.Object, error) {
	ref := bound.Spec.ParamRef
	if of.Spec.ParamKind == nil || ref == nil {
		return []runtime.Object{nil}, nil
	}
	for _, k := range p.config.Kinds() {
		if k.Kind != of.Spec.ParamKind.Kind || k.GroupVersion().String() != of.Spec.ParamKind.APIVersion {
			continue
		}
		namespace := ""
		switch {
		case k.Namespaced:
			if namespace = cmp.Or(ref.Namespace, r.Namespace); namespace == "" {
				return nil, errors.New("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
			}
		case ref.Namespace != "":
			return nil, errors.New("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
		}
		found, err := p.findParams(ctx, k.Resource(), namespace, ref)
		if err == nil && len(found) == 0 && ref.ParameterNotFoundAction != nil && *ref.ParameterNotFoundAction == admissionregistrationv1.DenyAction {
			err = errNoParams
		}
		return found, err
	}
	return nil, fmt.Errorf("paramKind kind `&ParamKind{APIVersion:%s,Kind:%s,}` not known", of.Spec.ParamKind.APIVersion, of.Spec.ParamKind.Kind)
}

func (p *policies) findParams(ctx context.Context, resource, namespace string, ref *admissionregistrationv1.ParamRef) ([]runtime.Object, error) {
	if ref.Name != "" {
		obj, ok, err := get[store.Object](ctx, p.look, resource, namespace, ref.Name)
		if err != nil || !ok {
			return nil, err
		}
		return []runtime.Object{obj}, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(ref.Selector)
	if err != nil {
		return nil, err
	}
	all, err := list[store.Object](ctx, p.look, resource, namespace)
	var found []runtime.Object
	for _, obj := range all {
		if selector.Matches(labelsOf(obj)) {
			found = append(found, obj)
		}
	}
	return found, err
}
