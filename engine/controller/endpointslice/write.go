package endpointslice

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

// carryOut writes what is planned. A Service that is being deleted gets no new
// slices.
func (l *loop) carryOut(ctx context.Context, service *corev1.Service, p *plan) error {
	if service.DeletionTimestamp == nil {
		for _, slice := range p.create {
			annotate(slice, p.changed)
			written, err := l.client.Create(ctx, resource, slice)
			if err != nil {
				return fmt.Errorf("failed to create EndpointSlice for Service %s/%s: %w", service.Namespace, service.Name, err)
			}
			p.remember(written)
		}
	}
	for _, slice := range p.update {
		name := slice.Name
		annotate(slice, p.changed)
		written, err := l.client.Update(ctx, resource, slice)
		if err != nil {
			return fmt.Errorf("failed to update %s EndpointSlice for Service %s/%s: %w", name, service.Namespace, service.Name, err)
		}
		p.remember(written)
	}
	for _, slice := range p.remove {
		err := l.client.Delete(ctx, resource, slice.Namespace, slice.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &slice.UID}})
		if err != nil && !errors.IsNotFound(err) {
			return fmt.Errorf("failed to delete %s EndpointSlice for Service %s/%s: %w", slice.Name, service.Namespace, service.Name, err)
		}
	}
	return nil
}

func (p *plan) remember(written store.Object) {
	if revision, err := strconv.ParseInt(written.GetResourceVersion(), 10, 64); err == nil {
		p.wrote = max(p.wrote, revision)
	}
}

// annotate says since when what the slice now shows has been so.
func annotate(slice *discoveryv1.EndpointSlice, changed time.Time) {
	slice.Annotations = maps.Clone(slice.Annotations)
	if changed.IsZero() {
		delete(slice.Annotations, corev1.EndpointsLastChangeTriggerTime)
		return
	}
	if slice.Annotations == nil {
		slice.Annotations = map[string]string{}
	}
	slice.Annotations[corev1.EndpointsLastChangeTriggerTime] = changed.UTC().Format(time.RFC3339Nano)
}
