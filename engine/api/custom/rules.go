package custom

import (
	"encoding/json"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// unevaluated is what users of x-kubernetes-validations get to know where there
// is no evaluator.
const unevaluated = "x-kubernetes-validations are kept, but not enforced: this API server has no evaluator for CEL expressions"

// CheckRules has definitions' x-kubernetes-validations compiled when they are
// written, or warns where evaluator is nil. k is the kind of the definitions.
func CheckRules(k *kind.Kind, evaluator cel.Evaluator) {
	if evaluator == nil {
		warnings := k.Warnings
		k.Warnings = func(obj, old store.Object) []string {
			all := warnings(obj, old)
			if hasRules(obj) && (old == nil || !hasRules(old)) {
				all = append(all, unevaluated)
			}
			return all
		}
		return
	}
	create, update := k.Validate, k.ValidateUpdate
	k.Validate = func(obj store.Object) field.ErrorList { return withRules(create(obj), obj, evaluator) }
	k.ValidateUpdate = func(obj, old store.Object) field.ErrorList { return withRules(update(obj, old), obj, evaluator) }
}

func hasRules(obj store.Object) bool {
	for _, v := range obj.(*apiextensionsv1.CustomResourceDefinition).Spec.Versions {
		if v.Schema != nil && HasRules(v.Schema.OpenAPIV3Schema) {
			return true
		}
	}
	return false
}

// withRules compiles the rules of a definition that is right otherwise.
func withRules(errs field.ErrorList, obj store.Object, evaluator cel.Evaluator) field.ErrorList {
	if len(errs) > 0 {
		return errs
	}
	versions := obj.(*apiextensionsv1.CustomResourceDefinition).Spec.Versions
	for i := range versions {
		path := field.NewPath("spec", "versions").Index(i).Child("schema", "openAPIV3Schema")
		if len(versions) == 1 {
			path = field.NewPath("spec", "validation", "openAPIV3Schema")
		}
		schema := versions[i].Schema.OpenAPIV3Schema
		if !HasRules(schema) {
			continue
		}
		text, err := json.Marshal(schema)
		if err != nil {
			return append(errs, field.InternalError(path, err))
		}
		_, wrong := evaluator.Rules(text, path)
		errs = append(errs, wrong...)
	}
	return errs
}
