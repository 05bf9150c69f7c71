package kinds

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

func serviceAccount() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
		Plural:                   "serviceaccounts",
		Singular:                 "serviceaccount",
		ShortNames:               []string{"sa"},
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.ServiceAccount{} },
		NewList:                  func() runtime.Object { return &corev1.ServiceAccountList{} },
		PrepareForCreate:         on(cleanSecretReferences),
		PrepareForUpdate:         onUpdate(func(account, _ *corev1.ServiceAccount) { cleanSecretReferences(account) }),
		Warnings:                 warnings(serviceAccountWarnings),
		AllowUnconditionalUpdate: true,
		Columns:                  []metav1.TableColumnDefinition{nameColumn(), ageColumn()},
		Row: row(func(a *corev1.ServiceAccount, now time.Time) []any {
			return []any{a.Name, age(a.CreationTimestamp, now)}
		}),
	}
}

// cleanSecretReferences keeps only the names: secrets are always of the
// account's own namespace.
func cleanSecretReferences(account *corev1.ServiceAccount) {
	for i, secret := range account.Secrets {
		account.Secrets[i] = corev1.ObjectReference{Name: secret.Name}
	}
}

const enforceMountableSecrets = "kubernetes.io/enforce-mountable-secrets"

func serviceAccountWarnings(account, old *corev1.ServiceAccount) []string {
	if old != nil {
		if _, had := old.Annotations[enforceMountableSecrets]; had {
			return nil
		}
	}
	if _, has := account.Annotations[enforceMountableSecrets]; !has {
		return nil
	}
	return []string{"metadata.annotations[" + enforceMountableSecrets + "]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"}
}
