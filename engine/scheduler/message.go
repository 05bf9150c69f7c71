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

// unavailable words why no node can take a pod, and why making room for it by
// preemption would not help (pkg/scheduler/framework.FitError and its preemption).
// conflict, if set, replaces the nodes' reasons.
func unavailable(refusals histogram, conflict string, never bool) string {
	reasons, preemption, total := texts{}, texts{}, 0
	for r, count := range refusals {
		total += count
		for _, reason := range r.reasons {
			reasons[reason] += count
		}
		if r.unresolvable {
			preemption["Preemption is not helpful for scheduling"] += count
		} else {
			preemption["No preemption victims found for incoming pod"] += count
		}
	}
	why := reasons.String()
	if conflict != "" {
		why = conflict
	}
	message := fmt.Sprintf("0/%d nodes are available: %s.", total, why)
	if never {
		return message + " preemption: not eligible due to preemptionPolicy=Never."
	}
	return fmt.Sprintf("%s preemption: 0/%d nodes are available: %s.", message, total, preemption)
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
