package jsonpath

import (
	"fmt"
	"testing"
)

func TestFind(t *testing.T) {
	value := map[string]any{
		"spec":     map[string]any{"replicas": int64(3), "a b": "x", "list": []any{map[string]any{"n": "one"}, map[string]any{"n": "two"}}},
		"metadata": map[string]any{"labels": map[string]any{"app.kubernetes.io/name": "web"}},
		"status":   map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}, map[string]any{"type": "Old", "status": "False"}}},
	}
	for path, want := range map[string]string{
		".spec.replicas": "[3]",
		".spec['a b']":   "[x]",
		`.metadata.labels.app\.kubernetes\.io/name`: "[web]",
		".spec.list[0].n":  "[one]",
		".spec.list[-1].n": "[two]",
		".spec.list[*].n":  "[one two]",
		`.status.conditions[?(@.type=="Ready")].status`: "[True]",
		`.status.conditions[?(@.type!='Ready')].status`: "[False]",
		".spec.absent.more":                             "[]",
		".spec.list[7]":                                 "[]",
	} {
		parsed, err := Parse(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := fmt.Sprint(parsed.Find(value)); got != want {
			t.Errorf("%s finds %s, not %s", path, got, want)
		}
	}
	for _, wrong := range []string{"spec", ".a[", ".a[x]", ".a[?(@.b"} {
		if _, err := Parse(wrong); err == nil {
			t.Errorf("%s is no path", wrong)
		}
	}
}
