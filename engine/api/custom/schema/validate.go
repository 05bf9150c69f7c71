package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate refuses values that do not fit, with the errors that Kubernetes has
// for them; path is where the value is, nil for the whole object
// (k8s.io/kube-openapi/pkg/validation/validate upstream).
func (s *Schema) Validate(path *field.Path, value any) field.ErrorList {
	if s == nil {
		return nil
	}
	v := &validator{root: path}
	v.value(s, value, "")
	return v.errors
}

// validator collects errors. matches counts the checks that have been made, by
// which the best of several alternatives is found.
type validator struct {
	root    *field.Path
	errors  field.ErrorList
	matches int
}

func (v *validator) at(name string) *field.Path {
	if name = strings.TrimPrefix(name, "."); name == "" {
		return v.root
	}
	return v.root.Child(name)
}

func (v *validator) invalid(name string, value any, format string, values ...any) {
	v.errors = append(v.errors, field.Invalid(v.at(name), value, fmt.Sprintf("%s in body "+format, append([]any{name}, values...)...)))
}

// general is an error of no field.
func (v *validator) general(format string, values ...any) {
	v.errors = append(v.errors, field.Invalid(v.root, "", fmt.Sprintf(format, values...)))
}

func (v *validator) merge(other *validator) {
	v.errors = append(v.errors, other.errors...)
	v.matches += other.matches
}

// alone validates a value by another schema, apart.
func (v *validator) alone(s *Schema, value any, name string) *validator {
	other := &validator{root: v.root}
	other.value(s, value, name)
	return other
}

func (v *validator) value(s *Schema, value any, name string) {
	if value == nil {
		if len(s.types) > 0 && !s.nullable() {
			v.wrongType(s, name, "null")
		}
		v.enumerated(s, value, name)
		return
	}
	v.typed(s, value, name)
	v.alternatives(s, value, name)
	switch value := value.(type) {
	case string:
		v.text(s, value, name)
	case int64, float64:
		v.number(s, value, name)
	case []any:
		v.list(s, value, name)
	}
	v.enumerated(s, value, name)
	if fields, is := value.(map[string]any); is {
		v.fields(s, fields, name)
	}
	v.matches += 2
}

