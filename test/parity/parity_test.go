package parity

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pmezard/go-difflib/difflib"

	"tidepool.dev/tidepool/test/harness"
)

// atOnce is how many scenarios run at once, unless -parallel says otherwise:
// they mostly wait, so it is more than there may be cores.
const atOnce = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestFixtures replays every fixture against a server of its own, so that none
// sees the nodes' labels or the cluster-wide objects of another.
func TestFixtures(t *testing.T) {
	kubectl := harness.Kubectl132(t)
	known := readKnown(t)
	scenarios := load(t)
	for name := range known {
		if _, ok := scenarios[name]; !ok {
			t.Errorf("KNOWN.md lists %s, which is no fixture", name)
		}
	}
	var compared, differ atomic.Int32
	t.Run("scenarios", func(t *testing.T) {
		for name, scenario := range scenarios {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				runner := Runner{
					Dir:        t.TempDir(),
					Kubeconfig: harness.Serve(t, "--nodes", "3", "--metrics=false").Kubeconfig,
					Path:       kubectl + string(os.PathListSeparator) + os.Getenv("PATH"),
					Known:      known[name],
				}
				outcomes, err := runner.Run(t.Context(), scenario)
				if err != nil {
					t.Fatal(err)
				}
				for _, outcome := range outcomes {
					if outcome.Step.compared() {
						compared.Add(1)
					}
					if outcome.Differs() && outcome.Step.compared() {
						differ.Add(1)
					}
					judge(t, outcome, known[name])
				}
				for number := range known[name] {
					if number > len(scenario.Steps) {
						t.Errorf("KNOWN.md lists step %d, but there are only %d", number, len(scenario.Steps))
					}
				}
			})
		}
	})
	t.Logf("%d of %d steps equal", compared.Load()-differ.Load(), compared.Load())
}

// judge fails where a step differs that is not known to, or the other way round.
func judge(t *testing.T, outcome Outcome, known map[int]string) {
	t.Helper()
	step := outcome.Step
	command := strings.ReplaceAll(strings.TrimSpace(step.Text), "\n", "; ")
	reason, isKnown := known[step.Number]
	switch {
	case strings.HasPrefix(reason, sometimes):
	case !outcome.Differs() && isKnown:
		t.Errorf("step %d does as recorded now: take it out of KNOWN.md (%s)\n%s", step.Number, reason, command)
	case !outcome.Differs() || isKnown:
	case outcome.Problem != "":
		t.Errorf("step %d (%s): %s\n%s", step.Number, step.Kind, command, outcome.Problem)
	default:
		diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
			A: withEnds(step.Recorded.Lines()), FromFile: "recorded",
			B: withEnds(outcome.Result.Lines()), ToFile: "replayed",
			Context: 3,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("step %d: %s\n%s", step.Number, command, diff)
	}
}

func withEnds(lines []string) []string {
	ended := make([]string, len(lines))
	for i, line := range lines {
		ended[i] = line + "\n"
	}
	return ended
}

func load(t *testing.T) map[string]Scenario {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no fixtures: %v", err)
	}
	scenarios := map[string]Scenario{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		if scenarios[name], err = Parse(name, string(text)); err != nil {
			t.Fatal(err)
		}
	}
	return scenarios
}

func readKnown(t *testing.T) Known {
	t.Helper()
	text, err := os.ReadFile("KNOWN.md")
	if err != nil {
		t.Fatal(err)
	}
	known, err := ParseKnown(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return known
}
