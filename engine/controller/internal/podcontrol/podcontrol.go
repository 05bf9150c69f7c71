// Package podcontrol creates and deletes pods on behalf of a loop's objects,
// with Kubernetes' events, and remembers what the cache has yet to show: a loop
// that acted on less would do things twice.
package podcontrol

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/store"
)

const resource = "pods"

// Control acts for one loop; it is safe for concurrent use.
type Control struct {
	cache    *cache.Cache
	client   client.Client
	recorder events.Recorder

	mu      sync.Mutex
	pending map[types.UID]*pending // by owner
}

// pending is what a cache has yet to show.
type pending struct {
	written  int64 // revision of the newest write
	deleting map[types.UID]string
}

// New returns the control of a loop.
func New(cache *cache.Cache, client client.Client, recorder events.Recorder) *Control {
	return &Control{cache: cache, client: client, recorder: recorder, pending: map[types.UID]*pending{}}
}

// Settled reports whether the cache shows all that was done for the owner. If
// it does not, the event of what it lacks is still to come and leads to another
// turn.
func (c *Control) Settled(owner store.Object) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.pending[owner.GetUID()]
	if !ok {
		return true
	}
	if p.written > c.cache.Revision() {
		return false
	}
	for uid, name := range p.deleting {
		if pod, ok := cache.Get[*corev1.Pod](c.cache, resource, owner.GetNamespace(), name); ok && pod.UID == uid && pod.DeletionTimestamp == nil {
			return false
		}
	}
	delete(c.pending, owner.GetUID())
	return true
}

// Forget drops what was expected for an owner that is gone.
func (c *Control) Forget(owner types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, owner)
}

// Wrote expects the cache to show an object as written for the owner.
func (c *Control) Wrote(owner, obj store.Object) {
	revision, err := strconv.ParseInt(obj.GetResourceVersion(), 10, 64)
	if err != nil {
		return // not an object of our store: nothing to wait for
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.of(owner.GetUID())
	p.written = max(p.written, revision)
}

// Deleting expects the cache to show that a pod of the owner is being deleted.
func (c *Control) Deleting(owner store.Object, pod *corev1.Pod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(owner.GetUID()).deleting[pod.UID] = pod.Name
}

func (c *Control) of(owner types.UID) *pending {
	p, ok := c.pending[owner]
	if !ok {
		p = &pending{deleting: map[types.UID]string{}}
		c.pending[owner] = p
	}
	return p
}

// NewPod makes a pod of an owner's template, with a generated name that begins
// with the owner's.
func NewPod(owner store.Object, reference metav1.OwnerReference, template *corev1.PodTemplateSpec) *corev1.Pod {
	template = template.DeepCopy()
	prefix := owner.GetName() + "-"
	if len(prefix) > validation.DNS1123SubdomainMaxLength {
		prefix = owner.GetName()
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName:    prefix,
			Namespace:       owner.GetNamespace(),
			Labels:          template.Labels,
			Annotations:     template.Annotations,
			Finalizers:      template.Finalizers,
			OwnerReferences: []metav1.OwnerReference{reference},
		},
		Spec: template.Spec,
	}
}

// Create creates a pod and says so. It returns nil without one where the
// namespace is going: nothing can be created there any more, and nothing need be.
func (c *Control) Create(ctx context.Context, owner store.Object, pod *corev1.Pod) (*corev1.Pod, error) {
	created, err := c.client.Create(ctx, resource, pod)
	if errors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil, nil
	}
	if err != nil {
		c.recorder.Event(ctx, owner, corev1.EventTypeWarning, "FailedCreate", fmt.Sprintf("Error creating: %v", err))
		return nil, err
	}
	c.Wrote(owner, created)
	c.recorder.Event(ctx, owner, corev1.EventTypeNormal, "SuccessfulCreate", "Created pod: "+created.GetName())
	return created.(*corev1.Pod), nil
}

// CreateEach makes count pods, starting with one and doubling the number as
// long as all goes well, so that a template or a quota that forbids pods costs
// one failure, not many. It returns how many there are and the first error.
func CreateEach(count int, create func(i int) error) (created int, failure error) {
	for batch, next := 1, 0; next < count && failure == nil; batch *= 2 {
		for end := min(next+batch, count); next < end; next++ {
			if err := create(next); err == nil {
				created++
			} else if failure == nil {
				failure = err
			}
		}
	}
	return created, failure
}

// Delete deletes a pod and says so; one that is gone already is no error.
func (c *Control) Delete(ctx context.Context, owner store.Object, pod *corev1.Pod) error {
	err := c.client.Delete(ctx, resource, pod.Namespace, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		return nil
	}
	if err != nil {
		c.recorder.Event(ctx, owner, corev1.EventTypeWarning, "FailedDelete", fmt.Sprintf("Error deleting: %v", err))
		return fmt.Errorf("unable to delete pods: %w", err)
	}
	c.Deleting(owner, pod)
	c.recorder.Event(ctx, owner, corev1.EventTypeNormal, "SuccessfulDelete", "Deleted pod: "+pod.Name)
	return nil
}
