package validation

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// APIService checks a new APIService
// (k8s.io/kube-aggregator/pkg/apis/apiregistration/validation upstream).
func APIService(s *apiregistrationv1.APIService) field.ErrorList {
	errs := apiServiceName(s)
	spec := field.NewPath("spec")
	if s.Spec.Group == "" && s.Spec.Version != "v1" {
		errs = append(errs, field.Required(spec.Child("group"), "only v1 may have an empty group and it better be legacy kube"))
	}
	if s.Spec.Group != "" {
		errs = append(errs, invalid(spec.Child("group"), s.Spec.Group, dnsSubdomain(s.Spec.Group))...)
	}
	errs = append(errs, invalid(spec.Child("version"), s.Spec.Version, validation.IsDNS1035Label(s.Spec.Version))...)
	if least := s.Spec.GroupPriorityMinimum; least <= 0 || least > 20000 {
		errs = append(errs, field.Invalid(spec.Child("groupPriorityMinimum"), least, "must be positive and less than 20000"))
	}
	if priority := s.Spec.VersionPriority; priority <= 0 || priority > 1000 {
		errs = append(errs, field.Invalid(spec.Child("versionPriority"), priority, "must be positive and less than 1000"))
	}
	if s.Spec.Service == nil {
		return append(errs, localAPIService(&s.Spec, spec)...)
	}
	return append(errs, apiServiceReference(&s.Spec, spec)...)
}

// apiServiceName: the name says which group version it is.
func apiServiceName(s *apiregistrationv1.APIService) field.ErrorList {
	path := field.NewPath("metadata", "name")
	if s.Name == "" {
		return nil // what every object is told
	}
	if messages := content.IsPathSegmentName(s.Name); len(messages) > 0 {
		return invalid(path, s.Name, messages)
	}
	if required := s.Spec.Version + "." + s.Spec.Group; s.Name != required {
		return field.ErrorList{field.Invalid(path, s.Name, fmt.Sprintf("must be `spec.version+\".\"+spec.group`: %q", required))}
	}
	return nil
}

func localAPIService(s *apiregistrationv1.APIServiceSpec, path *field.Path) (errs field.ErrorList) {
	if len(s.CABundle) > 0 {
		errs = append(errs, field.Invalid(path.Child("caBundle"), fmt.Sprintf("%d bytes", len(s.CABundle)), "local APIServices may not have a caBundle"))
	}
	if s.InsecureSkipTLSVerify {
		errs = append(errs, field.Invalid(path.Child("insecureSkipTLSVerify"), true, "local APIServices may not have insecureSkipTLSVerify"))
	}
	return errs
}

func apiServiceReference(s *apiregistrationv1.APIServiceSpec, path *field.Path) (errs field.ErrorList) {
	at := path.Child("service")
	if s.Service.Namespace == "" {
		errs = append(errs, field.Required(at.Child("namespace"), ""))
	}
	if s.Service.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	if s.Service.Port != nil {
		if messages := validation.IsValidPortNum(int(*s.Service.Port)); len(messages) > 0 {
			errs = append(errs, field.Invalid(at.Child("port"), *s.Service.Port, "port is not valid: "+strings.Join(messages, ", ")))
		}
	}
	if s.InsecureSkipTLSVerify && len(s.CABundle) > 0 {
		errs = append(errs, field.Invalid(path.Child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present"))
	}
	return errs
}

// APIServiceUpdate checks an APIService that replaces another.
func APIServiceUpdate(s, _ *apiregistrationv1.APIService) field.ErrorList { return APIService(s) }

// APIServiceStatusUpdate checks the status alone.
func APIServiceStatusUpdate(s, _ *apiregistrationv1.APIService) (errs field.ErrorList) {
	for i, c := range s.Status.Conditions {
		errs = append(errs, supportedOnly(field.NewPath("status", "conditions").Index(i).Child("status"), c.Status,
			apiregistrationv1.ConditionTrue, apiregistrationv1.ConditionFalse, apiregistrationv1.ConditionUnknown)...)
	}
	return errs
}
