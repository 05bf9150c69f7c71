package admission

import (
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/store"
)

func labelsOf(obj store.Object) labels.Set { return obj.GetLabels() }

// compilePolicy compiles a policy's expressions and says which are wrong.
func compilePolicy(evaluator cel.Evaluator, p *policy) (*compiledPolicy, field.ErrorList) {
	var errs field.ErrorList
	var at []*field.Path // of the expressions, as they are compiled
	report := func(expressions []cel.Expression, failures []error) {
		for i, err := range failures {
			if err != nil {
				errs = append(errs, field.Invalid(at[i], expressions[i].Text, err.Error()))
			}
		}
		at = at[:0]
	}
	spec, path := &p.Spec, field.NewPath("spec")
	compiled := &compiledPolicy{of: p, messages: make([]int, len(spec.Validations))}
	if len(spec.MatchConditions) > 0 {
		conditions := conditionExpressions(spec.MatchConditions)
		for i := range conditions {
			conditions[i].Text = strings.TrimSpace(conditions[i].Text)
			at = append(at, path.Child("matchConditions").Index(i).Child("expression"))
		}
		program, failures := evaluator.Compile(cel.Source{Expressions: conditions, Params: spec.ParamKind != nil, Authorizer: true})
		compiled.conditions = program
		report(conditions, failures)
	}
	source := cel.Source{Params: spec.ParamKind != nil, Authorizer: true}
	for i, variable := range spec.Variables {
		source.Variables = append(source.Variables, cel.Expression{Name: variable.Name, Text: variable.Expression})
		at = append(at, path.Child("variables").Index(i).Child("expression"))
	}
	for i, check := range spec.Validations {
		source.Expressions = append(source.Expressions, cel.Expression{Text: check.Expression, Type: cel.Bool})
		at = append(at, path.Child("validations").Index(i).Child("expression"))
	}
	for i, check := range spec.Validations {
		if check.MessageExpression != "" {
			compiled.messages[i] = len(source.Expressions)
			source.Expressions = append(source.Expressions, cel.Expression{Text: check.MessageExpression, Type: cel.String, NoAuthorizer: true})
			at = append(at, path.Child("validations").Index(i).Child("messageExpression"))
		}
	}
	for i, annotation := range spec.AuditAnnotations {
		source.Expressions = append(source.Expressions, cel.Expression{Text: strings.TrimSpace(annotation.ValueExpression), Type: cel.StringOrNull})
		at = append(at, path.Child("auditAnnotations").Index(i).Child("valueExpression"))
	}
	program, failures := evaluator.Compile(source)
	compiled.checks = program
	report(append(source.Variables[:len(source.Variables):len(source.Variables)], source.Expressions...), failures)
	return compiled, errs
}
