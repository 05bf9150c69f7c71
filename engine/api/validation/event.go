package validation

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	maxEventText    = 128
	maxEventMessage = 1024
)

// Event checks an event; those with an eventTime are of the newer kind, which
// must say who reports what.
func Event(e *corev1.Event) field.ErrorList {
	mismatch := func() *field.Error {
		return field.Invalid(field.NewPath("involvedObject", "namespace"), e.InvolvedObject.Namespace, "does not match event.namespace")
	}
	if e.EventTime.IsZero() {
		switch e.InvolvedObject.Namespace {
		case e.Namespace:
			return nil
		case "":
			if e.Namespace == metav1.NamespaceDefault {
				return nil
			}
		}
		return field.ErrorList{mismatch()}
	}
	var errs field.ErrorList
	if e.InvolvedObject.Namespace == "" && e.Namespace != metav1.NamespaceDefault && e.Namespace != metav1.NamespaceSystem {
		errs = append(errs, mismatch())
	}
	if e.ReportingController == "" {
		errs = append(errs, field.Required(field.NewPath("reportingComponent"), ""))
	}
	errs = append(errs, invalid(field.NewPath("reportingComponent"), e.ReportingController, qualifiedName(e.ReportingController))...)
	errs = append(errs, eventText("reportingInstance", e.ReportingInstance)...)
	errs = append(errs, eventText("action", e.Action)...)
	errs = append(errs, eventText("reason", e.Reason)...)
	if len(e.Message) > maxEventMessage {
		errs = append(errs, field.Invalid(field.NewPath("message"), "", fmt.Sprintf("can have at most %v characters", maxEventMessage)))
	}
	return errs
}

func eventText(name, value string) field.ErrorList {
	switch {
	case value == "":
		return field.ErrorList{field.Required(field.NewPath(name), "")}
	case len(value) > maxEventText:
		return field.ErrorList{field.Invalid(field.NewPath(name), "", fmt.Sprintf("can have at most %v characters", maxEventText))}
	}
	return nil
}
