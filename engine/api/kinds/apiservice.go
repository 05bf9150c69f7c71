package kinds

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// apiService: engine/controller/apiservices keeps those of the served group
// versions (k8s.io/kube-aggregator/pkg/registry/apiservice upstream).
func apiService() *kind.Kind {
	type service = apiregistrationv1.APIService
	return &kind.Kind{
		GroupVersionKind: apiregistrationv1.SchemeGroupVersion.WithKind("APIService"),
		Plural:           "apiservices",
		Singular:         "apiservice",
		Categories:       []string{"api-extensions"},
		New:              func() store.Object { return &service{} },
		NewList:          func() runtime.Object { return &apiregistrationv1.APIServiceList{} },
		Default: on(func(s *service) {
			if s.Spec.Service != nil && s.Spec.Service.Port == nil {
				s.Spec.Service.Port = new(int32(443))
			}
		}),
		PrepareForCreate: on(func(s *service) {
			s.Status = apiregistrationv1.APIServiceStatus{}
			if s.Spec.Service == nil { // local ones are available at once
				s.Status.Conditions = []apiregistrationv1.APIServiceCondition{{
					Type:    apiregistrationv1.Available,
					Status:  apiregistrationv1.ConditionTrue,
					Reason:  "Local",
					Message: "Local APIServices are always available",
				}}
			}
		}),
		PrepareForUpdate: onUpdate(func(s, old *service) { s.Status = old.Status }),
		PrepareForStatusUpdate: onUpdate(func(s, old *service) {
			s.Spec = old.Spec
			s.Labels, s.Annotations = old.Labels, old.Annotations
			s.Finalizers, s.OwnerReferences = old.Finalizers, old.OwnerReferences
		}),
		Stamp: func(obj, old store.Object, now metav1.Time) {
			s := obj.(*service)
			for i := range s.Status.Conditions {
				if old == nil {
					s.Status.Conditions[i].LastTransitionTime = now
				}
			}
		},
		Resets: map[string][][]string{
			"":       {{"status"}},
			"status": {{"spec"}, {"metadata"}},
		},
		ValidateName:         func(string, bool) []string { return nil }, // it follows from the spec
		Validate:             validate(validation.APIService),
		ValidateUpdate:       validateUpdate(validation.APIServiceUpdate),
		ValidateStatusUpdate: validateUpdate(validation.APIServiceStatusUpdate),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Service", "The reference to the service that hosts this API endpoint."),
			textColumn("Available", "Whether this service is available."),
			ageColumn(),
		},
		Row: row(func(s *service, now time.Time) []any {
			at := "Local"
			if s.Spec.Service != nil {
				at = s.Spec.Service.Namespace + "/" + s.Spec.Service.Name
			}
			return []any{s.Name, at, availability(s), age(s.CreationTimestamp, now)}
		}),
	}
}

func availability(s *apiregistrationv1.APIService) string {
	for _, c := range s.Status.Conditions {
		switch {
		case c.Type != apiregistrationv1.Available:
		case c.Status != apiregistrationv1.ConditionTrue && c.Reason != "":
			return fmt.Sprintf("%s (%s)", c.Status, c.Reason)
		default:
			return string(c.Status)
		}
	}
	return string(apiregistrationv1.ConditionUnknown)
}
