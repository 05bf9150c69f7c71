package kinds

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
)

// podEphemeralContainers is how containers for debugging are added to a pod
// (k8s.io/kubernetes/pkg/registry/core/pod.EphemeralContainersStrategy).
func podEphemeralContainers() kind.Part {
	return kind.Part{
		Name:             "ephemeralcontainers",
		PrepareForUpdate: onUpdate(prepareEphemeralContainers),
		ValidateUpdate:   validateUpdate(validation.PodEphemeralContainersUpdate),
		Fields:           [][]string{{"spec", "ephemeralContainers"}},
	}
}

func prepareEphemeralContainers(p, old *corev1.Pod) {
	containers := p.Spec.EphemeralContainers
	p.Spec, p.Status = old.Spec, old.Status
	metav1.ResetObjectMetaForStatus(&p.ObjectMeta, &old.ObjectMeta)
	p.Spec.EphemeralContainers = containers
	defaulting.DropGated(&p.Spec)
	raiseGeneration(p, old)
}
