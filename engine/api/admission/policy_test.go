package admission_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/cel/celgo"
	"tidepool.dev/tidepool/engine/api/rest"
)

// policy is a ValidatingAdmissionPolicy for config maps, with a binding.
func bound(c cluster, spec string, binding string) error {
	if _, err := c.try(`{kind: ValidatingAdmissionPolicy, metadata: {name: p}, spec: {matchConstraints: {resourceRules: [
		{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [configmaps]}]}, ` + spec + `}}`); err != nil {
		return err
	}
	_, err := c.try(`{kind: ValidatingAdmissionPolicyBinding, metadata: {name: b}, spec: {policyName: p, ` + binding + `}}`)
	return err
}

func TestPolicies(t *testing.T) {
	const deny, created = "validationActions: [Deny]", `{kind: ConfigMap, metadata: {name: m, labels: {a: b}}, data: {k: v}}`
	const prefix = `configmaps "m" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: `
	for name, test := range map[string]struct{ spec, binding, want string }{
		"holds":              {`validations: [{expression: "object.data.k == 'v'"}]`, deny, ""},
		"does not":           {`validations: [{expression: "object.data.k == 'w'"}]`, deny, prefix + "failed expression: object.data.k == 'w'"},
		"message":            {`validations: [{expression: "false", message: refused}]`, deny, prefix + "refused"},
		"message expression": {`validations: [{expression: "false", message: refused, messageExpression: "'not ' + object.metadata.name"}]`, deny, prefix + "not m"},
		"variables":          {`variables: [{name: v, expression: "object.data.k"}], validations: [{expression: "variables.v != 'v'", message: refused}]`, deny, prefix + "refused"},
		"condition":          {`matchConditions: [{name: c, expression: "object.metadata.name != 'm'"}], validations: [{expression: "false"}]`, deny, ""},
		"error":              {`validations: [{expression: "object.data.none == ''"}]`, deny, prefix + "expression 'object.data.none == ''' resulted in error: no such key: none"},
		"error ignored":      {`failurePolicy: Ignore, validations: [{expression: "object.data.none == ''"}]`, deny, ""},
		"other namespaces":   {`validations: [{expression: "false"}]`, deny + `, matchResources: {namespaceSelector: {matchLabels: {x: y}}}`, ""},
		"this namespace":     {`validations: [{expression: "false"}]`, deny + `, matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}}`, prefix + "failed expression: false"},
		"other objects":      {`validations: [{expression: "false"}]`, deny + `, matchResources: {objectSelector: {matchLabels: {a: c}}}`, ""},
		"excluded":           {`validations: [{expression: "false"}]`, deny + `, matchResources: {excludeResourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE], resources: ["*"], resourceNames: [m]}]}`, ""},
		"warned only":        {`validations: [{expression: "false"}]`, "validationActions: [Warn, Audit]", ""},
		"parameters":         {`paramKind: {apiVersion: v1, kind: Secret}, validations: [{expression: "string(params.metadata.name) == 'x'", message: refused}]`, deny + `, paramRef: {name: s, parameterNotFoundAction: Deny}`, prefix + "refused"},
		"no parameters":      {`paramKind: {apiVersion: v1, kind: Secret}, validations: [{expression: "true"}]`, deny + `, paramRef: {name: none, parameterNotFoundAction: Deny}`, prefix + "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"},
		"the request":        {`validations: [{expression: "request.operation == 'UPDATE'", message: refused}]`, deny, prefix + "refused"},
		"does not compile":   {`validations: [{expression: "object.data.k =="}]`, deny, "ValidatingAdmissionPolicy.admissionregistration.k8s.io \"p\" is invalid: spec.validations[0].expression: Invalid value: \"object.data.k ==\": compilation failed: ERROR: <input>:1:17: Syntax error: mismatched input '<EOF>' expecting"},
		"no boolean":         {`validations: [{expression: "'x'"}]`, deny, `ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: spec.validations[0].expression: Invalid value: "'x'": must evaluate to bool but got string`},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.SetPolicies(celgo.Evaluator{}, nil, nil)
			c.create(`{kind: Secret, metadata: {name: s}}`)
			err := bound(c, test.spec, test.binding)
			if err == nil {
				_, err = c.try(created)
			}
			if name == "does not compile" && err != nil && strings.HasPrefix(err.Error(), test.want) {
				return // what the parser expects is its own business
			}
			c.refused(err, test.want)
		})
	}
}

