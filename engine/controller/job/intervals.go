package job

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// intervals are a set of indexes as the status lists them ("1,3-5,7"): apart
// from each other and rising.
type intervals []interval

type interval struct{ first, last int }

// parseIntervals reads a list, passing over what is no interval and cutting it
// at the number of completions: the Job may have shrunk.
func parseIntervals(list string, completions int) intervals {
	var result intervals
	for _, text := range strings.Split(list, ",") {
		from, to, isRange := strings.Cut(text, "-")
		first, err := strconv.Atoi(from)
		if err != nil || first >= completions {
			continue
		}
		last := first
		if isRange {
			if last, err = strconv.Atoi(to); err != nil {
				continue
			}
		}
		result = append(result, interval{first, min(last, completions-1)})
	}
	return intervals(nil).merge(result)
}

// with adds indexes.
func (s intervals) with(indexes []int) intervals {
	added := make(intervals, len(indexes))
	for i, index := range indexes {
		added[i] = interval{index, index}
	}
	return s.merge(added)
}

func (s intervals) merge(other intervals) intervals {
	all := append(slices.Clone(s), other...)
	slices.SortFunc(all, func(a, b interval) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last)) })
	var merged intervals
	for _, next := range all {
		if n := len(merged); n > 0 && next.first <= merged[n-1].last+1 {
			merged[n-1].last = max(merged[n-1].last, next.last)
			continue
		}
		merged = append(merged, next)
	}
	return merged
}

func (s intervals) total() int {
	total := 0
	for _, each := range s {
		total += each.last - each.first + 1
	}
	return total
}

func (s intervals) has(index int) bool {
	at, found := slices.BinarySearchFunc(s, index, func(each interval, index int) int { return cmp.Compare(each.first, index) })
	return found || at > 0 && s[at-1].last >= index
}

// common counts the indexes that are in both.
func (s intervals) common(other intervals) int {
	total := 0
	for i, j := 0, 0; i < len(s) && j < len(other); {
		total += max(min(s[i].last, other[j].last)-max(s[i].first, other[j].first)+1, 0)
		if s[i].last < other[j].last {
			i++
		} else {
			j++
		}
	}
	return total
}

func (s intervals) String() string {
	parts := make([]string, len(s))
	for i, each := range s {
		parts[i] = strconv.Itoa(each.first)
		switch each.last {
		case each.first:
		case each.first + 1:
			parts[i] += "," + strconv.Itoa(each.last)
		default:
			parts[i] += "-" + strconv.Itoa(each.last)
		}
	}
	return strings.Join(parts, ",")
}
