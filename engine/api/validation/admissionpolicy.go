package validation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidatingAdmissionPolicy checks a policy, new or changed, but for what its
// expressions say: that takes a CEL evaluator.
func ValidatingAdmissionPolicy(policy *admissionregistrationv1.ValidatingAdmissionPolicy) field.ErrorList {
	const mostAnnotations = 20
	var errs field.ErrorList
	spec, path := &policy.Spec, field.NewPath("spec")
	if spec.FailurePolicy == nil {
		errs = append(errs, field.Required(path.Child("failurePolicy"), ""))
	} else {
		errs = append(errs, failurePolicy(path, *spec.FailurePolicy)...)
	}
	if spec.ParamKind != nil {
		errs = append(errs, paramKind(path.Child("paramKind"), spec.ParamKind)...)
	}
	if spec.MatchConstraints == nil {
		errs = append(errs, field.Required(path.Child("matchConstraints"), ""))
	} else {
		errs = append(errs, matchResources(path.Child("matchConstraints"), spec.MatchConstraints)...)
		if len(spec.MatchConstraints.ResourceRules) == 0 {
			errs = append(errs, field.Required(path.Child("matchConstraints", "resourceRules"), ""))
		}
	}
	errs = append(errs, matchConditions(path.Child("matchConditions"), spec.MatchConditions)...)
	for i := range spec.Variables {
		errs = append(errs, policyVariable(path.Child("variables").Index(i), &spec.Variables[i])...)
	}
	if len(spec.Validations) == 0 && len(spec.AuditAnnotations) == 0 {
		const neither = "validations or auditAnnotations must contain at least one item"
		return append(errs, field.Required(path.Child("validations"), neither), field.Required(path.Child("auditAnnotations"), neither))
	}
	for i := range spec.Validations {
		errs = append(errs, policyValidation(path.Child("validations").Index(i), &spec.Validations[i])...)
	}
	if len(spec.AuditAnnotations) > mostAnnotations {
		errs = append(errs, field.Invalid(path.Child("auditAnnotations"), internal(spec.AuditAnnotations), fmt.Sprintf("must not have more than %d auditAnnotations", mostAnnotations)))
	}
	seen := map[string]bool{}
	for i := range spec.AuditAnnotations {
		annotation, at := &spec.AuditAnnotations[i], path.Child("auditAnnotations").Index(i)
		errs = append(errs, policyAnnotation(at, policy.Name, annotation)...)
		if seen[annotation.Key] {
			errs = append(errs, field.Duplicate(at.Child("key"), annotation.Key))
		}
		seen[annotation.Key] = true
	}
	return errs
}

func paramKind(path *field.Path, param *admissionregistrationv1.ParamKind) field.ErrorList {
	var errs field.ErrorList
	group, version, grouped := strings.Cut(param.APIVersion, "/")
	if !grouped {
		group, version = "", group
	}
	at := path.Child("apiVersion")
	switch {
	case param.APIVersion == "":
		errs = append(errs, field.Required(at, ""))
	case strings.Contains(version, "/"):
		errs = append(errs, field.Invalid(at, param.APIVersion, "unexpected GroupVersion string: "+param.APIVersion))
	default:
		if problems := validation.IsDNS1123Subdomain(group); group != "" && len(problems) > 0 {
			errs = append(errs, field.Invalid(at, group, strings.Join(problems, ",")))
		}
		if version == "" {
			errs = append(errs, field.Invalid(at, param.APIVersion, "version must be specified"))
		} else if problems := validation.IsDNS1035Label(version); len(problems) > 0 {
			errs = append(errs, field.Invalid(at, version, strings.Join(problems, ",")))
		}
	}
	if param.Kind == "" {
		errs = append(errs, field.Required(path.Child("kind"), ""))
	} else if problems := validation.IsDNS1035Label(strings.ToLower(param.Kind)); len(problems) > 0 {
		errs = append(errs, field.Invalid(path.Child("kind"), param.Kind, "may have mixed case, but should otherwise match: "+strings.Join(problems, ",")))
	}
	return errs
}

var (
	celIdentifier = regexp.MustCompile("^[_a-zA-Z][_a-zA-Z0-9]*$")
	celReserved   = []string{"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if",
		"import", "let", "loop", "package", "namespace", "return", "var", "void", "while"}
)

func policyVariable(path *field.Path, variable *admissionregistrationv1.Variable) field.ErrorList {
	var errs field.ErrorList
	if strings.TrimSpace(variable.Name) == "" {
		errs = append(errs, field.Required(path.Child("name"), "name is not specified"))
	} else if !celIdentifier.MatchString(variable.Name) || slices.Contains(celReserved, variable.Name) {
		errs = append(errs, field.Invalid(path.Child("name"), variable.Name, "must be a valid CEL identifier"))
	}
	if strings.TrimSpace(variable.Expression) == "" {
		errs = append(errs, field.Required(path.Child("expression"), "expression is not specified"))
	}
	return errs
}

