package kinds

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func secret() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         corev1.SchemeGroupVersion.WithKind("Secret"),
		Plural:                   "secrets",
		Singular:                 "secret",
		Namespaced:               true,
		New:                      func() store.Object { return &corev1.Secret{} },
		NewList:                  func() runtime.Object { return &corev1.SecretList{} },
		Default:                  on(defaultSecret),
		Validate:                 validate(validation.Secret),
		ValidateUpdate:           validateUpdate(validation.SecretUpdate),
		AllowUnconditionalUpdate: true,
		Fields: selectable(func(s *corev1.Secret) fields.Set {
			return fields.Set{"type": string(s.Type)}
		}),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Type", "Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types"),
			textColumn("Data", "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4"),
			ageColumn(),
		},
		Row: row(func(s *corev1.Secret, now time.Time) []any {
			return []any{s.Name, string(s.Type), int64(len(s.Data)), age(s.CreationTimestamp, now)}
		}),
	}
}

// defaultSecret also moves the write-only stringData, which is never stored,
// into data.
func defaultSecret(s *corev1.Secret) {
	if len(s.StringData) > 0 {
		if s.Data == nil {
			s.Data = make(map[string][]byte, len(s.StringData))
		}
		for key, value := range s.StringData {
			s.Data[key] = []byte(value)
		}
	}
	s.StringData = nil
	if s.Type == "" {
		s.Type = corev1.SecretTypeOpaque
	}
}
