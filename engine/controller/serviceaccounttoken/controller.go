// Package serviceaccounttoken is the control loop that fills Secrets of type
// kubernetes.io/service-account-token: whoever creates one gets in it a token of
// the service account that its annotation names, which does not expire. It goes
// with the account.
package serviceaccounttoken

import (
	"bytes"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// Name is the component in causes.
	Name = "tokens-controller"

	resource        = "secrets"
	accountResource = "serviceaccounts"
)

// Issuer makes the tokens.
type Issuer interface {
	Legacy(account *corev1.ServiceAccount, secret *corev1.Secret) (string, error)
}

type loop struct {
	cache  *cache.Cache
	client client.Client
	issuer Issuer
	ca     []byte
}

// New returns the control loop; ca are the certificates (PEM) by which clients
// verify the API server.
func New(cache *cache.Cache, client client.Client, issuer Issuer, ca []byte) controller.Controller {
	l := &loop{cache, client, issuer, ca}
	return controller.Controller{
		Name: Name,
		Watches: []controller.Watch{
			{Resource: resource, Map: forTokens},
			{Resource: accountResource, Map: l.forTokensOf},
		},
		Reconciler: l,
	}
}

func isToken(secret *corev1.Secret) bool {
	return secret.Type == corev1.SecretTypeServiceAccountToken && secret.Annotations[corev1.ServiceAccountNameKey] != ""
}

func forTokens(event store.Event) []controller.Request {
	if secret, ok := event.Object.(*corev1.Secret); !ok || !isToken(secret) {
		return nil
	}
	return controller.ForObject(event)
}

// forTokensOf requests the tokens of an account that has appeared or gone.
func (l *loop) forTokensOf(event store.Event) []controller.Request {
	if event.Type == store.Modified {
		return nil
	}
	var requests []controller.Request
	for _, secret := range cache.List[*corev1.Secret](l.cache, resource, event.Key.Namespace) {
		if isToken(secret) && secret.Annotations[corev1.ServiceAccountNameKey] == event.Key.Name {
			requests = append(requests, controller.Request{Namespace: secret.Namespace, Name: secret.Name})
		}
	}
	return requests
}

// Reconcile implements controller.Reconciler.
func (l *loop) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	secret, ok := cache.Get[*corev1.Secret](l.cache, resource, request.Namespace, request.Name)
	if !ok {
		return controller.Result{}, l.forget(ctx, request)
	}
	if !isToken(secret) {
		return controller.Result{}, nil
	}
	account, err := l.account(ctx, secret)
	if err == nil && account == nil {
		return controller.Result{}, l.delete(ctx, secret)
	}
	if err == nil && !l.complete(secret) {
		err = l.fill(ctx, secret, account)
	}
	return controller.Result{}, err
}

// account is the Secret's, as it is now, and nil where there is none.
func (l *loop) account(ctx context.Context, secret *corev1.Secret) (*corev1.ServiceAccount, error) {
	obj, err := l.client.Get(ctx, accountResource, secret.Namespace, secret.Annotations[corev1.ServiceAccountNameKey])
	if errors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	account := obj.(*corev1.ServiceAccount)
	if uid := secret.Annotations[corev1.ServiceAccountUIDKey]; uid != "" && types.UID(uid) != account.UID {
		return nil, nil
	}
	return account, nil
}

func (l *loop) delete(ctx context.Context, secret *corev1.Secret) error {
	err := l.client.Delete(ctx, resource, secret.Namespace, secret.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &secret.UID}})
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		return nil
	}
	return err
}

func (l *loop) complete(secret *corev1.Secret) bool {
	return len(secret.Data[corev1.ServiceAccountTokenKey]) > 0 && len(secret.Data[corev1.ServiceAccountNamespaceKey]) > 0 &&
		(len(l.ca) == 0 || bytes.Equal(secret.Data[corev1.ServiceAccountRootCAKey], l.ca))
}

func (l *loop) fill(ctx context.Context, secret *corev1.Secret, account *corev1.ServiceAccount) error {
	next := secret.DeepCopy()
	if next.Data == nil {
		next.Data = map[string][]byte{}
	}
	if len(l.ca) > 0 {
		next.Data[corev1.ServiceAccountRootCAKey] = bytes.Clone(l.ca)
	}
	if len(next.Data[corev1.ServiceAccountNamespaceKey]) == 0 {
		next.Data[corev1.ServiceAccountNamespaceKey] = []byte(next.Namespace)
	}
	if len(next.Data[corev1.ServiceAccountTokenKey]) == 0 {
		token, err := l.issuer.Legacy(account, next)
		if err != nil {
			return err
		}
		next.Data[corev1.ServiceAccountTokenKey] = []byte(token)
	}
	next.Annotations[corev1.ServiceAccountNameKey] = account.Name
	next.Annotations[corev1.ServiceAccountUIDKey] = string(account.UID)
	_, err := l.client.Update(ctx, resource, next)
	if errors.IsConflict(err) || errors.IsNotFound(err) {
		return nil // its next event leads here again
	}
	return err
}

// forget takes a Secret that is gone from the accounts that name it.
func (l *loop) forget(ctx context.Context, request controller.Request) error {
	named := func(ref corev1.ObjectReference) bool { return ref.Name == request.Name }
	for _, account := range cache.List[*corev1.ServiceAccount](l.cache, accountResource, request.Namespace) {
		if !slices.ContainsFunc(account.Secrets, named) {
			continue
		}
		next := account.DeepCopy()
		next.Secrets = slices.DeleteFunc(next.Secrets, named)
		if _, err := l.client.Update(ctx, accountResource, next); err != nil && !errors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
