package endpoints

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
)

// Trail is what becomes known of a request on its way through a Handler, for an
// audit log. The request's own goroutine fills it in, before the answer begins.
type Trail struct {
	// Wants is what the request is about, Lasting whether it takes as long as its
	// client wants (a watch).
	Wants   authorization.Attributes
	Lasting bool
	// User makes the request, without a name where the credentials are not valid.
	// As is whom the user acts as, and Constraint the verb that allowed it, empty
	// for "impersonate"; nil: nobody else.
	User       identity.User
	As         *identity.User
	Constraint string
	// Decided says that the authorizer has been asked, and what it said.
	Decided, Allowed bool
	Reason           string
	// Name, Namespace, UID and ResourceVersion are those of the object that the
	// request sends.
	Name, Namespace, ResourceVersion string
	UID                              types.UID
	// Status is the one that is the answer; nil if the answer is something else.
	Status *metav1.Status
}

type trailKey struct{}

// WithTrail has a request's handler fill in a trail.
func WithTrail(ctx context.Context, trail *Trail) context.Context {
	return context.WithValue(ctx, trailKey{}, trail)
}

func trailOf(ctx context.Context) *Trail {
	if trail, ok := ctx.Value(trailKey{}).(*Trail); ok {
		return trail
	}
	return &Trail{} // nobody will read it
}

// sends notes the object that a request sends.
func (t *Trail) sends(obj any) {
	if meta, ok := obj.(metav1.Object); ok {
		t.Name, t.Namespace, t.UID, t.ResourceVersion = meta.GetName(), meta.GetNamespace(), meta.GetUID(), meta.GetResourceVersion()
	}
}
