package kinds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func validatingAdmissionPolicy() *kind.Kind {
	type policy = admissionregistrationv1.ValidatingAdmissionPolicy
	return &kind.Kind{
		GroupVersionKind: admissionregistrationv1.SchemeGroupVersion.WithKind("ValidatingAdmissionPolicy"),
		Plural:           "validatingadmissionpolicies",
		Singular:         "validatingadmissionpolicy",
		Categories:       []string{"api-extensions"},
		New:              func() store.Object { return &policy{} },
		NewList:          func() runtime.Object { return &admissionregistrationv1.ValidatingAdmissionPolicyList{} },
		Default: on(func(p *policy) {
			if p.Spec.FailurePolicy == nil {
				p.Spec.FailurePolicy = new(admissionregistrationv1.Fail)
			}
			defaultMatchResources(p.Spec.MatchConstraints)
		}),
		PrepareForCreate: on(func(p *policy) {
			p.Status = admissionregistrationv1.ValidatingAdmissionPolicyStatus{}
			p.Generation = 1
		}),
		PrepareForUpdate: onUpdate(func(p, old *policy) {
			p.Status = old.Status
			if !equality.Semantic.DeepEqual(p.Spec, old.Spec) {
				p.Generation = old.Generation + 1
			}
		}),
		PrepareForStatusUpdate: onUpdate(func(p, old *policy) { p.Spec = old.Spec }),
		Validate:               validate(validation.ValidatingAdmissionPolicy),
		ValidateUpdate:         validateUpdate(func(p, _ *policy) field.ErrorList { return validation.ValidatingAdmissionPolicy(p) }),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			integerColumn("Validations", "Validations indicates the number of validation rules defined in this configuration"),
			textColumn("ParamKind", "ParamKind specifies the kind of resources used to parameterize this policy"),
			ageColumn(),
		},
		Row: row(func(p *policy, now time.Time) []any {
			param := "<unset>"
			if p.Spec.ParamKind != nil {
				param = p.Spec.ParamKind.APIVersion + "/" + p.Spec.ParamKind.Kind
			}
			return []any{p.Name, int64(len(p.Spec.Validations)), param, age(p.CreationTimestamp, now)}
		}),
	}
}

func validatingAdmissionPolicyBinding() *kind.Kind {
	type binding = admissionregistrationv1.ValidatingAdmissionPolicyBinding
	return &kind.Kind{
		GroupVersionKind: admissionregistrationv1.SchemeGroupVersion.WithKind("ValidatingAdmissionPolicyBinding"),
		Plural:           "validatingadmissionpolicybindings",
		Singular:         "validatingadmissionpolicybinding",
		Categories:       []string{"api-extensions"},
		New:              func() store.Object { return &binding{} },
		NewList:          func() runtime.Object { return &admissionregistrationv1.ValidatingAdmissionPolicyBindingList{} },
		Default:          on(func(b *binding) { defaultMatchResources(b.Spec.MatchResources) }),
		PrepareForCreate: on(func(b *binding) { b.Generation = 1 }),
		PrepareForUpdate: onUpdate(func(b, old *binding) {
			if !equality.Semantic.DeepEqual(b.Spec, old.Spec) {
				b.Generation = old.Generation + 1
			}
		}),
		Validate:       validate(validation.ValidatingAdmissionPolicyBinding),
		ValidateUpdate: validateUpdate(func(b, _ *binding) field.ErrorList { return validation.ValidatingAdmissionPolicyBinding(b) }),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("PolicyName", "PolicyName indicates the policy definition which the policy binding binded to"),
			textColumn("ParamRef", "ParamRef indicates the param resource which sets the configuration param"),
			ageColumn(),
		},
		Row: row(func(b *binding, now time.Time) []any {
			return []any{b.Name, b.Spec.PolicyName, paramName(b.Spec.ParamRef), age(b.CreationTimestamp, now)}
		}),
	}
}

func paramName(ref *admissionregistrationv1.ParamRef) string {
	switch {
	case ref == nil:
	case ref.Name != "" && ref.Namespace != "":
		return ref.Namespace + "/" + ref.Name
	case ref.Name != "":
		return "*/" + ref.Name
	case ref.Selector != nil:
		return selectorText(ref.Selector)
	}
	return "<unset>"
}

// selectorText is what the generated String method writes, which the browser's
// build leaves out with the rest of the protocol buffers.
func selectorText(selector *metav1.LabelSelector) string {
	var text strings.Builder
	text.WriteString("&LabelSelector{MatchLabels:map[string]string{")
	for _, key := range slices.Sorted(maps.Keys(selector.MatchLabels)) {
		fmt.Fprintf(&text, "%s: %s,", key, selector.MatchLabels[key])
	}
	text.WriteString("},MatchExpressions:[]LabelSelectorRequirement{")
	for _, r := range selector.MatchExpressions {
		fmt.Fprintf(&text, "LabelSelectorRequirement{Key:%s,Operator:%s,Values:%v,},", r.Key, r.Operator, r.Values)
	}
	text.WriteString("},}")
	return text.String()
}

// defaultMatchResources: selectors that say nothing select everything.
func defaultMatchResources(match *admissionregistrationv1.MatchResources) {
	if match == nil {
		return
	}
	defaultMatching(&match.MatchPolicy, &match.NamespaceSelector, &match.ObjectSelector)
	for _, rules := range [...][]admissionregistrationv1.NamedRuleWithOperations{match.ResourceRules, match.ExcludeResourceRules} {
		for i := range rules {
			defaultScope(&rules[i].Rule)
		}
	}
}

func defaultMatching(policy **admissionregistrationv1.MatchPolicyType, namespaces, objects **metav1.LabelSelector) {
	if *policy == nil {
		*policy = new(admissionregistrationv1.Equivalent)
	}
	if *namespaces == nil {
		*namespaces = &metav1.LabelSelector{}
	}
	if *objects == nil {
		*objects = &metav1.LabelSelector{}
	}
}

func defaultScope(rule *admissionregistrationv1.Rule) {
	if rule.Scope == nil {
		rule.Scope = new(admissionregistrationv1.AllScopes)
	}
}
