package validation

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// reviewVersions are those of AdmissionReview that clients may offer.
var reviewVersions = []string{"v1", "v1beta1"}

// ValidatingWebhooks checks a ValidatingWebhookConfiguration, but for what its
// expressions say.
func ValidatingWebhooks(config *admissionregistrationv1.ValidatingWebhookConfiguration) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	for i := range config.Webhooks {
		w := &config.Webhooks[i]
		errs = append(errs, webhook(field.NewPath("webhooks").Index(i), seen, &webhookFields{
			w.Name, w.Rules, w.FailurePolicy, w.MatchPolicy, w.SideEffects, w.TimeoutSeconds, w.NamespaceSelector, w.ObjectSelector,
			nil, &w.ClientConfig, w.MatchConditions, w.AdmissionReviewVersions})...)
	}
	return errs
}

// MutatingWebhooks checks a MutatingWebhookConfiguration, but for what its
// expressions say.
func MutatingWebhooks(config *admissionregistrationv1.MutatingWebhookConfiguration) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	for i := range config.Webhooks {
		w := &config.Webhooks[i]
		errs = append(errs, webhook(field.NewPath("webhooks").Index(i), seen, &webhookFields{
			w.Name, w.Rules, w.FailurePolicy, w.MatchPolicy, w.SideEffects, w.TimeoutSeconds, w.NamespaceSelector, w.ObjectSelector,
			w.ReinvocationPolicy, &w.ClientConfig, w.MatchConditions, w.AdmissionReviewVersions})...)
	}
	return errs
}

// webhookFields are those of both kinds of webhooks.
type webhookFields struct {
	name                              string
	rules                             []admissionregistrationv1.RuleWithOperations
	failurePolicy                     *admissionregistrationv1.FailurePolicyType
	matchPolicy                       *admissionregistrationv1.MatchPolicyType
	sideEffects                       *admissionregistrationv1.SideEffectClass
	timeoutSeconds                    *int32
	namespaceSelector, objectSelector *metav1.LabelSelector
	reinvocation                      *admissionregistrationv1.ReinvocationPolicyType
	client                            *admissionregistrationv1.WebhookClientConfig
	conditions                        []admissionregistrationv1.MatchCondition
	versions                          []string
}

func webhook(path *field.Path, seen map[string]bool, w *webhookFields) field.ErrorList {
	errs := validation.IsFullyQualifiedName(path.Child("name"), w.name)
	for i := range w.rules {
		errs = append(errs, admissionRule(path.Child("rules").Index(i), &w.rules[i])...)
	}
	if w.failurePolicy != nil {
		errs = append(errs, failurePolicy(path, *w.failurePolicy)...)
	}
	if w.matchPolicy != nil {
		errs = append(errs, matchPolicy(path, *w.matchPolicy)...)
	}
	if w.sideEffects == nil {
		errs = append(errs, field.Required(path.Child("sideEffects"), "must specify one of None, NoneOnDryRun"))
	} else {
		errs = append(errs, supportedOnly(path.Child("sideEffects"), *w.sideEffects, admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.SideEffectClassNoneOnDryRun)...)
	}
	if w.timeoutSeconds != nil && (*w.timeoutSeconds > 30 || *w.timeoutSeconds < 1) {
		errs = append(errs, field.Invalid(path.Child("timeoutSeconds"), *w.timeoutSeconds, "the timeout value must be between 1 and 30 seconds"))
	}
	options := metav1validation.LabelSelectorValidationOptions{}
	if w.namespaceSelector != nil {
		errs = append(errs, metav1validation.ValidateLabelSelector(w.namespaceSelector, options, path.Child("namespaceSelector"))...)
	}
	if w.objectSelector != nil {
		errs = append(errs, metav1validation.ValidateLabelSelector(w.objectSelector, options, path.Child("objectSelector"))...)
	}
	if w.reinvocation != nil {
		errs = append(errs, supportedOnly(path.Child("reinvocationPolicy"), *w.reinvocation, admissionregistrationv1.IfNeededReinvocationPolicy, admissionregistrationv1.NeverReinvocationPolicy)...)
	}
	errs = append(errs, webhookClient(path.Child("clientConfig"), w.client)...)
	errs = append(errs, matchConditions(path.Child("matchConditions"), w.conditions)...)
	errs = append(errs, webhookVersions(path.Child("admissionReviewVersions"), w.versions)...)
	if w.name != "" && seen[w.name] {
		errs = append(errs, field.Duplicate(path.Child("name"), w.name))
	}
	seen[w.name] = true
	return errs
}

