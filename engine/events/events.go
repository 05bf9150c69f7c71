// Package events records Kubernetes Events about objects: who (a component)
// saw what (a reason and a message) happen to which object. It correlates as
// client-go's recorder does (k8s.io/client-go/tools/record/events_cache.go): a
// repeated event raises the count of the one that exists, many similar ones are
// combined into one, and a component that floods one object is muted.
package events

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
		correlator: newCorrelator(),
	}
}

func (r *recorder) Event(ctx context.Context, obj store.Object, eventType, reason, message string) {
	r.EventAt(ctx, obj, "", eventType, reason, message)
}

func (r *recorder) EventAt(ctx context.Context, obj store.Object, fieldPath, eventType, reason, message string) {
	involved := reference(obj)
	involved.FieldPath = fieldPath
	now := r.clock.Now()
	id := identity{involved.UID, involved.FieldPath, eventType, reason, message}
	known, combined, muted := r.correlator.observe(&id, now)
	if muted {
		return
	}
	if combined {
		message = "(combined from similar events): " + message
	}
	if known != nil {
		if event, err := r.repeat(ctx, known, message, now); err == nil {
			r.correlator.remember(id, event)
			return
		} else if !errors.IsNotFound(err) {
			return
		} // it has expired: record it anew
	}
	if event, err := r.create(ctx, involved, eventType, reason, message, now); err == nil {
		r.correlator.remember(id, event)
	}
}

func (r *recorder) create(ctx context.Context, involved corev1.ObjectReference, eventType, reason, message string, now time.Time) (*corev1.Event, error) {
	namespace := involved.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	// The name's suffix is the time, as client-go has it; under virtual time
	// two events of one object can fall on the same nanosecond.
	for suffix := now.UnixNano(); ; suffix++ {
		event := &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{
				Name:      fmt.Sprintf("%s.%x", involved.Name, suffix),
				Namespace: namespace,
			},
			InvolvedObject:      involved,
			Reason:              reason,
			Message:             message,
			FirstTimestamp:      metav1.NewTime(now),
			LastTimestamp:       metav1.NewTime(now),
			Count:               1,
			Type:                eventType,
			Source:              r.source,
			ReportingController: r.source.Component,
			ReportingInstance:   r.source.Host,
		}
		created, err := r.client.Create(ctx, resource, event)
		if errors.IsAlreadyExists(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return created.(*corev1.Event), nil
	}
}

func (r *recorder) repeat(ctx context.Context, known *corev1.Event, message string, now time.Time) (*corev1.Event, error) {
	return client.Modify(ctx, r.client, resource, known.Namespace, known.Name, r.client.Update,
		func(event *corev1.Event) bool {
			event.Count++
			event.Message = message
			event.LastTimestamp = metav1.NewTime(now)
			return true
		})
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
