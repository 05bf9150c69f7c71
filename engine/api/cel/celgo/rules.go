package celgo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"tidepool.dev/tidepool/engine/api/cel"
)

// Rules implements cel.Evaluator.
func (Evaluator) Rules(text []byte, path *field.Path) (cel.Rules, field.ErrorList) {
	structural, err := structuralOf(text)
	if err != nil {
		return nil, field.ErrorList{field.InternalError(path, err)}
	}
	if errs := compileRules(structural, true, path); len(errs) > 0 {
		return nil, errs
	}
	validator := schemacel.NewValidator(structural, true, celconfig.PerCallLimit)
	if validator == nil {
		return nil, nil
	}
	return rules{validator, structural}, nil
}

func structuralOf(text []byte) (*schema.Structural, error) {
	var published apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(text, &published); err != nil {
		return nil, err
	}
	var props apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&published, &props, nil); err != nil {
		return nil, err
	}
	return schema.NewStructural(&props)
}

// compileRules looks for rules that do not compile, in the schema and below it.
func compileRules(s *schema.Structural, resource bool, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if declared := model.SchemaDeclType(s, resource); len(s.XValidations) > 0 && declared != nil {
		results, err := schemacel.Compile(s, declared, celconfig.PerCallLimit, base(), schemacel.NewExpressionsEnvLoader())
		if err != nil {
			errs = append(errs, field.InternalError(path.Child("x-kubernetes-validations"), err))
		}
		for i, result := range results {
			at := path.Child("x-kubernetes-validations").Index(i)
			if result.Error != nil {
				errs = append(errs, field.Invalid(at.Child("rule"), s.XValidations[i], result.Error.Detail))
			}
			if result.MessageExpressionError != nil {
				errs = append(errs, field.Invalid(at.Child("messageExpression"), s.XValidations[i], result.MessageExpressionError.Detail))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		errs = append(errs, compileRules(&property, property.XEmbeddedResource, path.Child("properties").Key(name))...)
	}
	if s.Items != nil {
		errs = append(errs, compileRules(s.Items, s.Items.XEmbeddedResource, path.Child("items"))...)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
		more := s.AdditionalProperties.Structural
		errs = append(errs, compileRules(more, more.XEmbeddedResource, path.Child("additionalProperties"))...)
	}
	return errs
}

type rules struct {
	validator  *schemacel.Validator
	structural *schema.Structural
}

// Validate implements cel.Rules.
func (r rules) Validate(ctx context.Context, path *field.Path, obj, old any) field.ErrorList {
	errs, _ := r.validator.Validate(ctx, path, r.structural, obj, old, celconfig.RuntimeCELCostBudget)
	return errs
}
