package namespace

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
	"tidepool.dev/tidepool/engine/store"
)

// finalizerWait is how many seconds a finalizer is expected to take, and what
// lingers for no known reason.
const finalizerWait = 15

// remainder is what is left in a namespace after everything was deleted.
type remainder struct {
	// podsOnly: pods are left, so nothing else has been looked at yet.
	podsOnly   bool
	resources  map[string]int // "resource.group" → objects
	finalizers map[string]int // finalizer → objects that it holds
	failures   []error        // to be shown
	err        error          // to be tried again; it is one of the failures
	wait       int64          // seconds until it is worth looking again; 0: nothing is left
}

// deleteContent deletes everything in the namespace. Nothing new can come into
// it, and the cache shows everything that is older than its deletion.
func (l *loop) deleteContent(ctx context.Context, ns *corev1.Namespace) remainder {
	left := remainder{resources: map[string]int{}, finalizers: map[string]int{}}
	for _, k := range l.kinds {
		l.deleteKind(ctx, ns, k, &left)
		if k.Resource() == podResource && left.resources["pods."] > 0 {
			left.podsOnly = true
			return left
		}
	}
	for _, k := range l.custom() {
		if k.Namespaced {
			l.deleteKind(ctx, ns, k, &left)
		}
	}
	return left
}

func (l *loop) deleteKind(ctx context.Context, ns *corev1.Namespace, k *kind.Kind, left *remainder) {
	resource := k.Resource()
	objects := cache.List[store.Object](l.cache, resource, ns.Name)
	wait := l.gracePeriod(ns, objects)
	count, held := 0, false
	for _, obj := range objects {
		present, err := l.deleteObject(ctx, resource, obj)
		if err != nil {
			left.failures, left.err = append(left.failures, err), err
			return
		}
		if !present {
			continue
		}
		count++
		for _, finalizer := range obj.GetFinalizers() {
			left.finalizers[finalizer]++
			held = true
		}
	}
	if count == 0 {
		return
	}
	left.resources[k.Plural+"."+k.Group] = count
	switch {
	case wait > 0:
	case held:
		wait = finalizerWait
	default:
		wait = finalizerWait
		err := fmt.Errorf("unexpected items still remain in namespace: %s for gvr: %v", ns.Name, k.GroupVersion().WithResource(k.Plural))
		if resource == podResource {
			err = fmt.Errorf("failed to delete pods for namespace: %s, err: %w", ns.Name, err)
		}
		left.failures = append(left.failures, err)
	}
	left.wait = max(left.wait, wait)
}

// deleteObject reports whether the object lingers.
func (l *loop) deleteObject(ctx context.Context, resource string, obj store.Object) (bool, error) {
	background := metav1.DeletePropagationBackground
	err := l.client.Delete(ctx, resource, obj.GetNamespace(), obj.GetName(), metav1.DeleteOptions{PropagationPolicy: &background})
	if errors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	_, err = l.client.Get(ctx, resource, obj.GetNamespace(), obj.GetName())
	if errors.IsNotFound(err) {
		return false, nil
	}
	return true, err
}

// gracePeriod is how many seconds the objects, if they are pods, may take to
// end; 0 if that time is over.
func (l *loop) gracePeriod(ns *corev1.Namespace, objects []store.Object) int64 {
	longest := int64(0)
	for _, obj := range objects {
		pod, ok := obj.(*corev1.Pod)
		if ok && !podutil.Terminal(pod) && pod.Spec.TerminationGracePeriodSeconds != nil {
			longest = max(longest, *pod.Spec.TerminationGracePeriodSeconds)
		}
	}
	if l.clock.Now().Sub(ns.DeletionTimestamp.Time) >= time.Duration(longest)*time.Second {
		return 0
	}
	return longest
}
