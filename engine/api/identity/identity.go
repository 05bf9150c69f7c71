// Package identity says who makes a request: the user, its groups and what else
// authenticators know of it. How a user proves to be one is in
// engine/api/authentication and, for certificates, natively in server/; what a
// user may do is in engine/api/authorization.
package identity

import (
	"context"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// User is who makes a request.
type User struct {
	Name   string
	UID    string
	Groups []string
	// Extra is what else the authenticator knows; keys are lower case.
	Extra map[string][]string
}

// Names that Kubernetes gives a meaning
// (k8s.io/apiserver/pkg/authentication/user).
const (
	Anonymous          = "system:anonymous"
	APIServer          = "system:apiserver"
	Masters            = "system:masters"
	AllAuthenticated   = "system:authenticated"
	AllUnauthenticated = "system:unauthenticated"
	Nodes              = "system:nodes"
	NodePrefix         = "system:node:"
	AllServiceAccounts = "system:serviceaccounts"

	serviceAccountPrefix = "system:serviceaccount:"
)

// Keys of User.Extra by which a service account's token tells what it is bound
// to (k8s.io/apiserver/pkg/authentication/serviceaccount).
const (
	CredentialIDKey = "authentication.kubernetes.io/credential-id"
	NodeNameKey     = "authentication.kubernetes.io/node-name"
	NodeUIDKey      = "authentication.kubernetes.io/node-uid"
	PodNameKey      = "authentication.kubernetes.io/pod-name"
	PodUIDKey       = "authentication.kubernetes.io/pod-uid"
)

// Nobody is the user of a request without credentials.
var Nobody = User{Name: Anonymous, Groups: []string{AllUnauthenticated}}

// Administrator is the user of a kubeadm cluster's admin.conf.
var Administrator = User{Name: "kubernetes-admin", Groups: []string{"kubeadm:cluster-admins", Masters, AllAuthenticated}}

// In says whether the user is a member of a group.
func (u User) In(group string) bool { return slices.Contains(u.Groups, group) }

// Authenticated returns the user as a member of the group of all who have shown
// valid credentials.
func (u User) Authenticated() User {
	if !u.In(AllAuthenticated) {
		u.Groups = append(slices.Clip(u.Groups), AllAuthenticated)
	}
	return u
}

// Info is the user as the API shows it.
func (u User) Info() authenticationv1.UserInfo {
	info := authenticationv1.UserInfo{Username: u.Name, UID: u.UID, Groups: u.Groups}
	for key, values := range u.Extra {
		if info.Extra == nil {
			info.Extra = map[string]authenticationv1.ExtraValue{}
		}
		info.Extra[key] = values
	}
	return info
}

// NodeOf says of which node the user is the kubelet; false for other users.
func NodeOf(user User) (string, bool) {
	name, ok := strings.CutPrefix(user.Name, NodePrefix)
	return name, ok && user.In(Nodes)
}

// ServiceAccountName is the user name of a service account.
func ServiceAccountName(namespace, name string) string {
	return serviceAccountPrefix + namespace + ":" + name
}

// ServiceAccountGroups are the groups of every service account of a namespace.
func ServiceAccountGroups(namespace string) []string {
	return []string{AllServiceAccounts, AllServiceAccounts + ":" + namespace}
}

// SplitServiceAccount takes a service account's user name apart; false for any
// other name.
func SplitServiceAccount(username string) (namespace, name string, ok bool) {
	rest, ok := strings.CutPrefix(username, serviceAccountPrefix)
	if !ok {
		return "", "", false
	}
	namespace, name, ok = strings.Cut(rest, ":")
	return namespace, name, ok && len(validation.IsDNS1123Label(namespace)) == 0 && len(validation.IsDNS1123Subdomain(name)) == 0
}

type userKey struct{}

// WithUser returns a context whose requests are the user's.
func WithUser(ctx context.Context, user User) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// From returns the context's user; false for the engine's own components, which
// call the API in the same process.
func From(ctx context.Context) (User, bool) {
	user, ok := ctx.Value(userKey{}).(User)
	return user, ok
}
