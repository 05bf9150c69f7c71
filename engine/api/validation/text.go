package validation

import (
	"strings"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// invalid turns messages about a value into errors.
func invalid(path *field.Path, value any, messages []string) field.ErrorList {
	var errs field.ErrorList
	for _, message := range messages {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

// The checks of text below first look quickly whether the value is plainly
// valid, and leave it to apimachinery's regular expressions to say what is
// wrong.

func dnsLabel(value string) []string {
	if len(value) <= validation.DNS1123LabelMaxLength && isLabel(value) {
		return nil
	}
	return validation.IsDNS1123Label(value)
}

func dnsSubdomain(value string) []string {
	if len(value) <= validation.DNS1123SubdomainMaxLength && isSubdomain(value) {
		return nil
	}
	return validation.IsDNS1123Subdomain(value)
}

// objectName checks the name of an object that is referred to. With prefix, a
// name to be completed may end in a dash.
func objectName(value string, prefix bool) []string {
	if len(value) <= validation.DNS1123SubdomainMaxLength && isSubdomain(value) {
		return nil
	}
	return apivalidation.NameIsDNSSubdomain(value, prefix)
}

func qualifiedName(value string) []string {
	prefix, name, found := strings.Cut(value, "/")
	if !found {
		prefix, name = "", value
	}
	if len(name) <= 63 && isName(name) && (!found || len(prefix) <= validation.DNS1123SubdomainMaxLength && isSubdomain(prefix)) {
		return nil
	}
	return validation.IsQualifiedName(value)
}

func labelValue(value string) []string {
	if len(value) <= validation.LabelValueMaxLength && (value == "" || isName(value)) {
		return nil
	}
	return validation.IsValidLabelValue(value)
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

func isAlphanumeric(c byte) bool { return isLower(c) || c >= 'A' && c <= 'Z' }

// isLabel reports whether the value consists of lower case alphanumerics and
// inner dashes.
func isLabel(value string) bool {
	if value == "" || !isLower(value[0]) || !isLower(value[len(value)-1]) {
		return false
	}
	for i := range len(value) {
		if c := value[i]; !isLower(c) && c != '-' {
			return false
		}
	}
	return true
}

// isSubdomain reports whether the value is labels joined by dots.
func isSubdomain(value string) bool {
	for {
		label, rest, more := strings.Cut(value, ".")
		if !isLabel(label) {
			return false
		}
		if !more {
			return true
		}
		value = rest
	}
}

// isName reports whether the value consists of alphanumerics and inner dashes,
// underscores and dots.
func isName(value string) bool {
	if value == "" || !isAlphanumeric(value[0]) || !isAlphanumeric(value[len(value)-1]) {
		return false
	}
	for i := range len(value) {
		if c := value[i]; !isAlphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// oneOf complains about a value that is not among the supported ones, or that
// is missing.
func oneOf[T ~string](path *field.Path, value T, supported ...T) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return supportedOnly(path, value, supported...)
}

// supportedOnly is oneOf for fields whose empty value is just unsupported.
func supportedOnly[T ~string](path *field.Path, value T, supported ...T) field.ErrorList {
	for _, s := range supported {
		if value == s {
			return nil
		}
	}
	return field.ErrorList{field.NotSupported(path, value, supported)}
}

func nonNegative[T ~int32 | ~int64](path *field.Path, child string, value T) field.ErrorList {
	if value >= 0 {
		return nil
	}
	return apivalidation.ValidateNonnegativeField(int64(value), path.Child(child))
}

// immutable compares by value; both may be nil pointers.
func immutable(path *field.Path, value, old any) field.ErrorList {
	return apivalidation.ValidateImmutableField(value, old, path)
}
