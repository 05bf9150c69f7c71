package codec

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var configMap = corev1.SchemeGroupVersion.WithKind("ConfigMap")

func TestDecode(t *testing.T) {
	tests := map[string]struct {
		decoder  Decoder
		body     string
		want     string // of data.a
		warnings string
		err      string
	}{
		"JSON":           {Decoder{}, `{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"b"}}`, "b", "", ""},
		"no kind":        {Decoder{}, `{"data":{"a":"b"}}`, "b", "", ""},
		"YAML":           {Decoder{Format: YAML}, "data: {a: b}", "b", "", ""},
		"case counts":    {Decoder{}, `{"Data":{"a":"b"}}`, "", `unknown field "Data"`, ""},
		"warn":           {Decoder{Validation: metav1.FieldValidationWarn}, `{"data":{"a":"b"},"x":1,"data":{"a":"c"}}`, "c", `unknown field "x", duplicate field "data"`, ""},
		"ignore":         {Decoder{Validation: metav1.FieldValidationIgnore}, `{"data":{"a":"b"},"x":1}`, "b", "", ""},
		"strict":         {Decoder{Validation: metav1.FieldValidationStrict}, `{"x":1,"y":2}`, "", "", `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "x", unknown field "y"`},
		"YAML twice":     {Decoder{Format: YAML}, "data: {a: b}\ndata: {a: c}", "c", `line 2: key "data" already set in map`, ""},
		"wrong type":     {Decoder{}, `{"data":1}`, "", "", "cannot be handled as a ConfigMap: json: cannot unmarshal number"},
		"not an object":  {Decoder{}, `[]`, "", "", "couldn't get version/kind; json parse error"},
		"bad apiVersion": {Decoder{}, `{"apiVersion":"a/b/c"}`, "", "", "unexpected GroupVersion string: a/b/c"},
		"long garbage":   {Decoder{}, strings.Repeat("x", 99), "", "", "(" + strings.Repeat("78", 30) + " ...)"},
		"known kind": {Decoder{Known: func(schema.GroupVersionKind) bool { return true }}, `{"apiVersion":"v1","kind":"Secret"}`, "", "",
			`Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion`},
		"known version": {Decoder{Known: func(schema.GroupVersionKind) bool { return true }}, `{"apiVersion":"v2","kind":"ConfigMap"}`, "", "",
			"the API version in the data (v2) does not match the expected API version (v1)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var into corev1.ConfigMap
			warnings, err := test.decoder.Decode([]byte(test.body), configMap, &into)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			if err != nil || into.Data["a"] != test.want || strings.Join(warnings, ", ") != test.warnings {
				t.Errorf("data %v, warnings %q, error %v", into.Data, warnings, err)
			}
		})
	}
}

func TestEncodeList(t *testing.T) {
	items := []*corev1.ConfigMap{
		{TypeMeta: metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "a"}},
		{TypeMeta: metav1.TypeMeta{Kind: "Other", APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Name: "b"}},
	}
	list := &List{
		TypeMeta: metav1.TypeMeta{Kind: "ConfigMapList", APIVersion: "v1"},
		ListMeta: metav1.ListMeta{ResourceVersion: "7"},
		Field:    "items",
		Before:   []NamedValue{{"first", 1}},
		Length:   len(items),
		Part:     func(i int) any { return items[i] },
		ItemKind: configMap,
	}
	tests := map[string]struct {
		encoder Encoder
		want    string
	}{
		"JSON":   {Encoder{}, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"first":1,"items":[{"metadata":{"name":"a"}},{"kind":"Other","apiVersion":"v1","metadata":{"name":"b"}}]}` + "\n"},
		"pretty": {Encoder{Pretty: true}, "{\n  \"kind\": \"ConfigMapList\",\n"},
		"YAML":   {Encoder{YAML: true}, "apiVersion: v1\nfirst: 1\nitems:\n- metadata:\n    name: a\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			if err := test.encoder.EncodeList(&text, list); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(text.String(), test.want) {
				t.Errorf("got %s", text.String())
			}
		})
	}
	if err := (Encoder{}).EncodeList(gone{}, list); !errors.Is(err, errGone) {
		t.Errorf("a reader that is gone: %v", err)
	}
}

var errGone = errors.New("gone")

type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errGone }
