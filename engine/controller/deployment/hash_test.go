package deployment

import (
	"strings"
	"testing"
)

func TestReplicaSetName(t *testing.T) {
	long := strings.Repeat("a", 253)
	for _, c := range []struct{ deployment, want string }{
		{"web", "web-54fd4d6d4c"},
		{long, long[:253-11] + "-54fd4d6d4c"},
	} {
		if got := replicaSetName(c.deployment, "54fd4d6d4c"); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
