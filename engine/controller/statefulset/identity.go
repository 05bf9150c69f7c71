package statefulset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/store"
)

// split takes a pod's name apart: "db-2" is the pod 2 of db. The ordinal is -1
// where there is none.
func split(name string) (set string, ordinal int) {
	at := strings.LastIndexByte(name, '-')
	if at < 0 {
		return "", -1
	}
	for _, digit := range []byte(name[at+1:]) {
		if digit < '0' || digit > '9' {
			return "", -1
		}
	}
	number, err := strconv.ParseInt(name[at+1:], 10, 32)
	if err != nil {
		return name[:at], -1
	}
	return name[:at], int(number)
}

func ordinalOf(pod *corev1.Pod) int {
	_, ordinal := split(pod.Name)
	return ordinal
}

func isMember(set *appsv1.StatefulSet, pod store.Object) bool {
	parent, _ := split(pod.GetName())
	return parent == set.Name
}

func podName(set *appsv1.StatefulSet, ordinal int) string {
	return fmt.Sprintf("%s-%d", set.Name, ordinal)
}

// first is the ordinal of a set's first pod.
func first(set *appsv1.StatefulSet) int {
	if set.Spec.Ordinals == nil {
		return 0
	}
	return int(set.Spec.Ordinals.Start)
}

func inRange(set *appsv1.StatefulSet, ordinal int) bool {
	return ordinal >= first(set) && ordinal < first(set)+int(*set.Spec.Replicas)
}

// newPod makes the pod of an ordinal: of the current revision if the rollout
// leaves it out, and else of the next one.
func (t *turn) newPod(ordinal int) *corev1.Pod {
	template, revision := t.nextTemplate, t.next.Name
	if t.staysBehind(ordinal) {
		template, revision = t.currentTemplate, t.current.Name
	}
	pod := podcontrol.NewPod(t.set, *metav1.NewControllerRef(t.set, kind), template)
	pod.Name = podName(t.set, ordinal)
	identify(pod, ordinal)
	pod.Labels[appsv1.StatefulSetRevisionLabel] = revision
	pod.Spec.Hostname = pod.Name
	pod.Spec.Subdomain = t.set.Spec.ServiceName
	pod.Spec.Volumes = t.volumes(pod.Spec.Volumes, ordinal)
	return pod
}

func (t *turn) staysBehind(ordinal int) bool {
	strategy := &t.set.Spec.UpdateStrategy
	switch {
	case strategy.Type == appsv1.RollingUpdateStatefulSetStrategyType && strategy.RollingUpdate == nil:
		return ordinal < first(t.set)+int(t.set.Status.CurrentReplicas)
	case strategy.RollingUpdate != nil && strategy.RollingUpdate.Partition != nil:
		return ordinal < first(t.set)+int(*strategy.RollingUpdate.Partition)
	}
	return false
}

func identify(pod *corev1.Pod, ordinal int) {
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[appsv1.StatefulSetPodNameLabel] = pod.Name
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(ordinal)
}

func hasIdentity(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	return pod.Name == podName(set, ordinalOf(pod)) && pod.Labels[appsv1.StatefulSetPodNameLabel] == pod.Name
}

// volumes are a pod's with its claims in the place of those of the same name.
func (t *turn) volumes(of []corev1.Volume, ordinal int) []corev1.Volume {
	templates := t.set.Spec.VolumeClaimTemplates
	if len(templates) == 0 {
		return of
	}
	var volumes []corev1.Volume
	for i := range templates {
		source := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
			ClaimName: claimName(t.set, &templates[i], ordinal),
		}}
		volumes = append(volumes, corev1.Volume{Name: templates[i].Name, VolumeSource: source})
	}
	for _, volume := range of {
		if !slices.ContainsFunc(templates, func(c corev1.PersistentVolumeClaim) bool { return c.Name == volume.Name }) {
			volumes = append(volumes, volume)
		}
	}
	return volumes
}

func hasStorage(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	ordinal := ordinalOf(pod)
	for i := range set.Spec.VolumeClaimTemplates {
		template := &set.Spec.VolumeClaimTemplates[i]
		if !slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
			return v.Name == template.Name && v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claimName(set, template, ordinal)
		}) {
			return false
		}
	}
	return ordinal >= 0
}
