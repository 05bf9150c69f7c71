// Package authorization says what a user may do. Its subpackages each know one
// way to be allowed something: rbac by roles and bindings, node by what a
// node's pods need. A request is allowed as soon as one of them allows it.
//
// The engine's own components, which call the API in the same process, are not
// asked: they are the cluster, as the loopback client of a real API server is,
// and a learner who deletes a default role should be able to put it back. They
// write as the users that they would be in a real cluster, so that causes and
// audit show them.
package authorization

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/identity"
)

// Attributes are what a request wants to do.
type Attributes struct {
	Verb string
	schema.GroupVersionResource
	Subresource, Namespace, Name string
	// Fields restrict a list or watch to some objects; nil: all.
	Fields fields.Selector
	// Path is that of a request which is not about resources; the fields above
	// but Verb are then empty.
	Path string
}

// Authorizer says whether a user may do something. The reason tells why, or
// what an authorizer could not find out; it may be empty.
type Authorizer func(ctx context.Context, user identity.User, a Attributes) (allowed bool, reason string)

// AnyOf allows what one of the authorizers allows, and gives the reasons of all
// where none does.
func AnyOf(authorizers ...Authorizer) Authorizer {
	return func(ctx context.Context, user identity.User, a Attributes) (bool, string) {
		var reasons []string
		for _, authorize := range authorizers {
			allowed, reason := authorize(ctx, user, a)
			if allowed {
				return true, reason
			}
			if reason != "" {
				reasons = append(reasons, reason)
			}
		}
		return false, strings.Join(reasons, "\n")
	}
}

// Masters allows everything to the group system:masters.
func Masters(_ context.Context, user identity.User, _ Attributes) (bool, string) {
	return user.In(identity.Masters), ""
}

// Denial says what a user may not do, as Kubernetes words it
// (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters.Forbidden).
func Denial(user identity.User, a Attributes, reason string) string {
	text := denial(user, a)
	if reason != "" {
		text += ": " + reason
	}
	return text
}

func denial(user identity.User, a Attributes) string {
	if a.Path != "" {
		return fmt.Sprintf("User %q cannot %s path %q", user.Name, a.Verb, a.Path)
	}
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	where := "at the cluster scope"
	if a.Namespace != "" {
		where = fmt.Sprintf("in the namespace %q", a.Namespace)
	}
	return fmt.Sprintf("User %q cannot %s resource %q in API group %q %s", user.Name, a.Verb, resource, a.Group, where)
}
