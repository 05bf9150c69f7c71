// Package serviceaccount issues the tokens of service accounts and says whose
// they are: those that are bound to a pod, a node or a Secret and end with it
// (k8s.io/kubernetes/pkg/serviceaccount and .../pkg/registry/core/serviceaccount
// upstream), and those of old that lie in a Secret and do not expire.
package serviceaccount

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authentication/jwt"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/names"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

const (
	// projectedSeconds is the lifetime that marks the tokens which pods get
	// without asking. They really last for extendedSeconds, since programs of
	// old read them once and never again.
	projectedSeconds = 60*60 + 7
	extendedSeconds  = 365 * 24 * 60 * 60
	// defaultSeconds is the lifetime of a token for which none is asked.
	defaultSeconds = 60 * 60
)

// Issuer issues and knows tokens. It is safe for concurrent use.
type Issuer struct {
	Store store.Interface
	Clock clock.Clock
	// Random must be safe for concurrent use.
	Random *rand.Rand
	Key    *jwt.Key
}

var tokenRequestKind = authenticationv1.SchemeGroupVersion.WithKind("TokenRequest")

// lookup finds an object.
func lookup[T store.Object](ctx context.Context, i *Issuer, resource, namespace, name string) (T, error) {
	obj, err := i.Store.Get(ctx, store.Key{Resource: resource, Namespace: namespace, Name: name})
	if err == nil {
		return obj.(T), nil
	}
	var none T
	if errors.Is(err, store.ErrNotFound) {
		return none, apierrors.NewNotFound(corev1.Resource(resource), name)
	}
	return none, apierrors.NewInternalError(err)
}

// Issue answers a request for a token of a service account.
func (i *Issuer) Issue(ctx context.Context, namespace, name string, r *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error) {
	account, err := lookup[*corev1.ServiceAccount](ctx, i, "serviceaccounts", namespace, name)
	if err != nil {
		return nil, err
	}
	if r.UID != "" && r.UID != account.UID {
		return nil, apierrors.NewConflict(schema.GroupResource{Group: tokenRequestKind.Group, Resource: tokenRequestKind.Kind}, name,
			fmt.Errorf("the UID in the token request (%s) does not match the UID of the service account (%s)", r.UID, account.UID))
	}
	now := i.Clock.Now()
	r.SetGroupVersionKind(tokenRequestKind)
	r.Name, r.Namespace, r.UID = account.Name, account.Namespace, account.UID
	r.CreationTimestamp = metav1.NewTime(now.Truncate(time.Second))
	r.Status = authenticationv1.TokenRequestStatus{}
	if len(r.Spec.Audiences) == 0 {
		r.Spec.Audiences = []string{authentication.Audience}
	}
	if r.Spec.ExpirationSeconds == nil {
		r.Spec.ExpirationSeconds = new(int64(defaultSeconds))
	}
	if errs := validation.TokenRequest(r); len(errs) > 0 {
		return nil, apierrors.NewInvalid(tokenRequestKind.GroupKind(), "", errs)
	}
	bound, err := i.bind(ctx, account, r.Spec.BoundObjectRef)
	if err != nil {
		return nil, err
	}
	seconds := *r.Spec.ExpirationSeconds
	if bound.Pod != nil && seconds == projectedSeconds && isAPI(r.Spec.Audiences) {
		bound.WarnAfter, seconds = now.Unix()+seconds, extendedSeconds
	}
	token, err := i.Key.Sign(claims{
		Audience:   r.Spec.Audiences,
		Expiry:     now.Unix() + seconds,
		IssuedAt:   now.Unix(),
		Issuer:     authentication.Audience,
		ID:         string(names.UID(i.Random)),
		Kubernetes: &bound,
		NotBefore:  now.Unix(),
		Subject:    identity.ServiceAccountName(namespace, name),
	})
	if err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("failed to generate token: %w", err))
	}
	r.Status.Token = token
	r.Status.ExpirationTimestamp = metav1.NewTime(now.Add(time.Duration(*r.Spec.ExpirationSeconds) * time.Second).Truncate(time.Second))
	return r, nil
}

func isAPI(audiences []string) bool {
	return len(audiences) == 1 && audiences[0] == authentication.Audience
}

// bind looks the object up with which a token is to end.
func (i *Issuer) bind(ctx context.Context, account *corev1.ServiceAccount, to *authenticationv1.BoundObjectReference) (kubernetes, error) {
	k := kubernetes{Namespace: account.Namespace, Account: reference{account.Name, string(account.UID)}}
	if to == nil {
		return k, nil
	}
	gvk := schema.FromAPIVersionAndKind(to.APIVersion, to.Kind)
	var obj store.Object
	switch gvk.GroupKind() {
	case schema.GroupKind{Kind: "Pod"}:
		pod, err := lookup[*corev1.Pod](ctx, i, "pods", account.Namespace, to.Name)
		if err != nil {
			return k, err
		}
		if pod.Spec.ServiceAccountName != account.Name {
			return k, apierrors.NewBadRequest(fmt.Sprintf("cannot bind token for serviceaccount %q to pod running with different serviceaccount name.", account.Name))
		}
		obj, k.Pod = pod, refTo(pod)
		if pod.Spec.NodeName != "" {
			k.Node = &reference{Name: pod.Spec.NodeName}
			if node, err := lookup[*corev1.Node](ctx, i, "nodes", "", pod.Spec.NodeName); err == nil {
				k.Node = refTo(node)
			}
		}
	case schema.GroupKind{Kind: "Node"}:
		node, err := lookup[*corev1.Node](ctx, i, "nodes", "", to.Name)
		if err != nil {
			return k, err
		}
		obj, k.Node = node, refTo(node)
	case schema.GroupKind{Kind: "Secret"}:
		secret, err := lookup[*corev1.Secret](ctx, i, "secrets", account.Namespace, to.Name)
		if err != nil {
			return k, err
		}
		obj, k.Secret = secret, refTo(secret)
	default:
		return k, apierrors.NewBadRequest("cannot bind token to object of type " + gvk.String())
	}
	if to.UID != "" && to.UID != obj.GetUID() {
		return k, apierrors.NewConflict(schema.GroupResource{Group: gvk.Group, Resource: gvk.Kind}, to.Name,
			fmt.Errorf("the UID in the bound object reference (%s) does not match the UID in record. The object might have been deleted and then recreated", to.UID))
	}
	return k, nil
}

func refTo(obj store.Object) *reference { return &reference{obj.GetName(), string(obj.GetUID())} }

// Legacy returns the token that lies in a Secret of type
// kubernetes.io/service-account-token. It does not expire.
func (i *Issuer) Legacy(account *corev1.ServiceAccount, secret *corev1.Secret) (string, error) {
	return i.Key.Sign(claims{
		Issuer:           legacyIssuer,
		LegacyNamespace:  account.Namespace,
		LegacySecret:     secret.Name,
		LegacyAccount:    account.Name,
		LegacyAccountUID: string(account.UID),
		Subject:          identity.ServiceAccountName(account.Namespace, account.Name),
	})
}
