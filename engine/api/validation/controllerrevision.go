package validation

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ControllerRevision checks a new ControllerRevision.
func ControllerRevision(r *appsv1.ControllerRevision) field.ErrorList {
	errs := nonNegative(nil, "revision", r.Revision)
	var data any
	switch err := json.Unmarshal(r.Data.Raw, &data); {
	case r.Data.Raw == nil:
		errs = append(errs, field.Required(dataPath, "data is mandatory"))
	case err != nil:
		errs = append(errs, field.Invalid(dataPath, "<value omitted>", fmt.Sprintf("error parsing data: %v", err)))
	case data == nil:
		errs = append(errs, field.Required(dataPath, "data is mandatory"))
	default:
		if _, isObject := data.(map[string]any); !isObject {
			errs = append(errs, field.Required(dataPath, "data must be a valid JSON object"))
		}
	}
	return errs
}

// ControllerRevisionUpdate checks a change to a ControllerRevision.
func ControllerRevisionUpdate(r, old *appsv1.ControllerRevision) field.ErrorList {
	return append(nonNegative(nil, "revision", r.Revision), immutable(dataPath, r.Data, old.Data)...)
}
