package admission

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// runtimeClass gives pods the overhead, node selector and tolerations of their
// RuntimeClass.
func runtimeClass(look lookup) Plugin {
	class := func(ctx context.Context, r *Request, pod *corev1.Pod) (*nodev1.RuntimeClass, error) {
		if pod.Spec.RuntimeClassName == nil {
			return nil, nil
		}
		class, ok, err := get[*nodev1.RuntimeClass](ctx, look, "runtimeclasses.node.k8s.io", "", *pod.Spec.RuntimeClassName)
		if err == nil && !ok {
			err = r.Forbidden(fmt.Errorf("pod rejected: RuntimeClass %q not found", *pod.Spec.RuntimeClassName))
		}
		return class, err
	}
	return Plugin{
		Name: "RuntimeClass",
		Mutate: func(ctx context.Context, r *Request) error {
			pod, ok := r.newPod()
			if !ok {
				return nil
			}
			class, err := class(ctx, r, pod)
			if err != nil || class == nil {
				return err
			}
			if err := giveOverhead(pod, class); err != nil {
				return r.Forbidden(err)
			}
			if err := giveScheduling(pod, class); err != nil {
				return r.Forbidden(err)
			}
			return nil
		},
		Validate: func(ctx context.Context, r *Request) error {
			pod, ok := r.newPod()
			if !ok {
				return nil
			}
			class, err := class(ctx, r, pod)
			switch {
			case err != nil:
				return err
			case class != nil && class.Overhead != nil:
				if !equality.Semantic.DeepEqual(class.Overhead.PodFixed, pod.Spec.Overhead) {
					return r.Forbidden(errOverheadDiffers)
				}
			case pod.Spec.Overhead != nil:
				return r.Forbidden(errors.New("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"))
			}
			return nil
		},
	}
}

var errOverheadDiffers = errors.New("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")

func giveOverhead(pod *corev1.Pod, class *nodev1.RuntimeClass) error {
	if class.Overhead == nil {
		return nil
	}
	if len(pod.Spec.Overhead) > 0 && !equality.Semantic.DeepEqual(class.Overhead.PodFixed, pod.Spec.Overhead) {
		return errOverheadDiffers
	}
	pod.Spec.Overhead = class.Overhead.PodFixed
	return nil
}

func giveScheduling(pod *corev1.Pod, class *nodev1.RuntimeClass) error {
	if class.Scheduling == nil {
		return nil
	}
	if wanted := class.Scheduling.NodeSelector; len(wanted) > 0 {
		for _, key := range slices.Sorted(maps.Keys(wanted)) {
			if own, has := pod.Spec.NodeSelector[key]; has && own != wanted[key] {
				return fmt.Errorf("conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; pod.spec.nodeSelector[%s] = %s", key, wanted[key], key, own)
			}
		}
		selector := maps.Clone(wanted)
		maps.Copy(selector, pod.Spec.NodeSelector)
		pod.Spec.NodeSelector = selector
	}
	tolerations := slices.Clone(pod.Spec.Tolerations)
	for _, toleration := range class.Scheduling.Tolerations {
		if !slices.ContainsFunc(tolerations, func(t corev1.Toleration) bool { return equality.Semantic.DeepEqual(t, toleration) }) {
			tolerations = append(tolerations, toleration)
		}
	}
	pod.Spec.Tolerations = tolerations
	return nil
}