func typeOf(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case string:
		return "string"
	case int64:
		return "integer"
	case float64:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func (v *validator) wrongType(s *Schema, name, actual string) {
	expected := strings.Join(s.types, ",")
	message := fmt.Sprintf("%s in body must be of type %s: %q", name, expected, actual)
	v.errors = append(v.errors, field.TypeInvalid(v.at(name), actual, message))
}

func (v *validator) typed(s *Schema, value any, name string) {
	if len(s.types) == 0 {
		return
	}
	v.matches++
	actual := typeOf(value)
	number, isFloat := value.(float64)
	switch {
	case slices.Contains(s.types, actual),
		isFloat && number == math.Trunc(number) && slices.Contains(s.types, "integer"),
		actual == "integer" && slices.Contains(s.types, "number"):
	default:
		v.wrongType(s, name, actual)
	}
}

func (v *validator) alternatives(s *Schema, value any, name string) {
	v.anyOf(s, value, name)
	v.oneOf(s, value, name)
	valid := 0
	for _, each := range s.allOf {
		result := v.alone(each, value, name)
		if len(result.errors) == 0 {
			valid++
		}
		v.merge(result)
	}
	if valid != len(s.allOf) {
		none := ""
		if valid == 0 {
			none = ". None validated"
		}
		v.general("%q must validate all the schemas (allOf)%s", name, none)
	}
	if s.not != nil && len(v.alone(s.not, value, name).errors) == 0 {
		v.general("%q must not validate the schema (not)", name)
	}
	v.matches++
}

func (v *validator) anyOf(s *Schema, value any, name string) {
	var best *validator
	for _, each := range s.anyOf {
		result := v.alone(each, value, name)
		if len(result.errors) == 0 {
			v.merge(result)
			return
		}
		if best == nil || result.matches > best.matches {
			best = result
		}
	}
	if best != nil {
		v.general("%q must validate at least one schema (anyOf)", name)
		v.merge(best)
	}
}

func (v *validator) oneOf(s *Schema, value any, name string) {
	if len(s.oneOf) == 0 {
		return
	}
	var best *validator
	valid := 0
	for _, each := range s.oneOf {
		result := v.alone(each, value, name)
		if len(result.errors) == 0 {
			valid++
			continue
		}
		if best == nil || result.matches > best.matches {
			best = result
		}
	}
	switch valid {
	case 1:
	case 0:
		v.general("%q must validate one and only one schema (oneOf). Found none valid", name)
		v.merge(best)
	default:
		v.general("%q must validate one and only one schema (oneOf). Found %d valid alternatives", name, valid)
	}
}

func (v *validator) text(s *Schema, value, name string) {
	p := s.props
	length := int64(utf8.RuneCountInString(value))
	switch {
	case p.MaxLength != nil && length > *p.MaxLength:
		v.errors = append(v.errors, field.TooLong(v.at(name), "", int(*p.MaxLength)))
	case p.MinLength != nil && length < *p.MinLength:
		v.invalid(name, value, "should be at least %d chars long", *p.MinLength)
	case s.pattern != nil && !s.pattern.MatchString(value):
		v.invalid(name, value, "should match '%s'", p.Pattern)
	default:
		v.matches++
	}
	if check := formats[s.format]; check != nil && !check(value) {
		message := fmt.Sprintf("%s in body must be of type %s: %q", name, s.props.Format, value)
		v.errors = append(v.errors, field.TypeInvalid(v.at(name), value, message))
	}
}

func (v *validator) number(s *Schema, value any, name string) {
	p := s.props
	number, isFloat := value.(float64)
	whole, _ := value.(int64)
	if !isFloat {
		number = float64(whole)
	}
	// Whole numbers are compared as such, and bounds shown in their type.
	shown := func(bound float64) any {
		if isFloat {
			return bound
		}
		return int64(bound)
	}
	before := len(v.errors)
	if s.format == "int32" && (number < math.MinInt32 || number > math.MaxInt32) {
		v.general("Checked value must be of type %s with format %s in %s", s.types[0], s.format, name)
	}
	if p.Type == "integer" && number != math.Trunc(number) {
		v.general("Checked value must be of type integer (default format) in %s", name)
	}
	if p.MultipleOf != nil {
		factor := *p.MultipleOf
		if !isFloat {
			factor = math.Trunc(factor) // upstream compares whole numbers with whole ones
		}
		if quotient := number / factor; factor <= 0 {
			v.errors = append(v.errors, field.Invalid(v.at(name), shown(factor), fmt.Sprintf("factor MultipleOf declared for %s must be positive: %v", name, factor)))
		} else if quotient != math.Trunc(quotient) {
			v.invalid(name, value, "should be a multiple of %v", shown(factor))
		}
	}
	if p.Minimum != nil {
		switch bound := *p.Minimum; {
		case p.ExclusiveMinimum && number <= bound:
			v.invalid(name, value, "should be greater than %v", shown(bound))
		case number < bound:
			v.invalid(name, value, "should be greater than or equal to %v", shown(bound))
		}
	}
	if p.Maximum != nil {
		switch bound := *p.Maximum; {
		case p.ExclusiveMaximum && number >= bound:
			v.invalid(name, value, "should be less than %v", shown(bound))
		case number > bound:
			v.invalid(name, value, "should be less than or equal to %v", shown(bound))
		}
	}
	if len(v.errors) == before {
		v.matches++
	}
}

func (v *validator) list(s *Schema, value []any, name string) {
	p := s.props
	if s.items != nil {
		for i := range value {
			v.value(s.items, value[i], name+"["+strconv.Itoa(i)+"]")
		}
	}
	size := int64(len(value))
	if p.MinItems != nil && size < *p.MinItems {
		v.invalid(name, size, "should have at least %d items", *p.MinItems)
	}
	if p.MaxItems != nil && size > *p.MaxItems {
		v.errors = append(v.errors, field.TooMany(v.at(name), int(size), int(*p.MaxItems)))
	}
	v.matches++
}

func (v *validator) enumerated(s *Schema, value any, name string) {
	if len(s.enum) == 0 || slices.ContainsFunc(s.enum, func(allowed any) bool { return same(allowed, value) }) {
		v.matches++
		return
	}
	var allowed []string
	for _, each := range s.enum {
		text, isText := each.(string)
		if !isText {
			raw, _ := json.Marshal(each) // it comes from JSON
			text = string(raw)
		}
		allowed = append(allowed, text)
	}
	v.errors = append(v.errors, field.NotSupported(v.at(name), value, allowed))
}

func same(a, b any) bool {
	x, isInt := a.(int64)
	y, isFloat := b.(float64)
	if isInt && isFloat {
		return float64(x) == y
	}
	if x, isFloat := a.(float64); isFloat {
		if y, isInt := b.(int64); isInt {
			return x == float64(y)
		}
	}
	return reflect.DeepEqual(a, b)
}

func (v *validator) fields(s *Schema, value map[string]any, name string) {
	p := s.props
	size := int64(len(value))
	if p.MinProperties != nil && size < *p.MinProperties {
		v.invalid(name, size, "should have at least %d properties", *p.MinProperties)
	}
	if p.MaxProperties != nil && size > *p.MaxProperties {
		v.errors = append(v.errors, field.TooMany(v.at(name), int(size), int(*p.MaxProperties)))
	}
	for _, key := range slices.Sorted(maps.Keys(value)) {
		below := key
		if name != "" {
			below = name + "." + key
		}
		_, declared := s.properties[key]
		switch {
		case declared:
			v.value(s.properties[key], value[key], below)
		case s.closed:
			v.errors = append(v.errors, field.Invalid(v.at(name), "", fmt.Sprintf("%s.%s in body is a forbidden property", name, key)))
		case s.additional != nil:
			v.value(s.additional, value[key], name+"."+key)
		}
	}
	for _, key := range p.Required {
		if _, ok := value[key]; !ok {
			v.errors = append(v.errors, field.Required(v.at(name+"."+key), ""))
		}
	}
	v.matches++
}
