package kinds

import (
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

func validatingWebhookConfiguration() *kind.Kind {
	type config = admissionregistrationv1.ValidatingWebhookConfiguration
	return &kind.Kind{
		GroupVersionKind: admissionregistrationv1.SchemeGroupVersion.WithKind("ValidatingWebhookConfiguration"),
		Plural:           "validatingwebhookconfigurations",
		Singular:         "validatingwebhookconfiguration",
		Categories:       []string{"api-extensions"},
		New:              func() store.Object { return &config{} },
		NewList:          func() runtime.Object { return &admissionregistrationv1.ValidatingWebhookConfigurationList{} },
		Default: on(func(c *config) {
			for i := range c.Webhooks {
				w := &c.Webhooks[i]
				defaultMatching(&w.MatchPolicy, &w.NamespaceSelector, &w.ObjectSelector)
				defaultWebhook(&w.FailurePolicy, &w.TimeoutSeconds, &w.ClientConfig, w.Rules)
			}
		}),
		PrepareForCreate: on(func(c *config) { c.Generation = 1 }),
		PrepareForUpdate: onUpdate(func(c, old *config) {
			if !equality.Semantic.DeepEqual(c.Webhooks, old.Webhooks) {
				c.Generation = old.Generation + 1
			}
		}),
		Validate:                 validate(validation.ValidatingWebhooks),
		ValidateUpdate:           validateUpdate(func(c, _ *config) field.ErrorList { return validation.ValidatingWebhooks(c) }),
		AllowUnconditionalUpdate: true,
		Columns:                  webhookColumns(),
		Row: row(func(c *config, now time.Time) []any {
			return []any{c.Name, int64(len(c.Webhooks)), age(c.CreationTimestamp, now)}
		}),
	}
}

func mutatingWebhookConfiguration() *kind.Kind {
	type config = admissionregistrationv1.MutatingWebhookConfiguration
	return &kind.Kind{
		GroupVersionKind: admissionregistrationv1.SchemeGroupVersion.WithKind("MutatingWebhookConfiguration"),
		Plural:           "mutatingwebhookconfigurations",
		Singular:         "mutatingwebhookconfiguration",
		Categories:       []string{"api-extensions"},
		New:              func() store.Object { return &config{} },
		NewList:          func() runtime.Object { return &admissionregistrationv1.MutatingWebhookConfigurationList{} },
		Default: on(func(c *config) {
			for i := range c.Webhooks {
				w := &c.Webhooks[i]
				defaultMatching(&w.MatchPolicy, &w.NamespaceSelector, &w.ObjectSelector)
				defaultWebhook(&w.FailurePolicy, &w.TimeoutSeconds, &w.ClientConfig, w.Rules)
				if w.ReinvocationPolicy == nil {
					w.ReinvocationPolicy = new(admissionregistrationv1.NeverReinvocationPolicy)
				}
			}
		}),
		PrepareForCreate: on(func(c *config) { c.Generation = 1 }),
		PrepareForUpdate: onUpdate(func(c, old *config) {
			if !equality.Semantic.DeepEqual(c.Webhooks, old.Webhooks) {
				c.Generation = old.Generation + 1
			}
		}),
		Validate:                 validate(validation.MutatingWebhooks),
		ValidateUpdate:           validateUpdate(func(c, _ *config) field.ErrorList { return validation.MutatingWebhooks(c) }),
		AllowUnconditionalUpdate: true,
		Columns:                  webhookColumns(),
		Row: row(func(c *config, now time.Time) []any {
			return []any{c.Name, int64(len(c.Webhooks)), age(c.CreationTimestamp, now)}
		}),
	}
}

func webhookColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		nameColumn(),
		integerColumn("Webhooks", "Webhooks indicates the number of webhooks registered in this configuration"),
		ageColumn(),
	}
}

func defaultWebhook(policy **admissionregistrationv1.FailurePolicyType, timeout **int32, client *admissionregistrationv1.WebhookClientConfig, rules []admissionregistrationv1.RuleWithOperations) {
	if *policy == nil {
		*policy = new(admissionregistrationv1.Fail)
	}
	if *timeout == nil {
		*timeout = new(int32(10))
	}
	if client.Service != nil && client.Service.Port == nil {
		client.Service.Port = new(int32(443))
	}
	for i := range rules {
		defaultScope(&rules[i].Rule)
	}
}