// TestScaleIsASubresource: who scales does not update.
func TestScaleIsASubresource(t *testing.T) {
	c := newCluster(t)
	c.SetPolicies(celgo.Evaluator{}, nil, nil)
	for _, resource := range []string{"deployments", "deployments/scale"} {
		c.create(`{kind: ValidatingAdmissionPolicy, metadata: {name: ` + strings.ReplaceAll(resource, "/", "-") + `}, spec: {matchConstraints: {resourceRules: [
			{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [` + resource + `]}]}, validations: [{expression: "object.kind != 'Scale' || object.spec.replicas < 5", message: too many}, {expression: "object.kind == 'Scale'", message: no updates at all}]}}`)
		c.create(`{kind: ValidatingAdmissionPolicyBinding, metadata: {name: ` + strings.ReplaceAll(resource, "/", "-") + `}, spec: {policyName: ` + strings.ReplaceAll(resource, "/", "-") + `, validationActions: [Deny]}}`)
	}
	c.create(`{kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}`)
	k, _ := c.Kind("deployments.apps")
	scale := func(to int32) error {
		_, err := c.UpdateScale(t.Context(), k, "default", "d", func(s *autoscalingv1.Scale) (*autoscalingv1.Scale, error) {
			next := s.DeepCopy()
			next.Spec.Replicas = to
			return next, nil
		}, rest.WriteOptions{})
		return err
	}
	c.refused(scale(3), "")
	c.refused(scale(7), `deployments.apps "d" is forbidden: ValidatingAdmissionPolicy 'deployments-scale' with binding 'deployments-scale' denied request: too many`)
	if d, _ := c.Get(t.Context(), k, "default", "d"); *d.(*appsv1.Deployment).Spec.Replicas != 3 {
		t.Errorf("scaled to %d", *d.(*appsv1.Deployment).Spec.Replicas)
	}
}

func TestWebhooks(t *testing.T) {
	const mutating = `{kind: MutatingWebhookConfiguration, metadata: {name: m}, webhooks: [{name: label.example.com, sideEffects: None, admissionReviewVersions: [v1],
		clientConfig: {url: "https://example.com/mutate"}, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}], failurePolicy: POLICY}]}`
	const validating = `{kind: ValidatingWebhookConfiguration, metadata: {name: v}, webhooks: [{name: deny.example.com, sideEffects: None, admissionReviewVersions: [v1],
		clientConfig: {url: "https://example.com/validate"}, rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}],
		matchConditions: [{name: c, expression: "object.metadata.name != 'free'"}]}]}`
	for name, test := range map[string]struct {
		configuration, created string
		answer                 func(review *admissionv1.AdmissionReview) error
		want, label            string
	}{
		"patched": {mutating, `{kind: ConfigMap, metadata: {name: x}}`, func(review *admissionv1.AdmissionReview) error {
			review.Response.Allowed, review.Response.PatchType = true, new(admissionv1.PatchTypeJSONPatch)
			review.Response.Patch = []byte(`[{"op":"add","path":"/metadata/labels","value":{"by":"webhook"}}]`)
			return nil
		}, "", "webhook"},
		"denied": {validating, `{kind: ConfigMap, metadata: {name: x}}`, func(review *admissionv1.AdmissionReview) error {
			review.Response.Result = &metav1.Status{Message: "not today", Code: 403}
			return nil
		}, `admission webhook "deny.example.com" denied the request: not today`, ""},
		"without explanation": {validating, `{kind: ConfigMap, metadata: {name: x}}`, func(*admissionv1.AdmissionReview) error { return nil },
			`admission webhook "deny.example.com" denied the request without explanation`, ""},
		"condition does not hold": {validating, `{kind: ConfigMap, metadata: {name: free}}`, func(*admissionv1.AdmissionReview) error { return errors.New("called") }, "", ""},
		"other resource":          {validating, `{kind: Secret, metadata: {name: x}}`, func(*admissionv1.AdmissionReview) error { return errors.New("called") }, "", ""},
		"unreachable": {mutating, `{kind: ConfigMap, metadata: {name: x}}`, func(*admissionv1.AdmissionReview) error { return errors.New("no route") },
			`Internal error occurred: failed calling webhook "label.example.com": failed to call webhook: no route`, ""},
		"unreachable but ignored": {strings.Replace(mutating, "POLICY", "Ignore", 1), `{kind: ConfigMap, metadata: {name: x}}`,
			func(*admissionv1.AdmissionReview) error { return errors.New("no route") }, "", ""},
		"patch of a validating one": {validating, `{kind: ConfigMap, metadata: {name: x}}`, func(review *admissionv1.AdmissionReview) error {
			review.Response.Allowed, review.Response.Patch = true, []byte(`[]`)
			return nil
		}, `Internal error occurred: failed calling webhook "deny.example.com": received invalid webhook response: validating webhook may not return response.patch`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			call := func(_ context.Context, _ admissionregistrationv1.WebhookClientConfig, _ time.Duration, body []byte) ([]byte, error) {
				var review admissionv1.AdmissionReview
				if err := json.Unmarshal(body, &review); err != nil {
					return nil, err
				}
				if len(review.Request.Object.Raw) == 0 || review.Request.Kind.Kind != "ConfigMap" || review.Request.Operation != admissionv1.Create {
					t.Errorf("asked %s", body)
				}
				review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID}
				if err := test.answer(&review); err != nil {
					return nil, err
				}
				review.Request = nil
				return json.Marshal(review)
			}
			c.SetPolicies(celgo.Evaluator{}, call, nil)
			c.create(strings.Replace(test.configuration, "POLICY", "Fail", 1))
			created, err := c.try(test.created)
			c.refused(err, test.want)
			if m, ok := created.(*corev1.ConfigMap); ok && m.Labels["by"] != test.label {
				t.Errorf("labels %v", m.Labels)
			}
		})
	}
}

func TestWithoutEvaluatorPoliciesAreKeptButNotEnforced(t *testing.T) {
	c := newCluster(t)
	if err := bound(c, `validations: [{expression: "false"}]`, "validationActions: [Deny]"); err != nil {
		t.Fatal(err)
	}
	c.create(`{kind: ConfigMap, metadata: {name: m}}`)
}
