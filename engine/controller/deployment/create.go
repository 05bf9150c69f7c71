package deployment

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller/internal/templatehash"
)

// create makes the ReplicaSet of the Deployment's template. It leaves current
// nil, without an error, when the name was taken by something else: the next
// turn will try another.
func (r *rollout) create(ctx context.Context) error {
	wanted := r.newReplicaSet()
	name, replicas := wanted.Name, *wanted.Spec.Replicas
	next := wanted.Annotations[revisionAnnotation]
	obj, err := r.client.Create(ctx, replicaSetResource, wanted)
	existed := errors.IsAlreadyExists(err)
	switch {
	case existed:
		current, err := r.existing(ctx, name)
		if err != nil {
			return err
		}
		if current == nil {
			return r.noteCollision(ctx)
		}
		r.current = current
	case errors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return err
	case err != nil:
		return r.failCreate(ctx, name, err)
	default:
		r.current = obj.(*appsv1.ReplicaSet)
		r.note(r.current)
	}
	if !existed && replicas > 0 {
		r.noteScaling(ctx, name, 0, replicas)
	}
	changed := r.setRevision(next)
	if !existed && hasDeadline(r.d) {
		r.set(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionTrue, "NewReplicaSetCreated", "Created new replica set "+strconv.Quote(name))
		changed = true
	}
	if !changed {
		return nil
	}
	return r.update(ctx)
}

func (r *rollout) newReplicaSet() *appsv1.ReplicaSet {
	template := r.d.Spec.Template.DeepCopy()
	hash := templatehash.Of(template, r.d.Status.CollisionCount)
	selector := r.d.Spec.Selector.DeepCopy()
	template.Labels = withLabel(template.Labels, hash)
	selector.MatchLabels = withLabel(selector.MatchLabels, hash)
	annotations := r.annotations(nil)
	r.setSizes(annotations)
	replicas := r.newReplicas(0)
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name:            replicaSetName(r.d.Name, hash),
			Namespace:       r.d.Namespace,
			Labels:          maps.Clone(template.Labels),
			Annotations:     annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(r.d, kind)},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas:        &replicas,
			MinReadySeconds: r.d.Spec.MinReadySeconds,
			Selector:        selector,
			Template:        *template,
		},
	}
}

func withLabel(labels map[string]string, hash string) map[string]string {
	if labels == nil {
		labels = map[string]string{}
	}
	labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	return labels
}

// existing returns the ReplicaSet that has the name already, if it is the one
// to create (the cache was behind), and otherwise nil.
func (r *rollout) existing(ctx context.Context, name string) (*appsv1.ReplicaSet, error) {
	obj, err := r.client.Get(ctx, replicaSetResource, r.d.Namespace, name)
	if err != nil {
		return nil, err
	}
	rs := obj.(*appsv1.ReplicaSet)
	if !metav1.IsControlledBy(rs, r.d) || !sameTemplate(&rs.Spec.Template, &r.d.Spec.Template) {
		return nil, nil
	}
	return rs, nil
}

// noteCollision makes the next turn hash to another name.
func (r *rollout) noteCollision(ctx context.Context) error {
	count := int32(1)
	if r.d.Status.CollisionCount != nil {
		count += *r.d.Status.CollisionCount
	}
	r.d.Status.CollisionCount = &count
	return r.update(ctx)
}

func (r *rollout) failCreate(ctx context.Context, name string, cause error) error {
	const reason = "ReplicaSetCreateError"
	message := fmt.Sprintf("Failed to create new replica set %q: %v", name, cause)
	r.recorder.Event(ctx, r.d, corev1.EventTypeWarning, reason, message)
	if hasDeadline(r.d) {
		r.set(&r.d.Status, appsv1.DeploymentProgressing, corev1.ConditionFalse, reason, message)
		if err := r.update(ctx); err != nil {
			return err
		}
	}
	return cause
}
