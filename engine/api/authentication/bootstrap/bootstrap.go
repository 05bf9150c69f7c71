// Package bootstrap knows the tokens by which new nodes make themselves known
// to a cluster: Secrets of the type bootstrap.kubernetes.io/token in
// kube-system, as "kubeadm token create" writes them
// (k8s.io/kubernetes/plugin/pkg/auth/authenticator/token/bootstrap and
// k8s.io/cluster-bootstrap upstream).
package bootstrap

import (
	"context"
	"crypto/subtle"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// group is that of all whom such a token lets in, and begins the names of
	// further ones.
	group = "system:bootstrappers"

	idLength, secretLength = 6, 16
	// maxSuffix is how long what follows "system:bootstrappers:" may be.
	maxSuffix = 256
)

// Tokens authenticates by the Secrets in a store.
type Tokens struct {
	Store store.Interface
	Clock clock.Clock
}

// Authenticate is an authentication.Token.
func (t Tokens) Authenticate(ctx context.Context, token string, audiences []string) (identity.User, []string, bool) {
	return authentication.Static(func(token string) (identity.User, bool) { return t.user(ctx, token) })(ctx, token, audiences)
}

func (t Tokens) user(ctx context.Context, token string) (identity.User, bool) {
	id, secret, ok := strings.Cut(token, ".")
	if !ok || len(id) != idLength || len(secret) != secretLength || !plain(id) || !plain(secret) {
		return identity.User{}, false
	}
	obj, err := t.Store.Get(ctx, store.Key{Resource: "secrets", Namespace: metav1.NamespaceSystem, Name: "bootstrap-token-" + id})
	if err != nil {
		return identity.User{}, false
	}
	stored := obj.(*corev1.Secret)
	if stored.DeletionTimestamp != nil || stored.Type != corev1.SecretTypeBootstrapToken ||
		subtle.ConstantTimeCompare(stored.Data["token-secret"], []byte(secret)) != 1 || string(stored.Data["token-id"]) != id ||
		string(stored.Data["usage-bootstrap-authentication"]) != "true" || t.expired(stored) {
		return identity.User{}, false
	}
	groups, ok := groupsOf(stored)
	return identity.User{Name: "system:bootstrap:" + id, Groups: groups}, ok
}

// plain says that a text is made of lower case letters and digits.
func plain(text string) bool {
	return strings.IndexFunc(text, func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') }) < 0
}

// expired: a time that can't be read is over.
func (t Tokens) expired(secret *corev1.Secret) bool {
	text := string(secret.Data["expiration"])
	if text == "" {
		return false
	}
	end, err := time.Parse(time.RFC3339, text)
	return err != nil || !t.Clock.Now().Before(end)
}

// groupsOf: a Secret that names a group of others is worth nothing.
func groupsOf(secret *corev1.Secret) ([]string, bool) {
	groups := []string{group}
	more := string(secret.Data["auth-extra-groups"])
	if more == "" {
		return groups, true
	}
	for name := range strings.SplitSeq(more, ",") {
		suffix, ok := strings.CutPrefix(name, group+":")
		if !ok || suffix == "" || len(suffix) > maxSuffix || !plain(strings.NewReplacer(":", "", "-", "").Replace(suffix)) || !plain(suffix[len(suffix)-1:]) {
			return nil, false
		}
		groups = append(groups, name)
	}
	return groups, true
}
