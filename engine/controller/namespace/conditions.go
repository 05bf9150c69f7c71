package namespace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/controller/internal/stamp"
)

// clear is how each condition reads when nothing is in the way, in the order in
// which they are written.
var clear = []corev1.NamespaceCondition{
	{Type: corev1.NamespaceDeletionDiscoveryFailure, Reason: "ResourcesDiscovered", Message: "All resources successfully discovered"},
	{Type: corev1.NamespaceDeletionGVParsingFailure, Reason: "ParsedGroupVersions", Message: "All legacy kube types successfully parsed"},
	{Type: corev1.NamespaceDeletionContentFailure, Reason: "ContentDeleted", Message: "All content successfully deleted, may be waiting on finalization"},
	{Type: corev1.NamespaceContentRemaining, Reason: "ContentRemoved", Message: "All content successfully removed"},
	{Type: corev1.NamespaceFinalizersRemaining, Reason: "ContentHasNoFinalizers", Message: "All content-preserving finalizers finished"},
}

// setConditions reports whether the conditions are news.
func (l *loop) setConditions(status *corev1.NamespaceStatus, left remainder) bool {
	changed := false
	for _, c := range clear {
		c.Status = corev1.ConditionFalse
		if reason, message := obstacle(c.Type, left); reason != "" {
			c.Status, c.Reason, c.Message = corev1.ConditionTrue, reason, message
		}
		c.LastTransitionTime = stamp.Now(l.clock)
		i := slices.IndexFunc(status.Conditions, func(present corev1.NamespaceCondition) bool { return present.Type == c.Type })
		if i < 0 {
			status.Conditions = append(status.Conditions, c)
			changed = true
			continue
		}
		present := &status.Conditions[i]
		if present.Status == c.Status {
			c.LastTransitionTime = present.LastTransitionTime
		}
		if *present != c {
			*present = c
			changed = true
		}
	}
	return changed
}

// obstacle words what a condition has to say, if anything.
func obstacle(conditionType corev1.NamespaceConditionType, left remainder) (reason, message string) {
	switch {
	case conditionType == corev1.NamespaceDeletionContentFailure && len(left.failures) > 0:
		var messages []string
		for _, err := range left.failures {
			messages = append(messages, err.Error())
		}
		slices.Sort(messages)
		return "ContentDeletionFailed", fmt.Sprintf("Failed to delete all resource types, %d remaining: %s", len(messages), strings.Join(messages, ", "))
	case left.podsOnly:
		return "", "" // the rest has not been looked at
	case conditionType == corev1.NamespaceContentRemaining && len(left.resources) > 0:
		return "SomeResourcesRemain", "Some resources are remaining: " + list(left.resources, "%s has %d resource instances")
	case conditionType == corev1.NamespaceFinalizersRemaining && len(left.finalizers) > 0:
		return "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: " + list(left.finalizers, "%s in %d resource instances")
	}
	return "", ""
}

func list(counts map[string]int, format string) string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		items = append(items, fmt.Sprintf(format, name, counts[name]))
	}
	return strings.Join(items, ", ")
}
