package managed

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
)

// conflictError tells a client who else manages the fields that it applies
// (NewConflictError of k8s.io/apimachinery/pkg/util/managedfields).
func conflictError(conflicts merge.Conflicts) error {
	slices.SortStableFunc(conflicts, func(a, b merge.Conflict) int {
		return cmp.Or(cmp.Compare(a.Manager, b.Manager), a.Path.Compare(b.Path))
	})
	var causes []metav1.StatusCause
	for _, conflict := range conflicts {
		causes = append(causes, metav1.StatusCause{
			Type:    metav1.CauseTypeFieldManagerConflict,
			Message: "conflict with " + shownManager(conflict.Manager),
			Field:   conflict.Path.String(),
		})
	}
	return apierrors.NewApplyConflict(causes, conflictMessage(conflicts))
}

func conflictMessage(conflicts merge.Conflicts) string {
	if len(conflicts) == 1 {
		return fmt.Sprintf("Apply failed with 1 conflict: conflict with %v: %v", shownManager(conflicts[0].Manager), conflicts[0].Path)
	}
	var lines []string
	manager := ""
	for _, conflict := range conflicts {
		if conflict.Manager != manager {
			manager = conflict.Manager
			lines = append(lines, fmt.Sprintf("conflicts with %v:", shownManager(manager)))
		}
		lines = append(lines, fmt.Sprintf("- %v", conflict.Path))
	}
	return fmt.Sprintf("Apply failed with %d conflicts: %s", len(conflicts), strings.Join(lines, "\n"))
}

func shownManager(name string) string {
	var entry metav1.ManagedFieldsEntry
	if err := json.Unmarshal([]byte(name), &entry); err != nil {
		return fmt.Sprintf("%q", name)
	}
	text := fmt.Sprintf("%q", entry.Manager)
	if entry.Subresource != "" {
		text = fmt.Sprintf("%s with subresource %q", text, entry.Subresource)
	}
	if entry.Operation == metav1.ManagedFieldsOperationUpdate {
		text = fmt.Sprintf("%s using %v", text, entry.APIVersion)
	}
	return text
}