func policyValidation(path *field.Path, check *admissionregistrationv1.Validation) field.ErrorList {
	var errs field.ErrorList
	if strings.TrimSpace(check.Expression) == "" {
		errs = append(errs, field.Required(path.Child("expression"), "expression is not specified"))
	}
	if check.MessageExpression != "" && strings.TrimSpace(check.MessageExpression) == "" {
		errs = append(errs, field.Invalid(path.Child("messageExpression"), check.MessageExpression, "must be non-empty if specified"))
	}
	if message := strings.TrimSpace(check.Message); check.Message != "" && message == "" {
		errs = append(errs, field.Invalid(path.Child("message"), check.Message, "must be non-empty if specified"))
	} else if strings.ContainsAny(message, "\n\r") {
		errs = append(errs, field.Invalid(path.Child("message"), check.Message, "must not contain line breaks"))
	}
	if check.Reason != nil {
		errs = append(errs, supportedOnly(path.Child("reason"), *check.Reason, metav1.StatusReasonForbidden, metav1.StatusReasonInvalid, metav1.StatusReasonRequestEntityTooLarge)...)
	}
	return errs
}

func policyAnnotation(path *field.Path, policy string, annotation *admissionregistrationv1.AuditAnnotation) field.ErrorList {
	const longest = 5 * 1024
	var errs field.ErrorList
	if policy == "" {
		errs = append(errs, field.Invalid(path.Child("key"), annotation.Key, "requires metadata.name be non-empty"))
	} else {
		key := policy + "/" + annotation.Key
		errs = append(errs, invalid(path.Child("key"), key, qualifiedName(key))...)
	}
	switch expression := strings.TrimSpace(annotation.ValueExpression); {
	case expression == "":
		errs = append(errs, field.Required(path.Child("valueExpression"), "valueExpression is not specified"))
	case len(expression) > longest:
		errs = append(errs, field.Required(path.Child("valueExpression"), fmt.Sprintf("must not exceed %d bytes in length", longest)))
	}
	return errs
}

// ValidatingAdmissionPolicyBinding checks a binding, new or changed.
func ValidatingAdmissionPolicyBinding(binding *admissionregistrationv1.ValidatingAdmissionPolicyBinding) field.ErrorList {
	var errs field.ErrorList
	spec, path := &binding.Spec, field.NewPath("spec")
	if spec.PolicyName == "" {
		errs = append(errs, field.Required(path.Child("policyName"), ""))
	} else {
		errs = append(errs, invalid(path.Child("policyName"), spec.PolicyName, apivalidation.NameIsDNSSubdomain(spec.PolicyName, false))...)
	}
	errs = append(errs, paramRef(path.Child("paramRef"), spec.ParamRef)...)
	errs = append(errs, matchResources(path.Child("matchResources"), spec.MatchResources)...)
	return append(errs, validationActions(path.Child("validationActions"), spec.ValidationActions)...)
}

func paramRef(path *field.Path, ref *admissionregistrationv1.ParamRef) field.ErrorList {
	if ref == nil {
		return nil
	}
	const exclusive = "name and selector are mutually exclusive"
	var errs field.ErrorList
	if ref.Name != "" {
		errs = append(errs, invalid(path.Child("name"), ref.Name, content.IsPathSegmentName(ref.Name))...)
		if ref.Selector != nil {
			errs = append(errs, field.Forbidden(path.Child("name"), exclusive))
		}
	}
	if ref.Selector != nil {
		errs = append(errs, metav1validation.ValidateLabelSelector(ref.Selector, metav1validation.LabelSelectorValidationOptions{}, path.Child("selector"))...)
		if ref.Name != "" {
			errs = append(errs, field.Forbidden(path.Child("selector"), exclusive))
		}
	}
	if ref.Name == "" && ref.Selector == nil {
		errs = append(errs, field.Required(path, "one of name or selector must be specified"))
	}
	if action := ref.ParameterNotFoundAction; action == nil || *action == "" {
		errs = append(errs, field.Required(path.Child("parameterNotFoundAction"), ""))
	} else {
		errs = append(errs, supportedOnly(path.Child("parameterNotFoundAction"), *action, admissionregistrationv1.DenyAction, admissionregistrationv1.AllowAction)...)
	}
	return errs
}

func validationActions(path *field.Path, actions []admissionregistrationv1.ValidationAction) field.ErrorList {
	var errs field.ErrorList
	for i, action := range actions {
		errs = append(errs, supportedOnly(path.Index(i), action, admissionregistrationv1.Audit, admissionregistrationv1.Deny, admissionregistrationv1.Warn)...)
		if slices.Contains(actions[:i], action) {
			errs = append(errs, field.Duplicate(path.Index(i), action))
		}
	}
	if slices.Contains(actions, admissionregistrationv1.Deny) && slices.Contains(actions, admissionregistrationv1.Warn) {
		errs = append(errs, field.Invalid(path, actions, "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"))
	}
	if len(actions) == 0 {
		errs = append(errs, field.Required(path, "at least one validation action is required"))
	}
	return errs
}
