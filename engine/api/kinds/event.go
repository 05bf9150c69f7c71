package kinds

import (
	"cmp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func event() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("Event"),
		Versions:                 []kind.Version{newEvent},
		Plural:                   "events",
		Singular:                 "event",
		ShortNames:               []string{"ev"},
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.Event{} },
		NewList:                  func() runtime.Object { return &corev1.EventList{} },
		ValidateName:             eventName,
		Validate:                 validate(validation.Event),
		ValidateUpdate:           validateUpdate(func(e, _ *corev1.Event) field.ErrorList { return validation.Event(e) }),
		AllowCreateOnUpdate:      true,
		AllowUnconditionalUpdate: true,
		Fields:                   selectable(eventFields),
		Columns:                  eventColumns(),
		Row:                      row(eventRow),
	}
}

// eventName takes any name that fits into a URL: events are named after their
// objects.
func eventName(name string, _ bool) []string { return content.IsPathSegmentName(name) }

func eventFields(e *corev1.Event) fields.Set {
	return fields.Set{
		"involvedObject.kind":            e.InvolvedObject.Kind,
		"involvedObject.namespace":       e.InvolvedObject.Namespace,
		"involvedObject.name":            e.InvolvedObject.Name,
		"involvedObject.uid":             string(e.InvolvedObject.UID),
		"involvedObject.apiVersion":      e.InvolvedObject.APIVersion,
		"involvedObject.resourceVersion": e.InvolvedObject.ResourceVersion,
		"involvedObject.fieldPath":       e.InvolvedObject.FieldPath,
		"reason":                         e.Reason,
		"reportingComponent":             e.ReportingController,
		"source":                         cmp.Or(e.Source.Component, e.ReportingController),
		"type":                           e.Type,
	}
}

func eventColumns() []metav1.TableColumnDefinition {
	columns := []metav1.TableColumnDefinition{
		textColumn("Last Seen", "The time at which the most recent occurrence of this event was recorded."),
		textColumn("Type", "Type of this event (Normal, Warning), new types could be added in the future"),
		textColumn("Reason", "This should be a short, machine understandable string that gives the reason for the transition into the object's current status."),
		textColumn("Object", "The object that this event is about."),
	}
	columns = append(columns, wide(
		textColumn("Subobject", "If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this would take on a value like: \"spec.containers{name}\" (where \"name\" refers to the name of the container that triggered the event) or if no container name is specified \"spec.containers[2]\" (container with index 2 in this pod). This syntax is chosen only to have some well-defined way of referencing a part of an object."),
		textColumn("Source", "The component reporting this event. Should be a short machine understandable string."),
	)...)
	columns = append(columns, textColumn("Message", "A human-readable description of the status of this operation."))
	return append(columns, wide(
		textColumn("First Seen", "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)"),
		textColumn("Count", "The number of times this event has occurred."),
		nameColumn(),
	)...)
}

func eventRow(e *corev1.Event, now time.Time) []any {
	first := age(e.FirstTimestamp, now)
	if e.FirstTimestamp.IsZero() {
		first = age(metav1.Time(e.EventTime), now)
	}
	last := age(e.LastTimestamp, now)
	if e.LastTimestamp.IsZero() {
		last = first
	}
	count := e.Count
	if e.Series != nil {
		last = age(metav1.Time(e.Series.LastObservedTime), now)
		count = e.Series.Count
	} else if count == 0 {
		count = 1
	}
	object := strings.ToLower(e.InvolvedObject.Kind)
	if e.InvolvedObject.Name != "" {
		object += "/" + e.InvolvedObject.Name
	}
	source := cmp.Or(e.Source.Component, e.ReportingController)
	if host := cmp.Or(e.Source.Host, e.ReportingInstance); host != "" {
		source += ", " + host
	}
	return []any{
		last, e.Type, e.Reason, object, e.InvolvedObject.FieldPath, source,
		strings.TrimSpace(e.Message), first, int64(count), e.Name,
	}
}
