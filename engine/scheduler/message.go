package scheduler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	noNodes = "no nodes available to schedule pods"
	// longestNote is the most that an event's message may have; upstream cuts
	// longer ones.
	longestNote = 1024
)

// unavailable words why no node can take a pod, and what came of making room
// for it by preemption (pkg/scheduler/framework.FitError). conflict, if set,
// replaces the nodes' reasons.
func unavailable(refusals histogram, conflict, preemption string) string {
	reasons, total := texts{}, 0
	for r, count := range refusals {
		total += count
		for _, reason := range r.reasons {
			reasons[reason] += count
		}
	}
	why := reasons.String()
	if conflict != "" {
		why = conflict
	}
	return fmt.Sprintf("0/%d nodes are available: %s. preemption: %s", total, why, preemption)
}

// note shortens a message to what an event takes.
func note(message string) string {
	const ending = " ..."
	if len(message) <= longestNote {
		return message
	}
	return message[:longestNote-len(ending)] + ending
}

// histogram counts the nodes of each refusal.
type histogram map[*refusal]int

// texts counts texts.
type texts map[string]int

// String lists the texts with their counts, ordered as text, as Kubernetes does.
func (t texts) String() string {
	entries := make([]string, 0, len(t))
	for text, count := range t {
		entries = append(entries, strconv.Itoa(count)+" "+text)
	}
	slices.Sort(entries)
	return strings.Join(entries, ", ")
}
