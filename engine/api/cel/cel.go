// Package cel is what the API needs of an evaluator of CEL, the language of
// admission policies, of webhooks' match conditions and of the validation rules
// in CustomResourceDefinitions.
//
// The evaluator is passed in, as CEL is as large as the rest of the engine:
// engine/api/cel/celgo is made of upstream's own packages and linked where size
// does not matter. Where there is none (nil), what needs it says so.
package cel

import (
	"context"
	"errors"

	admissionv1 "k8s.io/api/admission/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ErrUnavailable is why expressions can't be used where there is no evaluator.
var ErrUnavailable = errors.New("this API server has no evaluator for CEL expressions")

// Evaluator compiles expressions. It is safe for concurrent use, and so is all
// that it returns.
type Evaluator interface {
	// Compile compiles the expressions of one policy or webhook. Errors are by
	// the index of the variables first and the expressions behind them, nil for
	// those without; their texts are Kubernetes', without the path of the field.
	// The program can be run nevertheless: what did not compile fails.
	Compile(Source) (Program, []error)

	// Rules compiles the x-kubernetes-validations of a structural schema, given
	// as the JSON of its OpenAPI v3 form; path is where in its definition the
	// schema is. The rules are nil where there are none.
	Rules(schema []byte, path *field.Path) (Rules, field.ErrorList)
}

// Type is what an expression must result in.
type Type uint8

const (
	Any Type = iota
	Bool
	String
	// StringOrNull is a string, or null for none.
	StringOrNull
	// ApplyConfiguration is an Object{...} to be applied to the object.
	ApplyConfiguration
	// JSONPatch is a list of JSONPatch{...}.
	JSONPatch
)

// Expression is one expression of a policy.
type Expression struct {
	// Name is that under which other expressions find a variable; empty for
	// expressions that are none.
	Name string
	Text string
	Type Type
	// NoAuthorizer hides the variable "authorizer" from it.
	NoAuthorizer bool
}

// Source is what is compiled together.
type Source struct {
	// Variables are "variables.NAME" to the expressions and to the variables
	// behind them. They are worked out when they are first needed.
	Variables []Expression
	// Expressions are evaluated in this order.
	Expressions []Expression
	// Params and Authorizer say whether there are variables of these names.
	Params, Authorizer bool
}

// Authorize answers whether a user may do something, for the variable
// "authorizer".
type Authorize func(context.Context, authorizationv1.SubjectAccessReviewSpec) (allowed bool, reason string, err error)

// Input is what expressions are evaluated about.
type Input struct {
	Request *admissionv1.AdmissionRequest
	// Object and OldObject are the states of the object, typed or unstructured;
	// nil where there is none.
	Object, OldObject runtime.Object
	// Params is the parameter object; nil for null.
	Params runtime.Object
	// Namespace is that of the object; nil for cluster-scoped ones.
	Namespace *corev1.Namespace
	Authorize Authorize
}

// Result is what an expression has come to.
type Result struct {
	// Value is made of nil, bool, int64, uint64, float64, string, []any and
	// map[string]any; an ApplyConfiguration's and a JSONPatch's as well.
	Value any
	Err   error
}

// Program is a compiled Source.
type Program interface {
	// Evaluate returns the expressions' results in their order. The error is of
	// the evaluation as a whole: it has been too expensive.
	Evaluate(context.Context, Input) ([]Result, error)
}

// Rules are a schema's compiled x-kubernetes-validations.
type Rules interface {
	// Validate returns what the rules refuse of an object, a value as
	// encoding/json decodes it but with int64 for whole numbers; old is its
	// stored state, nil if it is new, and path where it is.
	Validate(ctx context.Context, path *field.Path, obj, old any) field.ErrorList
}
