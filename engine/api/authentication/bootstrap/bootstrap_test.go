package bootstrap_test

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/authentication/bootstrap"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

func TestTokens(t *testing.T) {
	const token = "abcdef.0123456789abcdef"
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		token  string
		change map[string]string
		kind   corev1.SecretType
		groups []string // nil: it is not let in
	}{
		"valid":          {groups: []string{"system:bootstrappers"}},
		"with groups":    {change: map[string]string{"auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token,system:bootstrappers:x"}, groups: []string{"system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token", "system:bootstrappers:x"}},
		"not yet over":   {change: map[string]string{"expiration": "2026-01-01T00:00:01Z"}, groups: []string{"system:bootstrappers"}},
		"over":           {change: map[string]string{"expiration": "2026-01-01T00:00:00Z"}},
		"no time":        {change: map[string]string{"expiration": "tomorrow"}},
		"others' groups": {change: map[string]string{"auth-extra-groups": "system:masters"}},
		"bad group":      {change: map[string]string{"auth-extra-groups": "system:bootstrappers:x-"}},
		"other use":      {change: map[string]string{"usage-bootstrap-authentication": "false"}},
		"other secret":   {token: "abcdef.0123456789abcdee"},
		"other id":       {change: map[string]string{"token-id": "abcdeg"}},
		"unknown":        {token: "abcdeg.0123456789abcdef"},
		"no token":       {token: "abcdef"},
		"upper case":     {token: "ABCDEF.0123456789abcdef"},
		"other type":     {kind: corev1.SecretTypeOpaque},
	} {
		t.Run(name, func(t *testing.T) {
			data := map[string][]byte{"token-id": []byte("abcdef"), "token-secret": []byte("0123456789abcdef"), "usage-bootstrap-authentication": []byte("true")}
			for key, value := range test.change {
				data[key] = []byte(value)
			}
			if test.kind == "" {
				test.kind = corev1.SecretTypeBootstrapToken
			}
			if test.token == "" {
				test.token = token
			}
			memory := store.NewMemory(0)
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "bootstrap-token-abcdef"}, Type: test.kind, Data: data}
			if _, err := memory.Create(t.Context(), store.Key{Resource: "secrets", Namespace: secret.Namespace, Name: secret.Name}, secret); err != nil {
				t.Fatal(err)
			}
			user, _, ok := bootstrap.Tokens{Store: memory, Clock: clock.NewVirtual(now)}.Authenticate(t.Context(), test.token, nil)
			if ok != (test.groups != nil) || ok && (user.Name != "system:bootstrap:abcdef" || !slices.Equal(user.Groups, test.groups)) {
				t.Errorf("got %v, %+v", ok, user)
			}
		})
	}
}
