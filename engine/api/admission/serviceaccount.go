package admission

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/names"
)

const (
	// tokenMountPath is where containers find their service account's token.
	tokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
	// tokenVolumePrefix begins the name of the volume that has it.
	tokenVolumePrefix = "kube-api-access-"
	// tokenSeconds is the lifetime of such a token: an hour, and a little for
	// the kubelet to renew it.
	tokenSeconds = 60*60 + 7
	// rootCA is the ConfigMap with which containers check the API server.
	rootCA = "kube-root-ca.crt"
	// enforceMountableSecrets is the annotation of accounts whose pods may use
	// only the secrets that the account lists.
	enforceMountableSecrets = "kubernetes.io/enforce-mountable-secrets"
)

// serviceAccount gives pods their account, its token and its pull secrets.
func serviceAccount(look lookup, random *rand.Rand) Plugin {
	account := func(ctx context.Context, r *Request, pod *corev1.Pod) (*corev1.ServiceAccount, error) {
		name := pod.Spec.ServiceAccountName
		account, ok, err := get[*corev1.ServiceAccount](ctx, look, "serviceaccounts", r.Namespace, name)
		if err == nil && !ok {
			err = fmt.Errorf("serviceaccount %q not found", name)
		}
		if err != nil {
			return nil, r.Forbidden(fmt.Errorf("error looking up service account %s/%s: %w", r.Namespace, name, err))
		}
		return account, nil
	}
	validate := func(ctx context.Context, r *Request) error {
		if pod, ok := r.newPod(); ok {
			if isMirror(pod) {
				return r.refuse(checkMirror(pod))
			}
			if pod.Spec.ServiceAccountName == "" {
				return r.Forbidden(fmt.Errorf("no service account specified for pod %s/%s", r.Namespace, pod.Name))
			}
			account, err := account(ctx, r, pod)
			if err != nil {
				return err
			}
			return r.refuse(checkSecrets(account, pod))
		}
		pod, ok := r.Object.(*corev1.Pod)
		if !ok || r.Operation != Update || r.Subresource != "ephemeralcontainers" {
			return nil
		}
		account, err := account(ctx, r, pod)
		if err != nil {
			return err
		}
		return checkEphemeralSecrets(account, pod)
	}
	return Plugin{
		Name: "ServiceAccount",
		Mutate: func(ctx context.Context, r *Request) error {
			pod, ok := r.newPod()
			if !ok || isMirror(pod) {
				return nil
			}
			if pod.Spec.ServiceAccountName == "" {
				pod.Spec.ServiceAccountName = "default"
			}
			pod.Spec.DeprecatedServiceAccount = pod.Spec.ServiceAccountName
			account, err := account(ctx, r, pod)
			if err != nil {
				return err
			}
			if automounts(account, pod) {
				mountToken(pod, random)
			}
			if len(pod.Spec.ImagePullSecrets) == 0 {
				pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, account.ImagePullSecrets...)
			}
			return nil
		},
		Validate: validate,
	}
}

// refuse makes a reason a refusal.
func (r *Request) refuse(reason error) error {
	if reason == nil {
		return nil
	}
	return r.Forbidden(reason)
}

func isMirror(pod *corev1.Pod) bool {
	_, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]
	return mirror
}

// checkMirror: a node's own pods are nobody's.
func checkMirror(pod *corev1.Pod) error {
	if pod.Spec.ServiceAccountName != "" {
		return errors.New("a mirror pod may not reference service accounts")
	}
	if usesSecrets(pod) {
		return errors.New("a mirror pod may not reference secrets")
	}
	for i := range pod.Spec.Volumes {
		if projected := pod.Spec.Volumes[i].Projected; projected != nil {
			for j := range projected.Sources {
				if projected.Sources[j].ServiceAccountToken != nil {
					return errors.New("a mirror pod may not use ServiceAccountToken volume projections")
				}
			}
		}
	}
	return nil
}

func automounts(account *corev1.ServiceAccount, pod *corev1.Pod) bool {
	switch {
	case pod.Spec.AutomountServiceAccountToken != nil:
		return *pod.Spec.AutomountServiceAccountToken
	case account.AutomountServiceAccountToken != nil:
		return *account.AutomountServiceAccountToken
	}
	return true
}

// mountToken gives each container that has nothing there yet the token, the
// authority's certificate and the namespace.
func mountToken(pod *corev1.Pod, random *rand.Rand) {
	volume, has := "", false
	for i := range pod.Spec.Volumes {
		if strings.HasPrefix(pod.Spec.Volumes[i].Name, tokenVolumePrefix) {
			volume, has = pod.Spec.Volumes[i].Name, true
			break
		}
	}
	if !has {
		volume = names.Generate(tokenVolumePrefix, random)
	}
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
	if mounted && !has {
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
