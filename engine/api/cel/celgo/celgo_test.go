package celgo_test

import (
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/cel/celgo"
)

func TestEvaluate(t *testing.T) {
	input := cel.Input{
		Request: &admissionv1.AdmissionRequest{
			Kind: metav1.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Name: "web", Namespace: "default",
			Operation: admissionv1.Create, UserInfo: authenticationv1.UserInfo{Username: "ann", Groups: []string{"dev"}},
		},
		Object:    &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(7))}},
		Namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default", Labels: map[string]string{"env": "prod"}}},
		Params:    &corev1.ConfigMap{Data: map[string]string{"max": "5"}},
	}
	for expression, want := range map[string]any{
		`object.spec.replicas <= 5`:                                    false,
		`object.spec.replicas <= int(params.data.max)`:                 false,
		`variables.n == 7`:                                             true,
		`oldObject == null`:                                            true,
		`request.userInfo.groups.exists(g, g == 'dev')`:                true,
		`namespaceObject.metadata.labels['env']`:                       "prod",
		`'n is ' + string(object.spec.replicas)`:                       "n is 7",
		`quantity('1Gi').isGreaterThan(quantity('1M'))`:                true,
		`object.metadata.name.matches('^w')`:                           true,
		`has(object.metadata.labels)`:                                  false,
		`authorizer.group('').resource('pods').check('get').allowed()`: false,
	} {
		t.Run(expression, func(t *testing.T) {
			program, errs := celgo.Evaluator{}.Compile(cel.Source{
				Variables:   []cel.Expression{{Name: "n", Text: "object.spec.replicas"}},
				Expressions: []cel.Expression{{Text: expression}},
				Params:      true, Authorizer: true,
			})
			for _, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			results, err := program.Evaluate(t.Context(), input)
			if err != nil || len(results) != 1 || results[0].Err != nil || results[0].Value != want {
				t.Errorf("got %v, %v", results, err)
			}
		})
	}
}

func TestCompileErrors(t *testing.T) {
	_, errs := celgo.Evaluator{}.Compile(cel.Source{Expressions: []cel.Expression{
		{Text: "object.spec.replicas <=", Type: cel.Bool},
		{Text: "'text'", Type: cel.Bool},
		{Text: "variables.none", Type: cel.Bool},
		{Text: "true", Type: cel.Bool},
	}})
	for i, want := range []string{"compilation failed: ERROR: <input>:1:24: Syntax error", "must evaluate to bool but got string", "undefined field 'none'", ""} {
		if got := errs[i]; (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("%d: got %v", i, got)
		}
	}
}

func TestRules(t *testing.T) {
	const text = `{"type":"object","properties":{"spec":{"type":"object","x-kubernetes-validations":[
		{"rule":"self.min <= self.max","message":"min must not exceed max"},{"rule":"self.max >= oldSelf.max"}],
		"properties":{"min":{"type":"integer"},"max":{"type":"integer"}}}}}`
	rules, errs := celgo.Evaluator{}.Rules([]byte(text), field.NewPath("schema"))
	if len(errs) > 0 || rules == nil {
		t.Fatal(rules, errs)
	}
	spec := func(least, most int64) map[string]any {
		return map[string]any{"spec": map[string]any{"min": least, "max": most}}
	}
	for _, test := range []struct {
		obj, old map[string]any
		want     string
	}{
		{spec(1, 2), nil, ""},
		{spec(3, 2), nil, "spec: Invalid value: min must not exceed max"},
		{spec(1, 2), spec(1, 3), "spec: Invalid value: failed rule: self.max >= oldSelf.max"},
	} {
		var old any
		if test.old != nil {
			old = test.old
		}
		got := ""
		if errs := rules.Validate(t.Context(), nil, test.obj, old); len(errs) > 0 {
			got = errs[0].Error()
		}
		if got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	_, errs = celgo.Evaluator{}.Rules([]byte(strings.Replace(text, "self.min <=", "self.none <=", 1)), field.NewPath("schema"))
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value:") ||
		!strings.Contains(errs[0].Error(), "undefined field 'none'") {
		t.Errorf("got %v", errs)
	}
	if rules, errs := (celgo.Evaluator{}).Rules([]byte(`{"type":"object"}`), nil); rules != nil || len(errs) > 0 {
		t.Errorf("without rules: %v %v", rules, errs)
	}
}
