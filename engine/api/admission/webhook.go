package admission

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/names"
	"tidepool.dev/tidepool/engine/store"
)

// Caller posts a review to a webhook within a time and returns the answer's
// body. The engine itself has no network.
type Caller func(ctx context.Context, client admissionregistrationv1.WebhookClientConfig, timeout time.Duration, review []byte) ([]byte, error)

// webhook is what both kinds of webhooks have in common.
type webhook struct {
	name             string
	rules            []admissionregistrationv1.RuleWithOperations
	matchPolicy      *admissionregistrationv1.MatchPolicyType
	namespaces       *metav1.LabelSelector
	objects          *metav1.LabelSelector
	conditions       []admissionregistrationv1.MatchCondition
	failurePolicy    *admissionregistrationv1.FailurePolicyType
	sideEffects      *admissionregistrationv1.SideEffectClass
	timeoutSeconds   *int32
	client           *admissionregistrationv1.WebhookClientConfig
	again, validates bool
}

// mutatingWebhooks lets webhooks change objects; those that want it are asked
// again when another one has changed something behind them.
func mutatingWebhooks(look lookup, config Config) Plugin {
	w := newWebhooks(look, config)
	return Plugin{
		Name: "MutatingAdmissionWebhook",
		Mutate: func(ctx context.Context, r *Request) error {
			configurations, err := list[*admissionregistrationv1.MutatingWebhookConfiguration](ctx, look, "mutatingwebhookconfigurations.admissionregistration.k8s.io", "")
			if err != nil || len(configurations) == 0 || r.exempt() {
				return err
			}
			var hooks []webhook
			for _, c := range configurations {
				for i := range c.Webhooks {
					h := &c.Webhooks[i]
					again := h.ReinvocationPolicy != nil && *h.ReinvocationPolicy == admissionregistrationv1.IfNeededReinvocationPolicy
					hooks = append(hooks, webhook{h.Name, h.Rules, h.MatchPolicy, h.NamespaceSelector, h.ObjectSelector, h.MatchConditions,
						h.FailurePolicy, h.SideEffects, h.TimeoutSeconds, &h.ClientConfig, again, false})
				}
			}
			last := -1 // the webhook that was the last to change the object
			for i := range hooks {
				changed, err := w.ask(ctx, r, &hooks[i])
				if err != nil {
					return err
				}
				if changed {
					last = i
				}
			}
			for i := 0; i < last; i++ {
				if hooks[i].again {
					if _, err := w.ask(ctx, r, &hooks[i]); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Validate: func(_ context.Context, r *Request) error {
			c, ok := r.Object.(*admissionregistrationv1.MutatingWebhookConfiguration)
			if !ok {
				return nil
			}
			conditions := make([][]admissionregistrationv1.MatchCondition, len(c.Webhooks))
			for i := range c.Webhooks {
				conditions[i] = c.Webhooks[i].MatchConditions
			}
			return w.check(r, conditions)
		},
	}
}

// validatingWebhooks lets webhooks refuse requests.
func validatingWebhooks(look lookup, config Config) Plugin {
	w := newWebhooks(look, config)
	return Plugin{Name: "ValidatingAdmissionWebhook", Validate: func(ctx context.Context, r *Request) error {
		if c, ok := r.Object.(*admissionregistrationv1.ValidatingWebhookConfiguration); ok {
			conditions := make([][]admissionregistrationv1.MatchCondition, len(c.Webhooks))
			for i := range c.Webhooks {
				conditions[i] = c.Webhooks[i].MatchConditions
			}
			return w.check(r, conditions)
		}
		configurations, err := list[*admissionregistrationv1.ValidatingWebhookConfiguration](ctx, look, "validatingwebhookconfigurations.admissionregistration.k8s.io", "")
		if err != nil || r.exempt() {
			return err
		}
		for _, c := range configurations {
			for i := range c.Webhooks {
				h := &c.Webhooks[i]
				if _, err := w.ask(ctx, r, &webhook{h.Name, h.Rules, h.MatchPolicy, h.NamespaceSelector, h.ObjectSelector, h.MatchConditions,
					h.FailurePolicy, h.SideEffects, h.TimeoutSeconds, &h.ClientConfig, false, true}); err != nil {
					return err
				}
			}
		}
		return nil
	}}
}

type webhooks struct {
	look   lookup
	config *Config

	mu       sync.Mutex
	programs map[string]cel.Program // by the conditions' texts
}

func newWebhooks(look lookup, config Config) *webhooks {
	return &webhooks{look: look, config: &config, programs: map[string]cel.Program{}}
}

// ask calls a webhook if it wants to know of a request. It reports whether the
// object has changed.
func (w *webhooks) ask(ctx context.Context, r *Request, h *webhook) (changed bool, err error) {
	wanted, err := w.wants(ctx, r, h)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	if !wanted {
		return false, nil
	}
	if r.DryRun && (h.sideEffects == nil || *h.sideEffects != admissionregistrationv1.SideEffectClassNone && *h.sideEffects != admissionregistrationv1.SideEffectClassNoneOnDryRun) {
		return false, apierrors.NewBadRequest(fmt.Sprintf("admission webhook %q does not support dry run", h.name))
	}
	answer, err := w.call(ctx, r, h)
	if err != nil {
		if h.failurePolicy != nil && *h.failurePolicy == admissionregistrationv1.Ignore {
			return false, nil
		}
		return false, apierrors.NewInternalError(fmt.Errorf("failed calling webhook %q: %w", h.name, err))
	}
	for _, text := range answer.Warnings {
		r.warn(text)
	}
	if !answer.Allowed {
		return false, rejection(h.name, answer.Result)
	}
	if len(answer.Patch) == 0 {
		return false, nil
	}
	return w.patch(r, h, answer.Patch)
}

// wants reports whether a webhook's rules, selectors and conditions select a
// request.
func (w *webhooks) wants(ctx context.Context, r *Request, h *webhook) (bool, error) {
	matched := false
	for i := range h.rules {
		matched = matched || matchRule(r, &h.rules[i], isExact(h.matchPolicy))
	}
	if !matched {
		return false, nil
	}
	if ok, err := r.selected(ctx, w.look, h.namespaces, h.objects); !ok || err != nil || len(h.conditions) == 0 {
		return ok, err
	}
	if w.config.CEL == nil {
		return false, cel.ErrUnavailable
	}
	input, err := r.input(ctx, w.look, w.config, nil)
	if err != nil {
		return false, err
	}
	ok, err := holds(ctx, w.program(h.conditions), input)
	if err != nil && h.failurePolicy != nil && *h.failurePolicy == admissionregistrationv1.Ignore {
		return false, nil
	}
	return ok, err
}

func (w *webhooks) call(ctx context.Context, r *Request, h *webhook) (*admissionv1.AdmissionResponse, error) {
	if w.config.Call == nil {
		return nil, errors.New("failed to call webhook: this API server has no network")
	}
	request := r.review()
	request.UID = names.UID(w.config.Random)
	if err := withObjects(request, r); err != nil {
		return nil, fmt.Errorf("could not create admission objects: %w", err)
	}
	body, err := json.Marshal(&admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{Kind: "AdmissionReview", APIVersion: admissionv1.SchemeGroupVersion.String()}, Request: request})
	if err != nil {
		return nil, fmt.Errorf("could not create admission objects: %w", err)
	}
	timeout := 10 * time.Second
	if h.timeoutSeconds != nil {
		timeout = time.Duration(*h.timeoutSeconds) * time.Second
	}
	text, err := w.config.Call(ctx, *h.client, timeout, body)
	if err != nil {
		return nil, fmt.Errorf("failed to call webhook: %w", err)
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(text, &review); err != nil {
		return nil, fmt.Errorf("failed to call webhook: %w", err)
	}
	if err := verify(&review, request.UID, h.validates); err != nil {
		return nil, fmt.Errorf("received invalid webhook response: %w", err)
	}
	return review.Response, nil
}

// verify is k8s.io/apiserver/pkg/admission/plugin/webhook/request.VerifyAdmissionResponse.
func verify(review *admissionv1.AdmissionReview, uid types.UID, validates bool) error {
	answer := review.Response
	switch want := admissionv1.SchemeGroupVersion.WithKind("AdmissionReview"); {
	case answer == nil:
		return errors.New("webhook response was absent")
	case answer.UID != uid:
		return fmt.Errorf("expected response.uid=%q, got %q", uid, answer.UID)
	case review.GroupVersionKind() != want:
		return fmt.Errorf("expected webhook response of %v, got %v", want.String(), review.GroupVersionKind().String())
	case validates && len(answer.Patch) > 0:
		return errors.New("validating webhook may not return response.patch")
	case validates && answer.PatchType != nil:
		return errors.New("validating webhook may not return response.patchType")
	case len(answer.Patch) > 0 && answer.PatchType == nil:
		return errors.New("webhook returned response.patch but not response.patchType")
	case len(answer.Patch) == 0 && answer.PatchType != nil:
		return errors.New("webhook returned response.patchType but not response.patch")
	case answer.PatchType != nil && *answer.PatchType != admissionv1.PatchTypeJSONPatch:
		return fmt.Errorf("webhook returned invalid response.patchType of %q", *answer.PatchType)
	}
	return nil
}

// rejection is k8s.io/apiserver/pkg/admission/plugin/webhook/errors.ToStatusErr.
func rejection(name string, result *metav1.Status) error {
	status := metav1.Status{}
	if result != nil {
		status = *result
	}
	if status.Code < http.StatusBadRequest {
		status.Code = http.StatusBadRequest
	}
	if status.Status == "" || status.Status == metav1.StatusSuccess {
		status.Status = metav1.StatusFailure
	}
	by := fmt.Sprintf("admission webhook %q denied the request", name)
	switch {
	case status.Message != "":
		status.Message = by + ": " + status.Message
	case status.Reason != "":
		status.Message = by + ": " + string(status.Reason)
	default:
		status.Message = by + " without explanation"
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// patch puts a patched copy in the place of a request's object.
func (w *webhooks) patch(r *Request, h *webhook, text []byte) (bool, error) {
	patch, err := jsonpatch.DecodePatch(text)
	if err != nil {
		return false, apierrors.NewInternalError(fmt.Errorf("failed calling webhook %q: received undecodable patch in webhook response: %w", h.name, err))
	}
	if len(patch) == 0 {
		return false, nil
	}
	if r.Object == nil {
		return false, apierrors.NewInternalError(fmt.Errorf("admission webhook %q attempted to modify the object, which is not supported for this operation", h.name))
	}
	before, err := json.Marshal(r.Object)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	after, err := patch.Apply(before)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	obj := reflect.New(reflect.TypeOf(r.Object).Elem()).Interface().(store.Object)
	if err := json.Unmarshal(after, obj); err != nil {
		return false, apierrors.NewInternalError(err)
	}
	if r.Kind.Default != nil && r.Subresource == "" {
		r.Kind.Default(obj)
	}
	r.Object = obj
	return string(before) != string(after), nil
}

// check refuses match conditions, by webhook, that do not compile.
func (w *webhooks) check(r *Request, conditions [][]admissionregistrationv1.MatchCondition) error {
	if w.config.Call == nil {
		r.warn("webhooks are not called by this API server: it has no network")
	}
	var errs field.ErrorList
	for i := range conditions {
		if len(conditions[i]) == 0 {
			continue
		}
		if w.config.CEL == nil {
			r.warn("match conditions are not evaluated: " + cel.ErrUnavailable.Error())
			continue
		}
		expressions := conditionExpressions(conditions[i])
		_, failures := w.config.CEL.Compile(cel.Source{Expressions: expressions, Authorizer: true})
		for j, err := range failures {
			if err != nil {
				errs = append(errs, field.Invalid(field.NewPath("webhooks").Index(i).Child("matchConditions").Index(j).Child("expression"), expressions[j].Text, err.Error()))
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(r.Kind.GroupVersionKind.GroupKind(), r.Object.GetName(), errs)
}

// maxPrograms bounds how many webhooks' compiled conditions are kept.
const maxPrograms = 128

// program compiles a webhook's match conditions, once.
func (w *webhooks) program(conditions []admissionregistrationv1.MatchCondition) cel.Program {
	expressions := conditionExpressions(conditions)
	texts := make([]string, len(expressions))
	for i := range expressions {
		texts[i] = expressions[i].Text
	}
	key := strings.Join(texts, "\x00")
	w.mu.Lock()
	defer w.mu.Unlock()
	known, ok := w.programs[key]
	if !ok {
		if len(w.programs) >= maxPrograms {
			clear(w.programs)
		}
		known, _ = w.config.CEL.Compile(cel.Source{Expressions: expressions, Authorizer: true}) // what does not compile fails when it is run
		w.programs[key] = known
	}
	return known
}
