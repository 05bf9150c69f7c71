package kinds

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// newEvent is events.k8s.io/v1: the events of core/v1 under newer names
// (k8s.io/kubernetes/pkg/apis/events/v1/conversion.go upstream).
var newEvent = kind.Version{
	GroupVersionKind: eventsv1.SchemeGroupVersion.WithKind("Event"),
	New:              func() store.Object { return &eventsv1.Event{} },
	Show:             func(obj store.Object) store.Object { return showEvent(obj.(*corev1.Event)) },
	Read:             func(obj store.Object) store.Object { return readEvent(obj.(*eventsv1.Event)) },
	Field: func(name string) string {
		switch name {
		case "note":
			return "message"
		case "reportingController":
			return "reportingComponent"
		}
		if rest, ok := strings.CutPrefix(name, "regarding."); ok {
			return "involvedObject." + rest
		}
		return name
	},
}

func showEvent(e *corev1.Event) *eventsv1.Event {
	shown := &eventsv1.Event{
		ObjectMeta:               e.ObjectMeta,
		EventTime:                e.EventTime,
		ReportingController:      e.ReportingController,
		ReportingInstance:        e.ReportingInstance,
		Action:                   e.Action,
		Reason:                   e.Reason,
		Regarding:                e.InvolvedObject,
		Related:                  e.Related,
		Note:                     e.Message,
		Type:                     e.Type,
		DeprecatedSource:         e.Source,
		DeprecatedFirstTimestamp: e.FirstTimestamp,
		DeprecatedLastTimestamp:  e.LastTimestamp,
		DeprecatedCount:          e.Count,
	}
	if e.Series != nil {
		shown.Series = &eventsv1.EventSeries{Count: e.Series.Count, LastObservedTime: e.Series.LastObservedTime}
	}
	shown.SetGroupVersionKind(eventsv1.SchemeGroupVersion.WithKind("Event"))
	return shown
}

func readEvent(e *eventsv1.Event) *corev1.Event {
	stored := &corev1.Event{
		ObjectMeta:          e.ObjectMeta,
		EventTime:           e.EventTime,
		ReportingController: e.ReportingController,
		ReportingInstance:   e.ReportingInstance,
		Action:              e.Action,
		Reason:              e.Reason,
		InvolvedObject:      e.Regarding,
		Related:             e.Related,
		Message:             e.Note,
		Type:                e.Type,
		Source:              e.DeprecatedSource,
		FirstTimestamp:      e.DeprecatedFirstTimestamp,
		LastTimestamp:       e.DeprecatedLastTimestamp,
		Count:               e.DeprecatedCount,
	}
	if e.Series != nil {
		stored.Series = &corev1.EventSeries{Count: e.Series.Count, LastObservedTime: e.Series.LastObservedTime}
	}
	stored.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Event"))
	return stored
}
