package validation

import (
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"
)

// What is fixed is as Kubernetes has it, and everything that every cluster has
// is valid.
func TestMandatoryFlowControl(t *testing.T) {
	for _, want := range bootstrap.MandatoryFlowSchemas {
		if got, ok := mandatoryFlowSchema(want.Name); !ok || !equality.Semantic.DeepEqual(got, want.Spec) {
			t.Errorf("%s: got %+v, want %+v", want.Name, got, want.Spec)
		}
	}
	for _, want := range bootstrap.MandatoryPriorityLevelConfigurations {
		if got, ok := mandatoryPriorityLevel(want.Name); !ok || !equality.Semantic.DeepEqual(got, want.Spec) {
			t.Errorf("%s: got %+v, want %+v", want.Name, got, want.Spec)
		}
	}
	for _, s := range append(bootstrap.SuggestedFlowSchemas, bootstrap.MandatoryFlowSchemas...) {
		if errs := FlowSchema(s); len(errs) > 0 {
			t.Errorf("%s: %v", s.Name, errs)
		}
	}
	for _, l := range append(bootstrap.SuggestedPriorityLevelConfigurations, bootstrap.MandatoryPriorityLevelConfigurations...) {
		if errs := PriorityLevelConfiguration(l); len(errs) > 0 {
			t.Errorf("%s: %v", l.Name, errs)
		}
	}
}

func TestFlowSchema(t *testing.T) {
	rules := func(r flowcontrolv1.PolicyRulesWithSubjects) *flowcontrolv1.FlowSchema {
		return &flowcontrolv1.FlowSchema{Spec: flowcontrolv1.FlowSchemaSpec{
			MatchingPrecedence: 5, Rules: []flowcontrolv1.PolicyRulesWithSubjects{r},
			PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: "x"},
		}}
	}
	everyone := []flowcontrolv1.Subject{{Kind: "Group", Group: &flowcontrolv1.GroupSubject{Name: "g"}}}
	urls := func(urls ...string) *flowcontrolv1.FlowSchema {
		return rules(flowcontrolv1.PolicyRulesWithSubjects{Subjects: everyone,
			NonResourceRules: []flowcontrolv1.NonResourcePolicyRule{{Verbs: []string{"get"}, NonResourceURLs: urls}}})
	}
	for name, test := range map[string]struct {
		schema *flowcontrolv1.FlowSchema
		want   string
	}{
		"valid":      {urls("/healthz", "/api/*"), "<nil>"},
		"nothing":    {&flowcontrolv1.FlowSchema{}, `[spec.matchingPrecedence: Invalid value: 0: must be a positive value, spec.priorityLevelConfiguration.name: Required value: must reference a priority level]`},
		"empty rule": {rules(flowcontrolv1.PolicyRulesWithSubjects{}), `[spec.rules[0].subjects: Required value: subjects must contain at least one value, spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty]`},
		"URLs":       {urls("x", "/a//b", "/*/b"), `[spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash, spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a//b": must not contain double slash, spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/*/b": wildcard can only do suffix matching]`},
		"subject": {rules(flowcontrolv1.PolicyRulesWithSubjects{
			Subjects:         []flowcontrolv1.Subject{{Kind: "User", Group: &flowcontrolv1.GroupSubject{Name: "g"}}},
			NonResourceRules: []flowcontrolv1.NonResourcePolicyRule{{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}}},
		}), `[spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User', spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group']`},
	} {
		t.Run(name, func(t *testing.T) {
			got := "<nil>"
			if err := FlowSchema(test.schema).ToAggregate(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
