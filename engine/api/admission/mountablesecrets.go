package admission

import (
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// mayUse returns whether an account's pods may use a secret; every one, unless
// the account says otherwise.
func mayUse(account *corev1.ServiceAccount) func(secret string) bool {
	if enforced, _ := strconv.ParseBool(account.Annotations[enforceMountableSecrets]); !enforced {
		return nil
	}
	return func(secret string) bool {
		return slices.ContainsFunc(account.Secrets, func(ref corev1.ObjectReference) bool { return ref.Name == secret })
	}
}

func checkSecrets(account *corev1.ServiceAccount, pod *corev1.Pod) error {
	may := mayUse(account)
	if may == nil {
		return nil
	}
	for i := range pod.Spec.Volumes {
		if secret := pod.Spec.Volumes[i].Secret; secret != nil && !may(secret.SecretName) {
			return fmt.Errorf("volume with secret.secretName=\"%s\" is not allowed because service account %s does not reference that secret", secret.SecretName, account.Name)
		}
	}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		if err := checkContainerSecrets("init container", c.Name, c.Env, c.EnvFrom, account, may); err != nil {
			return err
		}
	}
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if err := checkContainerSecrets("container", c.Name, c.Env, c.EnvFrom, account, may); err != nil {
			return err
		}
	}
	for i, ref := range pod.Spec.ImagePullSecrets {
		if !slices.Contains(account.ImagePullSecrets, ref) {
			return fmt.Errorf("imagePullSecrets[%d].name=\"%s\" is not allowed because service account %s does not reference that imagePullSecret", i, ref.Name, account.Name)
		}
	}
	return nil
}

func checkEphemeralSecrets(account *corev1.ServiceAccount, pod *corev1.Pod) error {
	may := mayUse(account)
	if may == nil {
		return nil
	}
	for i := range pod.Spec.EphemeralContainers {
		c := &pod.Spec.EphemeralContainers[i]
		if err := checkContainerSecrets("ephemeral container", c.Name, c.Env, c.EnvFrom, account, may); err != nil {
			return err
		}
	}
	return nil
}

func checkContainerSecrets(what, name string, env []corev1.EnvVar, from []corev1.EnvFromSource, account *corev1.ServiceAccount, may func(string) bool) error {
	for i := range env {
		if source := env[i].ValueFrom; source != nil && source.SecretKeyRef != nil && !may(source.SecretKeyRef.Name) {
			return fmt.Errorf("%s %s with envVar %s referencing secret.secretName=\"%s\" is not allowed because service account %s does not reference that secret",
				what, name, env[i].Name, source.SecretKeyRef.Name, account.Name)
		}
	}
	for i := range from {
		if ref := from[i].SecretRef; ref != nil && !may(ref.Name) {
			return fmt.Errorf("%s %s with envFrom referencing secret.secretName=\"%s\" is not allowed because service account %s does not reference that secret",
				what, name, ref.Name, account.Name)
		}
	}
	return nil
}

// usesSecrets reports whether anything of a pod comes from a secret.
func usesSecrets(pod *corev1.Pod) bool {
	none := func(string) bool { return false }
	nobody := &corev1.ServiceAccount{}
	if len(pod.Spec.ImagePullSecrets) > 0 {
		return true
	}
	for _, containers := range [...][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			if checkContainerSecrets("", "", containers[i].Env, containers[i].EnvFrom, nobody, none) != nil {
				return true
			}
		}
	}
	return slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
		return v.Secret != nil || v.Projected != nil && slices.ContainsFunc(v.Projected.Sources, func(s corev1.VolumeProjection) bool { return s.Secret != nil })
	})
}
