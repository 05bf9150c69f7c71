package serviceaccount

import (
	"context"
	"crypto/subtle"
	"time"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/store"
)

// leeway is for clocks that differ.
const leeway = time.Minute

// Authenticate is an authentication.Token: it says which service account's a
// token is, as long as the account and what the token is bound to exist.
func (i *Issuer) Authenticate(ctx context.Context, token string, audiences []string) (identity.User, []string, bool) {
	if audiences == nil {
		audiences = []string{authentication.Audience}
	}
	var c claims
	if i.Key.Verify(token, &c) != nil {
		return identity.User{}, nil, false
	}
	var user identity.User
	var ok bool
	switch {
	case c.Issuer == legacyIssuer:
		c.Audience = []string{authentication.Audience}
		user, ok = i.legacy(ctx, token, &c)
	case c.Issuer == authentication.Audience && c.Kubernetes != nil:
		user, ok = i.bound(ctx, &c)
	}
	common := authentication.Common(audiences, c.Audience)
	if !ok || len(common) == 0 {
		return identity.User{}, nil, false
	}
	return user, common, true
}

func (i *Issuer) bound(ctx context.Context, c *claims) (identity.User, bool) {
	now, k := i.Clock.Now(), c.Kubernetes
	if now.Add(-leeway).Unix() > c.Expiry || now.Add(leeway).Unix() < c.NotBefore {
		return identity.User{}, false
	}
	user, ok := i.account(ctx, k.Namespace, k.Account)
	if !ok || c.Subject != user.Name {
		return identity.User{}, false
	}
	user.Extra = map[string][]string{}
	if c.ID != "" {
		user.Extra[identity.CredentialIDKey] = []string{"JTI=" + c.ID}
	}
	if k.Secret != nil {
		if _, ok := alive[*corev1.Secret](ctx, i, "secrets", k.Namespace, *k.Secret); !ok {
			return identity.User{}, false
		}
	}
	if k.Pod != nil {
		if _, ok := alive[*corev1.Pod](ctx, i, "pods", k.Namespace, *k.Pod); !ok {
			return identity.User{}, false
		}
		user.Extra[identity.PodNameKey], user.Extra[identity.PodUIDKey] = []string{k.Pod.Name}, []string{k.Pod.UID}
	} else if k.Node != nil {
		if _, ok := alive[*corev1.Node](ctx, i, "nodes", "", *k.Node); !ok {
			return identity.User{}, false
		}
	}
	if k.Node != nil {
		user.Extra[identity.NodeNameKey] = []string{k.Node.Name}
		if k.Node.UID != "" {
			user.Extra[identity.NodeUIDKey] = []string{k.Node.UID}
		}
	}
	return user, true
}

// alive finds an object of a name and UID that is not being deleted.
func alive[T store.Object](ctx context.Context, i *Issuer, resource, namespace string, ref reference) (T, bool) {
	obj, err := lookup[T](ctx, i, resource, namespace, ref.Name)
	if err != nil || string(obj.GetUID()) != ref.UID {
		var none T
		return none, false
	}
	deleted := obj.GetDeletionTimestamp()
	return obj, deleted == nil || !deleted.Time.Before(i.Clock.Now().Add(-leeway))
}

func (i *Issuer) account(ctx context.Context, namespace string, ref reference) (identity.User, bool) {
	account, ok := alive[*corev1.ServiceAccount](ctx, i, "serviceaccounts", namespace, ref)
	if !ok {
		return identity.User{}, false
	}
	return identity.User{
		Name:   identity.ServiceAccountName(namespace, account.Name),
		UID:    string(account.UID),
		Groups: identity.ServiceAccountGroups(namespace),
	}, true
}

// invalidSince is the label by which a token in a Secret is out of use.
const invalidSince = "kubernetes.io/legacy-token-invalid-since"

func (i *Issuer) legacy(ctx context.Context, token string, c *claims) (identity.User, bool) {
	secret, err := lookup[*corev1.Secret](ctx, i, "secrets", c.LegacyNamespace, c.LegacySecret)
	if err != nil || secret.DeletionTimestamp != nil || secret.Labels[invalidSince] != "" ||
		subtle.ConstantTimeCompare(secret.Data[corev1.ServiceAccountTokenKey], []byte(token)) == 0 {
		return identity.User{}, false
	}
	return i.account(ctx, c.LegacyNamespace, reference{c.LegacyAccount, c.LegacyAccountUID})
}
