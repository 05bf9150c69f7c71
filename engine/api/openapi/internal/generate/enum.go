package generate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// compareConstants orders by value and, of two names for one value, puts the
// better described first.
func compareConstants(a, b *constant) int {
	return cmp.Or(
		cmp.Compare(a.value, b.value),
		cmp.Compare(len(strings.Join(b.comments, " ")), len(strings.Join(a.comments, " "))),
		cmp.Compare(a.name, b.name),
	)
}

func (e enumeration) quoted() []any {
	values := make([]any, len(e))
	for i, c := range e {
		values[i] = c.value
	}
	return values
}

// description lists the values under a heading, to follow the field's own.
func (e enumeration) description() comments {
	if len(e) == 0 {
		return nil
	}
	items := make(comments, len(e))
	for i, c := range e {
		text := strings.TrimPrefix(strings.TrimSpace(strings.Join(c.comments, " ")), c.name)
		items[i] = " - `" + strconv.Quote(c.value) + "` " + strings.Join(strings.Fields(text), " ")
	}
	slices.Sort(items)
	return append(comments{"", "Possible enum values:"}, items...)
}
