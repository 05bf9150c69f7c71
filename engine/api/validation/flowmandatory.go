package validation

import flowcontrolv1 "k8s.io/api/flowcontrol/v1"

// What follows is fixed (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap
// upstream, whose whole configuration this package has no need of).

// mandatoryFlowSchema is the only spec that a schema of the name may have.
func mandatoryFlowSchema(name string) (spec flowcontrolv1.FlowSchemaSpec, ok bool) {
	groups := []string{"system:masters"}
	switch name {
	case flowcontrolv1.FlowSchemaNameExempt:
		spec.MatchingPrecedence = 1
	case flowcontrolv1.FlowSchemaNameCatchAll:
		spec.MatchingPrecedence = flowcontrolv1.FlowSchemaMaxMatchingPrecedence
		spec.DistinguisherMethod = &flowcontrolv1.FlowDistinguisherMethod{Type: flowcontrolv1.FlowDistinguisherMethodByUserType}
		groups = []string{"system:unauthenticated", "system:authenticated"}
	default:
		return spec, false
	}
	all := []string{"*"}
	rules := flowcontrolv1.PolicyRulesWithSubjects{
		ResourceRules:    []flowcontrolv1.ResourcePolicyRule{{Verbs: all, APIGroups: all, Resources: all, Namespaces: all, ClusterScope: true}},
		NonResourceRules: []flowcontrolv1.NonResourcePolicyRule{{Verbs: all, NonResourceURLs: all}},
	}
	for _, group := range groups {
		rules.Subjects = append(rules.Subjects, flowcontrolv1.Subject{
			Kind: flowcontrolv1.SubjectKindGroup, Group: &flowcontrolv1.GroupSubject{Name: group},
		})
	}
	spec.PriorityLevelConfiguration.Name = name
	spec.Rules = []flowcontrolv1.PolicyRulesWithSubjects{rules}
	return spec, true
}

// mandatoryPriorityLevel is the only spec that a level of the name may have.
func mandatoryPriorityLevel(name string) (spec flowcontrolv1.PriorityLevelConfigurationSpec, ok bool) {
	switch name {
	case flowcontrolv1.PriorityLevelConfigurationNameExempt:
		spec.Type = flowcontrolv1.PriorityLevelEnablementExempt
		spec.Exempt = &flowcontrolv1.ExemptPriorityLevelConfiguration{NominalConcurrencyShares: new(int32), LendablePercent: new(int32)}
	case flowcontrolv1.PriorityLevelConfigurationNameCatchAll:
		spec.Type = flowcontrolv1.PriorityLevelEnablementLimited
		spec.Limited = &flowcontrolv1.LimitedPriorityLevelConfiguration{
			NominalConcurrencyShares: new(int32(5)), LendablePercent: new(int32),
			LimitResponse: flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeReject},
		}
	default:
		return spec, false
	}
	return spec, true
}
