package deployment

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// rollbackTo reads the deprecated wish to return to a revision (0: the last
// one), which old clients leave in an annotation. `kubectl rollout undo` does
// not need it: it writes the old template itself.
func rollbackTo(d *appsv1.Deployment) (int64, bool) {
	revision, err := strconv.ParseInt(d.Annotations[appsv1.DeprecatedRollbackTo], 10, 64)
	return revision, err == nil
}

// rollback grants the wish, or says why not, and removes it.
func (r *rollout) rollback(ctx context.Context, wish int64) error {
	if r.current == nil {
		if err := r.create(ctx); err != nil || r.current == nil {
			return err
		}
	} else if err := r.syncRevision(ctx); err != nil {
		return err
	}
	delete(r.d.Annotations, appsv1.DeprecatedRollbackTo)
	if wish == 0 {
		if wish = r.lastRevision(); wish == 0 {
			return r.refuseRollback(ctx, "DeploymentRollbackRevisionNotFound", "Unable to find last revision.")
		}
	}
	for _, rs := range r.all() {
		if revision(rs) != wish {
			continue
		}
		if sameTemplate(&rs.Spec.Template, &r.d.Spec.Template) {
			return r.refuseRollback(ctx, "DeploymentRollbackTemplateUnchanged",
				fmt.Sprintf("The rollback revision contains the same template as current deployment %q", r.d.Name))
		}
		r.restore(rs)
		if err := r.write(ctx); err != nil {
			return err
		}
		r.recorder.Event(ctx, r.d, corev1.EventTypeNormal, "DeploymentRollback",
			fmt.Sprintf("Rolled back deployment %q to revision %d", r.d.Name, wish))
		return nil
	}
	return r.refuseRollback(ctx, "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to.")
}

func (r *rollout) refuseRollback(ctx context.Context, reason, message string) error {
	r.recorder.Event(ctx, r.d, corev1.EventTypeWarning, reason, message)
	return r.write(ctx)
}

// lastRevision is the highest but one.
func (r *rollout) lastRevision() int64 {
	highest, second := int64(0), int64(0)
	for _, rs := range r.all() {
		switch v := revision(rs); {
		case v >= highest:
			highest, second = v, highest
		case v > second:
			second = v
		}
	}
	return second
}

// restore takes over the template of an old ReplicaSet and the annotations that
// the Deployment had then.
func (r *rollout) restore(rs *appsv1.ReplicaSet) {
	template := rs.Spec.Template.DeepCopy()
	template.Labels = withoutHash(template.Labels)
	r.d.Spec.Template = *template
	maps.DeleteFunc(r.d.Annotations, func(key, _ string) bool { return !ownAnnotation(key) })
	for key, value := range rs.Annotations {
		if !ownAnnotation(key) {
			r.d.Annotations[key] = value
		}
	}
}

func (r *rollout) write(ctx context.Context) error {
	written, err := r.client.Update(ctx, resource, r.d)
	if err != nil {
		return err
	}
	r.note(written)
	r.d = written.(*appsv1.Deployment).DeepCopy()
	return nil
}