func webhookVersions(path *field.Path, versions []string) field.ErrorList {
	if len(versions) == 0 {
		return field.ErrorList{field.Required(path, "must specify one of "+strings.Join(reviewVersions, ", "))}
	}
	var errs field.ErrorList
	known := false
	for i, version := range versions {
		if slices.Contains(versions[:i], version) {
			errs = append(errs, field.Invalid(path.Index(i), version, "duplicate version"))
			continue
		}
		errs = append(errs, invalid(path.Index(i), version, validation.IsDNS1035Label(version))...)
		known = known || slices.Contains(reviewVersions, version)
	}
	if !known {
		errs = append(errs, field.Invalid(path, versions, "must include at least one of "+strings.Join(reviewVersions, ", ")))
	}
	return errs
}

func webhookClient(path *field.Path, client *admissionregistrationv1.WebhookClientConfig) field.ErrorList {
	switch {
	case (client.URL == nil) == (client.Service == nil):
		return field.ErrorList{field.Required(path, "exactly one of url or service is required")}
	case client.URL != nil:
		return webhookURL(path.Child("url"), *client.URL)
	}
	return webhookService(path.Child("service"), client.Service)
}

// webhookURL is k8s.io/apiserver/pkg/util/webhook.ValidateWebhookURL.
func webhookURL(path *field.Path, text string) field.ErrorList {
	const form = "; desired format: https://host[/path]"
	u, err := url.Parse(text)
	if err != nil {
		return field.ErrorList{field.Required(path, "url must be a valid URL: "+err.Error()+form)}
	}
	var errs field.ErrorList
	if u.Scheme != "https" {
		errs = append(errs, field.Invalid(path, u.Scheme, "'https' is the only allowed URL scheme"+form))
	}
	if u.Host == "" {
		errs = append(errs, field.Invalid(path, u.Host, "host must be specified"+form))
	}
	if u.User != nil {
		errs = append(errs, field.Invalid(path, u.User.String(), "user information is not permitted in the URL"))
	}
	if u.Fragment != "" {
		errs = append(errs, field.Invalid(path, u.Fragment, "fragments are not permitted in the URL"))
	}
	if u.RawQuery != "" {
		errs = append(errs, field.Invalid(path, u.RawQuery, "query parameters are not permitted in the URL"))
	}
	return errs
}

func webhookService(path *field.Path, service *admissionregistrationv1.ServiceReference) field.ErrorList {
	var errs field.ErrorList
	if service.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), ""))
	}
	if service.Namespace == "" {
		errs = append(errs, field.Required(path.Child("namespace"), ""))
	}
	if service.Port != nil {
		if problems := validation.IsValidPortNum(int(*service.Port)); problems != nil {
			errs = append(errs, field.Invalid(path.Child("port"), *service.Port, "port is not valid: "+strings.Join(problems, ", ")))
		}
	}
	if service.Path == nil || *service.Path == "" || *service.Path == "/" {
		return errs
	}
	at, text := path.Child("path"), *service.Path
	if text == "//" {
		return append(errs, field.Invalid(at, text, "segment[0] may not be empty"))
	}
	if !strings.HasPrefix(text, "/") {
		errs = append(errs, field.Invalid(at, text, "must start with a '/'"))
	}
	for i, segment := range strings.Split(strings.TrimSuffix(text[1:], "/"), "/") {
		if segment == "" {
			errs = append(errs, field.Invalid(at, text, fmt.Sprintf("segment[%d] may not be empty", i)))
			continue
		}
		for _, problem := range validation.IsDNS1123Subdomain(segment) {
			errs = append(errs, field.Invalid(at, text, fmt.Sprintf("segment[%d]: %v", i, problem)))
		}
	}
	return errs
}
