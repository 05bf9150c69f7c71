package rest

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// request describes a write to the admission plugins; the caller fills in what
// it is about.
func (o *Operations) request(ctx context.Context, operation admission.Operation, k *kind.Kind, opts WriteOptions) *admission.Request {
	return &admission.Request{Kind: k, Operation: operation, DryRun: opts.DryRun, Warn: opts.Warn, User: userInfo(ctx)}
}

// userInfo is whom admission plugins take a request's author for: a component
// of the same process writes under the name that its causes carry.
func userInfo(ctx context.Context) authenticationv1.UserInfo {
	user, ok := UserFrom(ctx)
	if !ok {
		return authenticationv1.UserInfo{Username: store.CauseFrom(ctx).Actor}
	}
	return authenticationv1.UserInfo{Username: user.Name, UID: user.UID, Groups: user.Groups}
}
