// Package events records Kubernetes Events about objects: who (a component)
// saw what (a reason and a message) happen to which object. It correlates as
// client-go's recorder does (k8s.io/client-go/tools/record/events_cache.go): a
// repeated event raises the count of the one that exists, many similar ones are
// combined into one, and a component that floods one object is muted.
package events

import (
	"cmp"
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Recorder writes the events of one component.
type Recorder interface {
	// Event records that something happened to obj: eventType is
	// corev1.EventTypeNormal or EventTypeWarning, reason a CamelCase word for
	// machines, message a sentence for people. An event that can't be written
	// is lost: events inform, nothing depends on them.
	Event(ctx context.Context, obj store.Object, eventType, reason, message string)
	// EventAt is Event about a part of obj, for instance
	// "spec.containers{nginx}".
	EventAt(ctx context.Context, obj store.Object, fieldPath, eventType, reason, message string)
}

const resource = "events"

type recorder struct {
	client     client.Client
	clock      clock.Clock
	source     corev1.EventSource
	correlator *correlator
}

// NewRecorder returns the recorder of a component, for instance
// "deployment-controller". host is the node's name for a component that runs on
// a node, otherwise empty.
func NewRecorder(client client.Client, clock clock.Clock, component, host string) Recorder {
	return &recorder{
		client:     client,
		clock:      clock,
		source:     corev1.EventSource{Component: component, Host: host},
		correlator: &correlator{objects: map[types.UID]*involved{}},
	}
}

func (r *recorder) Event(ctx context.Context, obj store.Object, eventType, reason, message string) {
	r.EventAt(ctx, obj, "", eventType, reason, message)
}

func (r *recorder) EventAt(ctx context.Context, obj store.Object, fieldPath, eventType, reason, message string) {
	now := r.clock.Now()
	seen := r.correlator.observe(obj.GetUID(), fieldPath, eventType, reason, message, now)
	if seen.muted {
		return
	}
	if seen.combined {
		message = "(combined from similar events): " + message
	}
	if seen.name != "" && !errors.IsNotFound(r.repeat(ctx, namespaceOf(obj.GetNamespace()), &seen, message, now)) {
		return
	} // it has expired: record it anew
	involved := reference(obj)
	involved.FieldPath = fieldPath
	r.create(ctx, corev1.Event{
		InvolvedObject:      involved,
		Reason:              reason,
		Message:             message,
		FirstTimestamp:      seen.first,
		LastTimestamp:       metav1.NewTime(now),
		Count:               seen.count,
		Type:                eventType,
		Source:              r.source,
		ReportingController: r.source.Component,
		ReportingInstance:   r.source.Host,
	}, &seen)
}

// create writes a new event, whose name another component may have taken at the
// same time.
func (r *recorder) create(ctx context.Context, event corev1.Event, seen *sighting) {
	event.Namespace = namespaceOf(event.InvolvedObject.Namespace)
	for suffix := seen.suffix; ; suffix++ {
		named := event // writing fills it in
		named.Name = event.InvolvedObject.Name + "." + strconv.FormatInt(suffix, 16)
		_, err := r.client.Create(ctx, resource, &named)
		if errors.IsAlreadyExists(err) {
			continue
		}
		if err == nil {
			r.correlator.record(seen, named.Name)
		}
		return
	}
}

func (r *recorder) repeat(ctx context.Context, namespace string, seen *sighting, message string, now time.Time) error {
	_, err := client.Modify(ctx, r.client, resource, namespace, seen.name, r.client.Update,
		func(event *corev1.Event) bool {
			event.Count = seen.count
			event.Message = message
			event.LastTimestamp = metav1.NewTime(now)
			return true
		})
	return err
}

// namespaceOf is where an event about an object of a namespace, or of none, is.
func namespaceOf(namespace string) string {
	return cmp.Or(namespace, metav1.NamespaceDefault)
}

// reference names an object for an event.
func reference(obj store.Object) corev1.ObjectReference {
	ref := corev1.ObjectReference{
		Namespace:       obj.GetNamespace(),
		Name:            obj.GetName(),
		UID:             obj.GetUID(),
		ResourceVersion: obj.GetResourceVersion(),
	}
	ref.APIVersion, ref.Kind = obj.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	return ref
}
