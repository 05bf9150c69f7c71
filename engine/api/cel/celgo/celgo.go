// Package celgo evaluates CEL with the very packages that kube-apiserver uses:
// k8s.io/apiserver's library, environments and cost limits over cel-go, and
// apiextensions-apiserver's validator for the rules of custom resources.
//
// It is as large as the rest of the engine, so nothing in the engine imports
// it: whoever assembles a native cluster passes it in.
package celgo

import (
	"context"
	"errors"
	"sync"

	celtypes "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"

	"tidepool.dev/tidepool/engine/api/cel"
)

// Evaluator implements cel.Evaluator. The zero value is ready.
type Evaluator struct{}

// base is made once: it takes a while.
var base = sync.OnceValue(func() *environment.EnvSet {
	return environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
})

// Compile implements cel.Evaluator.
func (Evaluator) Compile(source cel.Source) (cel.Program, []error) {
	errs := make([]error, len(source.Variables)+len(source.Expressions))
	compiler, err := plugincel.NewCompositedCompiler(base())
	if err != nil { // the environment is Kubernetes' own
		for i := range errs {
			errs[i] = err
		}
		return broken{err}, errs
	}
	declared := plugincel.OptionalVariableDeclarations{HasParams: source.Params, HasAuthorizer: source.Authorizer}
	for i := range source.Variables {
		result := compiler.CompileAndStoreVariable(accessor{&source.Variables[i]}, declared, environment.StoredExpressions)
		errs[i] = compileError(result)
	}
	results := make([]plugincel.CompilationResult, len(source.Expressions))
	for i := range source.Expressions {
		visible := declared
		visible.HasAuthorizer = declared.HasAuthorizer && !source.Expressions[i].NoAuthorizer
		results[i] = compiler.CompileCELExpression(accessor{&source.Expressions[i]}, visible, environment.StoredExpressions)
		errs[len(source.Variables)+i] = compileError(results[i])
	}
	return &program{compiler: compiler, condition: plugincel.NewCondition(results), count: len(results)}, errs
}

func compileError(result plugincel.CompilationResult) error {
	if result.Error == nil {
		return nil
	}
	return errors.New(result.Error.Detail)
}

// accessor shows an expression to upstream's compiler.
type accessor struct{ *cel.Expression }

func (a accessor) GetName() string       { return a.Name }
func (a accessor) GetExpression() string { return a.Text }

func (a accessor) ReturnTypes() []*celtypes.Type {
	switch a.Type {
	case cel.Bool:
		return []*celtypes.Type{celtypes.BoolType}
	case cel.String:
		return []*celtypes.Type{celtypes.StringType}
	case cel.StringOrNull:
		return []*celtypes.Type{celtypes.StringType, celtypes.NullType}
	}
	return []*celtypes.Type{celtypes.AnyType, celtypes.DynType}
}

type program struct {
	compiler  *plugincel.CompositedCompiler
	condition plugincel.ConditionEvaluator
	count     int
}

// Evaluate implements cel.Program.
func (p *program) Evaluate(ctx context.Context, input cel.Input) ([]cel.Result, error) {
	if p.count == 0 {
		return nil, nil
	}
	attributes := attributesOf(input)
	bindings := plugincel.OptionalVariableBindings{VersionedParams: input.Params, Authorizer: authorizerOf(input.Authorize)}
	evaluated, _, err := p.condition.ForInput(p.compiler.CreateContext(ctx), attributes, withoutObjects(input.Request), bindings,
		plugincel.CreateNamespaceObject(input.Namespace), celconfig.RuntimeCELCostBudget)
	if err != nil {
		return nil, err
	}
	results := make([]cel.Result, len(evaluated))
	for i := range evaluated {
		if results[i].Err = evaluated[i].Error; results[i].Err == nil {
			results[i].Value = plain(evaluated[i].EvalResult)
		}
	}
	return results, nil
}

// withoutObjects is the request as expressions see it: they have the objects as
// variables of their own.
func withoutObjects(request *admissionv1.AdmissionRequest) *admissionv1.AdmissionRequest {
	seen := *request
	seen.Object, seen.OldObject = runtime.RawExtension{}, runtime.RawExtension{}
	return &seen
}

// attributesOf puts an input into the form that upstream's evaluator takes.
func attributesOf(input cel.Input) *admission.VersionedAttributes {
	request := input.Request
	extra := map[string][]string{}
	for key, values := range request.UserInfo.Extra {
		extra[key] = values
	}
	author := &user.DefaultInfo{Name: request.UserInfo.Username, UID: request.UserInfo.UID, Groups: request.UserInfo.Groups, Extra: extra}
	kind := schema.GroupVersionKind(request.Kind)
	record := admission.NewAttributesRecord(input.Object, input.OldObject, kind, request.Namespace, request.Name,
		schema.GroupVersionResource(request.Resource), request.SubResource, admission.Operation(request.Operation), nil,
		request.DryRun != nil && *request.DryRun, author)
	attributes := &admission.VersionedAttributes{Attributes: record, VersionedKind: kind}
	if input.Object != nil {
		attributes.VersionedObject.Set(input.Object)
	}
	if input.OldObject != nil {
		attributes.VersionedOldObject.Set(input.OldObject)
	}
	return attributes
}

// plain is a value of CEL as one of Go.
func plain(value ref.Val) any {
	switch value := value.(type) {
	case nil, types.Null:
		return nil
	case types.Bool, types.Int, types.Uint, types.Double, types.String:
		return value.Value()
	case traits.Mapper:
		all := map[string]any{}
		for it := value.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			if name, ok := key.Value().(string); ok {
				all[name] = plain(value.Get(key))
			}
		}
		return all
	case traits.Lister:
		all := []any{}
		for it := value.Iterator(); it.HasNext() == types.True; {
			all = append(all, plain(it.Next()))
		}
		return all
	}
	return value.Value()
}

// broken is a program that could not be made.
type broken struct{ err error }

func (b broken) Evaluate(context.Context, cel.Input) ([]cel.Result, error) { return nil, b.err }

var _ cel.Evaluator = Evaluator{}
