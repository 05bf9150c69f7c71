package endpoints

import (
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/patch"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

// patchTypes are the patches that are understood.
var (
	patchTypes = []string{string(types.JSONPatchType), string(types.MergePatchType), string(types.StrategicMergePatchType), string(types.ApplyYAMLPatchType)}
	// customPatchTypes are those of resources whose fields have no merge keys.
	customPatchTypes = []string{string(types.JSONPatchType), string(types.MergePatchType), string(types.ApplyYAMLPatchType)}
)

// readPatch reads a patch from the request.
func (q *request) readPatch(patchTypes []string) (patch.Patch, writeOptions, error) {
	var p patch.Patch
	contentType, _, _ := strings.Cut(q.r.Header.Get("Content-Type"), ";")
	if !slices.Contains(patchTypes, contentType) {
		return p, writeOptions{}, unsupportedMedia(patchTypes)
	}
	body, err := q.body()
	if err != nil {
		return p, writeOptions{}, err
	}
	opts, err := q.patchOptions(types.PatchType(contentType))
	if err != nil {
		return p, opts, err
	}
	p = patch.Patch{Type: types.PatchType(contentType), Body: body, Validation: opts.validation}
	return p, opts, p.Check()
}

func (q *request) patch(r *resource, part rest.Part) error {
	accepted := patchTypes
	if r.Custom() {
		accepted = customPatchTypes
	}
	p, opts, err := q.readPatch(accepted)
	if err != nil {
		return err
	}
	if p.Type == types.ApplyYAMLPatchType {
		return q.apply(r, p, part, opts)
	}
	opts.Version = r.apiVersion()
	return q.untilCurrent(func(onCurrent *bool) error {
		return q.change(r, part, opts, func(current store.Object) (store.Object, error) {
			if current == nil {
				return nil, apierrors.NewNotFound(r.GroupResource(), q.name)
			}
			patched, err := q.patched(r, p, current)
			if err != nil {
				return nil, err
			}
			*onCurrent = patched.GetResourceVersion() == current.GetResourceVersion()
			return patched, nil
		})
	})
}

// untilCurrent applies a patch again as long as other writers are faster, each
// of which has then succeeded. apply sets onCurrent where the patch itself
// names no other resourceVersion than that which it was applied to.
func (q *request) untilCurrent(apply func(onCurrent *bool) error) error {
	for {
		onCurrent := false
		if err := apply(&onCurrent); !apierrors.IsConflict(err) || !onCurrent || q.ctx.Err() != nil {
			return err
		}
	}
}

func (q *request) patched(r *resource, p patch.Patch, current store.Object) (store.Object, error) {
	served := r.empty()
	warnings, err := p.Apply(r.shown(current), served)
	if err != nil {
		return nil, err
	}
	for _, text := range warnings {
		q.w.warn(text)
	}
	if err := q.place(r, served); err != nil {
		return nil, err
	}
	if err := q.checkName(served); err != nil {
		return nil, err
	}
	q.dropDuplicateOwners(served)
	return r.stored(served), nil
}
