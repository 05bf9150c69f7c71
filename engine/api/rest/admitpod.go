package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/store"
)

const (
	// tokenMountPath is where containers find their service account's token.
	tokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
	// tokenSeconds is the lifetime of such a token: an hour, and a little for
	// the kubelet to renew it.
	tokenSeconds = 60*60 + 7
	// rootCA is the ConfigMap with which containers check the API server.
	rootCA = "kube-root-ca.crt"
	// evictAfter is how many seconds a pod stays on a node that is not ready or
	// unreachable, if it does not say otherwise.
	evictAfter = 300
)

// admitPod is ServiceAccount, DefaultTolerationSeconds and Priority.
func (o *Operations) admitPod(ctx context.Context, pod *corev1.Pod) error {
	if err := o.giveServiceAccount(ctx, pod); err != nil {
		return err
	}
	tolerateForAWhile(pod)
	return givePriority(pod)
}

// priorityClasses are those that every cluster has.
var priorityClasses = map[string]int32{
	"":                        0,
	"system-cluster-critical": 2_000_000_000,
	"system-node-critical":    2_000_001_000,
}

func givePriority(pod *corev1.Pod) error {
	class := pod.Spec.PriorityClassName
	priority, ok := priorityClasses[class]
	if !ok {
		return apierrors.NewForbidden(corev1.Resource("pods"), pod.Name, fmt.Errorf("no PriorityClass with name %s was found", class))
	}
	if pod.Spec.Priority != nil && *pod.Spec.Priority != priority {
		return apierrors.NewForbidden(corev1.Resource("pods"), pod.Name, fmt.Errorf(
			"the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name",
			*pod.Spec.Priority, priority))
	}
	pod.Spec.Priority = &priority
	if pod.Spec.PreemptionPolicy == nil {
		pod.Spec.PreemptionPolicy = new(corev1.PreemptLowerPriority)
	}
	return nil
}

func (o *Operations) giveServiceAccount(ctx context.Context, pod *corev1.Pod) error {
	if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; mirror {
		return nil
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = "default"
	}
	pod.Spec.DeprecatedServiceAccount = pod.Spec.ServiceAccountName
	name := pod.Spec.ServiceAccountName
	found, err := o.store.Get(ctx, store.Key{Resource: "serviceaccounts", Namespace: pod.Namespace, Name: name})
	if errors.Is(err, store.ErrNotFound) {
		// Upstream generates names after admission, so the error shows the prefix.
		return apierrors.NewForbidden(corev1.Resource("pods"), cmp.Or(pod.GenerateName, pod.Name),
			fmt.Errorf("error looking up service account %s/%s: serviceaccount %q not found", pod.Namespace, name, name))
	}
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	account := found.(*corev1.ServiceAccount)
	if len(pod.Spec.ImagePullSecrets) == 0 {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, account.ImagePullSecrets...)
	}
	wanted := account.AutomountServiceAccountToken
	if pod.Spec.AutomountServiceAccountToken != nil {
		wanted = pod.Spec.AutomountServiceAccountToken
	}
	if wanted == nil || *wanted {
		o.mountToken(pod)
	}
	return nil
}

// mountToken gives each container that has nothing there yet the token, the
// authority's certificate and the namespace.
func (o *Operations) mountToken(pod *corev1.Pod) {
	volume := generateName("kube-api-access-", o.random)
	mounted := false
	for _, containers := range [...][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			if mountsAt(&containers[i], tokenMountPath) {
				continue
			}
			mounted = true
			containers[i].VolumeMounts = append(containers[i].VolumeMounts,
				corev1.VolumeMount{Name: volume, ReadOnly: true, MountPath: tokenMountPath})
		}
	}
	if mounted {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: tokenVolume})
	}
}

func mountsAt(container *corev1.Container, path string) bool {
	for i := range container.VolumeMounts {
		if container.VolumeMounts[i].MountPath == path {
			return true
		}
	}
	return false
}

// tokenVolume is shared by all pods: stored objects never change.
var tokenVolume = corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
	DefaultMode: new(corev1.ProjectedVolumeSourceDefaultMode),
	Sources: []corev1.VolumeProjection{
		{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: new(int64(tokenSeconds))}},
		{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: rootCA},
			Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
		}},
		{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
			Path:     "namespace",
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"},
		}}}},
	},
}}

// tolerateForAWhile lets a pod outlast short outages of its node.
func tolerateForAWhile(pod *corev1.Pod) {
	for _, key := range [...]string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		if !toleratesNoExecute(pod, key) {
			pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{
				Key:               key,
				Operator:          corev1.TolerationOpExists,
				Effect:            corev1.TaintEffectNoExecute,
				TolerationSeconds: new(int64(evictAfter)),
			})
		}
	}
}

func toleratesNoExecute(pod *corev1.Pod, key string) bool {
	for i := range pod.Spec.Tolerations {
		t := &pod.Spec.Tolerations[i]
		if (t.Key == key || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "") {
			return true
		}
	}
	return false
}
