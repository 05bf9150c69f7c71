package scheduler

import (
	"slices"
	"strconv"
	"strings"
)

// histogram counts texts.
type histogram map[string]int

func (h histogram) count(text string) { h[text]++ }

// String lists the texts with their counts, ordered as text, as Kubernetes does.
func (h histogram) String() string {
	entries := make([]string, 0, len(h))
	for text, count := range h {
		entries = append(entries, strconv.Itoa(count)+" "+text)
	}
	slices.Sort(entries)
	return strings.Join(entries, ", ")
}
