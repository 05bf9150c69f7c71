package claim

import (
	"context"

	"k8s.io/apimachinery/pkg/labels"

	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/store"
)

// Select returns those of the owned objects that the selector matches and
// releases the others; and it adopts, and returns as written, those orphans
// that the selector matches. An owner that is being deleted neither adopts nor
// releases.
func Select[T store.Object](ctx context.Context, c client.Client, owner *Owner, resource string, selector labels.Selector,
	owned []T, orphans []store.Object) (kept, adopted []T, err error) {
	passive := owner.Object.GetDeletionTimestamp() != nil
	for _, obj := range owned {
		if selector.Matches(labels.Set(obj.GetLabels())) {
			kept = append(kept, obj)
		} else if !passive {
			if releaseErr := owner.Release(ctx, c, resource, obj); releaseErr != nil && err == nil {
				err = releaseErr
			}
		}
	}
	if passive {
		return kept, nil, err
	}
	for _, orphan := range orphans {
		if !Adoptable(orphan, selector) {
			continue
		}
		obj, adoptErr := owner.Adopt(ctx, c, resource, orphan)
		if adoptErr != nil {
			if err == nil {
				err = adoptErr
			}
			continue
		}
		if obj != nil {
			adopted = append(adopted, obj.(T))
		}
	}
	return kept, adopted, err
}

// Adoptable reports whether an orphan could be adopted under the selector.
func Adoptable(orphan store.Object, selector labels.Selector) bool {
	return orphan.GetDeletionTimestamp() == nil && selector.Matches(labels.Set(orphan.GetLabels()))
}
