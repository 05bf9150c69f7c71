package parity

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	got, err := Parse("x", `# A title
--- file a.yaml
kind: A
--- run
kubectl get a
kubectl get b
--- exit 1
--- stdout
| a  b
|
| c
--- stderr
| error
--- until 2.5
true
--- sort
false
--- exit 0
--- after
rm a
`)
	if err != nil {
		t.Fatal(err)
	}
	want := Scenario{Name: "x", Title: "# A title", Steps: []Step{
		{Number: 1, Kind: "file", Argument: "a.yaml", Text: "kind: A\n"},
		{Number: 2, Kind: "run", Text: "kubectl get a\nkubectl get b\n",
			Recorded: Result{Exit: 1, Stdout: []string{"a  b", "", "c"}, Stderr: []string{"error"}}},
		{Number: 3, Kind: "until", Argument: "2.5", Text: "true\n"},
		{Number: 4, Kind: "sort", Text: "false\n"},
		{Number: 5, Kind: "after", Text: "rm a\n"},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%#v, not\n%#v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"--- exit 0\n":                   "line 1: exit belongs to no run or sort step",
		"--- quiet\ntrue\n--- stdout\n":  "line 3: stdout belongs to no run or sort step",
		"--- run\ntrue\n--- exit none\n": "line 3: strconv.Atoi",
		"--- until\ntrue\n":              "line 1: until needs a number of seconds",
		"\n--- file\ntrue\n":             "line 2: file needs a name",
	} {
		if _, err := Parse("x", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
}

// TestNothingIsLost: what Parse reads of the fixtures is all that is in them.
func TestNothingIsLost(t *testing.T) {
	for name, scenario := range load(t) {
		text, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if got := written(scenario); got != string(text) {
			t.Errorf("%s was read as\n%s", name, got)
		}
	}
}

// written is a fixture as the recorder writes it.
func written(scenario Scenario) string {
	text := scenario.Title + "\n"
	for _, step := range scenario.Steps {
		text += strings.TrimSuffix("--- "+step.Kind+" "+step.Argument, " ") + "\n" + step.Text
		if step.compared() {
			text += strings.Join(step.Recorded.Lines(), "\n") + "\n"
		}
	}
	return text
}
