package codec

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// Format is how a body is written.
type Format uint8

const (
	JSON Format = iota
	YAML
	Protobuf
)

// Decoder reads the body of a request.
type Decoder struct {
	Format Format
	// Validation says what becomes of unknown and duplicate fields; empty is
	// Warn.
	Validation string
	// Known reports whether objects of a kind exist in this API at all.
	Known func(schema.GroupVersionKind) bool
}

// Decode reads an object of the kind want into into. What is wrong, but not
// wrong enough to refuse the object, is returned as warnings.
func (d Decoder) Decode(body []byte, want schema.GroupVersionKind, into runtime.Object) (warnings []string, err error) {
	if d.Format == Protobuf {
		return nil, d.decodeProtobuf(body, want, into)
	}
	data := body
	if d.Format == YAML {
		if data, err = yaml.YAMLToJSON(body); err != nil {
			return nil, unrecognized(want, err, body)
		}
	}
	actual, err := interpret(data)
	if err != nil {
		return nil, unrecognized(want, err, body)
	}
	actual = withDefaults(actual, want)
	if actual.GroupKind() != want.GroupKind() || actual.Version != want.Version {
		return nil, d.mismatch(actual, want)
	}
	if d.Validation == metav1.FieldValidationIgnore {
		if err := kjson.UnmarshalCaseSensitivePreserveInts(data, into); err != nil {
			return nil, unhandled(actual, want, err)
		}
		return nil, nil
	}
	strict, err := d.unmarshalStrict(data, body, into)
	if err != nil {
		return nil, unhandled(actual, want, err)
	}
	if len(strict) > 0 && d.Validation == metav1.FieldValidationStrict {
		return nil, unhandled(actual, want, runtime.NewStrictDecodingError(strict))
	}
	return Warnings(strict), nil
}

func (d Decoder) unmarshalStrict(data, body []byte, into any) (strict []error, err error) {
	if d.Format == YAML { // the conversion to JSON has dropped duplicate fields
		if _, err := yaml.YAMLToJSONStrict(body); err != nil {
			strict = append(strict, err)
		}
	}
	more, err := UnmarshalStrict(data, into)
	return append(strict, more...), err
}

func interpret(data []byte) (schema.GroupVersionKind, error) {
	var meta struct {
		APIVersion string `json:"apiVersion,omitempty"`
		Kind       string `json:"kind,omitempty"`
	}
	if err := json.Unmarshal(data, &meta); err != nil {
		return schema.GroupVersionKind{}, fmt.Errorf("couldn't get version/kind; json parse error: %v", err)
	}
	gv, err := schema.ParseGroupVersion(meta.APIVersion)
	return gv.WithKind(meta.Kind), err
}

// withDefaults fills in what a body leaves to the path of its request.
func withDefaults(actual, want schema.GroupVersionKind) schema.GroupVersionKind {
	if actual.Kind == "" {
		actual.Kind = want.Kind
	}
	if actual.Version == "" && actual.Group == "" {
		actual.Group, actual.Version = want.Group, want.Version
	}
	if actual.Version == "" && actual.Group == want.Group {
		actual.Version = want.Version
	}
	return actual
}

func (d Decoder) mismatch(actual, want schema.GroupVersionKind) error {
	if d.Known == nil || !d.Known(actual) {
		return unhandled(actual, want, fmt.Errorf("no kind %q is registered for version %q in scheme %q",
			actual.Kind, actual.GroupVersion(), "pkg/api/legacyscheme/scheme.go:30"))
	}
	if actual.Kind == want.Kind {
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)",
			actual.GroupVersion(), want.GroupVersion()))
	}
	return unhandled(actual, want, fmt.Errorf("converting (%s.%s) to (%s.%s): unknown conversion",
		actual.Version, actual.Kind, internalPackage(want.Group), want.Kind))
}

func internalPackage(group string) string {
	if group == "" {
		return "core"
	}
	name, _, _ := strings.Cut(group, ".")
	return name
}

func unhandled(actual, want schema.GroupVersionKind, err error) error {
	return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", actual.Kind, actual.Version, want.Kind, err))
}

func unrecognized(want schema.GroupVersionKind, err error, body []byte) error {
	return apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v (%s)", want.Kind, err, summary(body)))
}

// summary shows the beginning of a body that can't be read.
func summary(body []byte) string {
	const most = 30
	show := func(b []byte) string { return hex.EncodeToString(b) }
	switch {
	case len(body) == 0:
		return "<empty>"
	case body[0] == '{':
		show = func(b []byte) string { return string(b) }
	}
	if len(body) > most {
		return show(body[:most]) + " ..."
	}
	return show(body)
}

// Warnings words what a strict decoder would have refused.
func Warnings(strict []error) []string {
	var warnings []string
	for _, err := range strict {
		text := err.Error()
		list, isYAML := strings.CutPrefix(text, "yaml: unmarshal errors:\n")
		if !isYAML {
			list, isYAML = strings.CutPrefix(text, "error converting YAML to JSON: yaml: unmarshal errors:\n")
		}
		if !isYAML {
			warnings = append(warnings, text)
			continue
		}
		for line := range strings.Lines(list) {
			warnings = append(warnings, strings.TrimSpace(line))
		}
	}
	return warnings
}
