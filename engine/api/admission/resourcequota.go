package admission

import (
	"context"
	"errors"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/quota"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// chargeAttempts bounds how often a charge is tried again that the quota
// controller got in the way of.
const chargeAttempts = 16

// resourceQuota refuses what a namespace's quotas have no room for, and charges
// them for the rest. What is charged but then not created the quota controller
// gives back.
func resourceQuota(look lookup, clock clock.Clock) Plugin {
	var mu sync.Mutex // one charge at a time
	return Plugin{Name: "ResourceQuota", Validate: func(ctx context.Context, r *Request) error {
		if r.Namespace == "" || r.Operation == Delete || r.Kind.Kind == "Namespace" {
			return nil
		}
		change := quota.Change{Resource: r.Kind.Resource(), Subresource: r.Subresource, Object: r.Object, Old: r.Old}
		mu.Lock()
		defer mu.Unlock()
		paid := map[string]bool{} // by name; none is charged twice
		for range chargeAttempts {
			quotas, err := list[*corev1.ResourceQuota](ctx, look, "resourcequotas", r.Namespace)
			if err != nil || len(quotas) == 0 {
				return err
			}
			quotas = slices.DeleteFunc(quotas, func(q *corev1.ResourceQuota) bool { return paid[q.Name] })
			charged, err := quota.Charge(quotas, change, clock.Now())
			if err != nil {
				return r.Forbidden(err)
			}
			if r.DryRun {
				return nil
			}
			done, err := pay(ctx, look, charged, paid)
			if done || err != nil {
				return err
			}
		}
		return apierrors.NewConflict(corev1.Resource("resourcequotas"), r.Namespace, errors.New("the quotas change too fast; please try again"))
	}}
}

// pay writes what quotas have been charged; it is not done where somebody else
// has written one of them.
func pay(ctx context.Context, look lookup, charged []*corev1.ResourceQuota, paid map[string]bool) (done bool, err error) {
	done = true
	for _, q := range charged {
		at := store.Key{Resource: "resourcequotas", Namespace: q.Namespace, Name: q.Name}
		_, err := look.store.Update(ctx, at, q, store.RevisionOf(q))
		switch {
		case err == nil:
			paid[q.Name] = true
		case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound):
			done = false
		default:
			return false, apierrors.NewInternalError(err)
		}
	}
	return done, nil
}
