// Package budgets is what the eviction of pods and the control loop of
// PodDisruptionBudgets have in common: they write the same condition.
package budgets

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Resource is what the store calls PodDisruptionBudgets.
const Resource = "poddisruptionbudgets.policy"

// Condition is the budget's DisruptionAllowed, nil if it has none.
func Condition(budget *policyv1.PodDisruptionBudget) *metav1.Condition {
	for i := range budget.Status.Conditions {
		if c := &budget.Status.Conditions[i]; c.Type == policyv1.DisruptionAllowedCondition {
			return c
		}
	}
	return nil
}

// Settled reports whether the condition says what the counts do
// (k8s.io/component-helpers/apps/poddisruptionbudget.ConditionsAreUpToDate).
func Settled(budget *policyv1.PodDisruptionBudget) bool {
	c := Condition(budget)
	if c == nil || budget.Status.ObservedGeneration != budget.Generation {
		return false
	}
	status, reason := verdict(budget)
	return c.Status == status && c.Reason == reason
}

func verdict(budget *policyv1.PodDisruptionBudget) (metav1.ConditionStatus, string) {
	if budget.Status.DisruptionsAllowed > 0 {
		return metav1.ConditionTrue, policyv1.SufficientPodsReason
	}
	return metav1.ConditionFalse, policyv1.InsufficientPodsReason
}

// Settle makes the condition say what the counts do.
func Settle(budget *policyv1.PodDisruptionBudget, now metav1.Time) {
	status, reason := verdict(budget)
	Set(budget, status, reason, "", now)
}

// Set sets the condition. The budget must not be shared.
func Set(budget *policyv1.PodDisruptionBudget, status metav1.ConditionStatus, reason, message string, now metav1.Time) {
	c := Condition(budget)
	if c == nil {
		budget.Status.Conditions = append(budget.Status.Conditions, metav1.Condition{Type: policyv1.DisruptionAllowedCondition})
		c = &budget.Status.Conditions[len(budget.Status.Conditions)-1]
	}
	if c.Status != status {
		c.Status, c.LastTransitionTime = status, now
	}
	c.Reason, c.Message, c.ObservedGeneration = reason, message, budget.Status.ObservedGeneration
}
