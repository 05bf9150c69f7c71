package kinds

import (
	"testing"
	"time"

	"tidepool.dev/tidepool/engine/store"
)

func TestEveryKindIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range append(All(), Administrative(nil)...) {
		t.Run(k.Plural, func(t *testing.T) {
			if seen[k.Resource()] {
				t.Errorf("declared twice")
			}
			seen[k.Resource()] = true
			obj := k.New()
			if k.Default != nil {
				k.Default(obj)
			}
			if k.PrepareForCreate != nil {
				k.PrepareForCreate(obj)
			}
			if k.PrepareForUpdate != nil {
				k.PrepareForUpdate(obj.DeepCopyObject().(store.Object), obj)
			}
			if k.NewList() == nil || k.Singular == "" || k.Kind == "" || k.Version == "" {
				t.Errorf("incomplete: %+v", k.GroupVersionKind)
			}
			if cells := k.Row(obj, time.Time{}); len(cells) != len(k.Columns) {
				t.Errorf("%d cells for %d columns", len(cells), len(k.Columns))
			}
			if k.Scale != nil {
				k.Scale.Set(obj, 7)
				if got := k.Scale.Get(obj).Spec.Replicas; got != 7 {
					t.Errorf("scaled to %d, want 7", got)
				}
			}
		})
	}
}
