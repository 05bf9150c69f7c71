package validation

import (
	"fmt"
	"strconv"
	"strings"
)

// countIndexes checks a list of indexes such as "1,3-5,7", which must rise and
// be below completions, and counts them.
func countIndexes(list string, completions int32) (int32, error) {
	if list == "" {
		return 0, nil
	}
	total, previous := int32(0), int32(-1)
	for _, text := range strings.Split(list, ",") {
		first, last, err := indexInterval(text, completions)
		if err != nil {
			return 0, err
		}
		if previous >= first {
			return 0, fmt.Errorf("non-increasing order, previous: %d, current: %d", previous, first)
		}
		total += last - first + 1
		previous = last
	}
	return total, nil
}

func indexInterval(text string, completions int32) (first, last int32, err error) {
	ends := strings.Split(text, "-")
	if len(ends) > 2 {
		return 0, 0, fmt.Errorf("the fragment %q violates the requirement that an index interval can have at most two parts separated by '-'", text)
	}
	if first, err = index(ends[0], completions); err != nil || len(ends) == 1 {
		return first, first, err
	}
	if last, err = index(ends[1], completions); err != nil {
		return 0, 0, err
	}
	if first >= last {
		return 0, 0, fmt.Errorf("non-increasing order, previous: %d, current: %d", first, last)
	}
	return first, last, nil
}

func index(text string, completions int32) (int32, error) {
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("cannot convert string to integer for index: %q", text)
	}
	if number >= int(completions) {
		return 0, fmt.Errorf("too large index: %q", text)
	}
	return int32(number), nil
}

// commonIndex finds the first index that is in both lists; what can't be parsed is
// passed over.
func commonIndex(a, b string, completions int32) (int32, bool) {
	if a == "" || b == "" {
		return 0, false
	}
	as, bs := strings.Split(a, ","), strings.Split(b, ",")
	for i, j := 0, 0; i < len(as) && j < len(bs); {
		firstA, lastA, errA := indexInterval(as[i], completions)
		firstB, lastB, errB := indexInterval(bs[j], completions)
		switch {
		case errA != nil:
			i++
		case errB != nil:
			j++
		case firstA <= lastB && firstB <= lastA:
			return max(firstA, firstB), true
		case firstA <= firstB:
			i++
		default:
			j++
		}
	}
	return 0, false
}
