package rest

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/custom"
	"tidepool.dev/tidepool/engine/api/identity"
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
	user, ok := identity.From(ctx)
	if !ok {
		return authenticationv1.UserInfo{Username: store.CauseFrom(ctx).Actor}
	}
	return user.Info()
}

// SetPolicies lets admission evaluate expressions, call webhooks and ask what
// users may do; each may be nil. It is called before the first write.
func (o *Operations) SetPolicies(evaluator cel.Evaluator, call admission.Caller, authorize cel.Authorize) {
	o.custom.SetEvaluator(evaluator)
	if k, ok := o.kinds[custom.Resource]; ok {
		custom.CheckRules(k, evaluator)
	}
	o.admission = admission.New(admission.Config{
		Store: o.store, Clock: o.clock, Random: o.random, Kinds: o.Kinds, CEL: evaluator, Call: call, Authorize: authorize,
	})
}

// Guard may complete and refuse what a user writes, after the plugins that may
// change it.
type Guard func(ctx context.Context, r *admission.Request) error

// SetGuard has every write checked by guards, in their order; it is called
// before the first.
func (o *Operations) SetGuard(guards ...Guard) { o.guards = guards }

func (o *Operations) check(ctx context.Context, r *admission.Request) error {
	for _, guard := range o.guards {
		if err := guard(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
