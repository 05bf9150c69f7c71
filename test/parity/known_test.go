package parity

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseKnown(t *testing.T) {
	got, err := ParseKnown("# Title\n\n| scenario | steps | reason |\n| --- | --- | --- |\n| a-b | 3, 5-6 | one |\n| c | 7 | two |\n")
	if err != nil {
		t.Fatal(err)
	}
	want := Known{"a-b": {3: "one", 5: "one", 6: "one"}, "c": {7: "two"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, not %v", got, want)
	}
}

func TestParseKnownRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"| a | 1 |":                      "is not | scenario | steps | reason |",
		"| a | 1 |  |":                   "there is no reason",
		"| a | 3-1 | why |":              "not a range of steps",
		"| a | 1,,2 | why |":             "strconv.Atoi",
		"| a | 1 | why |\n| a | 1 | x |": "line 2: step 1 of a is listed twice",
	} {
		if _, err := ParseKnown(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
}
