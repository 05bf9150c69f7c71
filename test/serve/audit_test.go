package serve

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"tidepool.dev/tidepool/test/harness"
)

// TestAuditLog: what kubectl does is in the log, what it sends is not.
func TestAuditLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "audit.log")
	s, dir := harness.Serve(t, "--audit-log", log), t.TempDir()
	s.Must(t, dir, "create", "secret", "generic", "door", "--from-literal=code=hunter2")
	token := strings.TrimSpace(s.Must(t, dir, "create", "token", "default"))
	if _, _, code := s.Kubectl(t, dir, "get", "secrets", "--as=jane"); code == 0 {
		t.Error("jane may read secrets")
	}
	s.Must(t, dir, "run", "web", "--image=nginx:1.14.2")
	s.Must(t, dir, "wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
	if _, stderr, code := s.Kubectl(t, dir, "exec", "web", "--", "true"); code != 0 {
		t.Error(stderr)
	}
	s.Stop(t)

	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", token} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
	found := map[string]*auditv1.Event{}
	for line := range strings.Lines(string(text)) {
		var event auditv1.Event
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if ref := event.ObjectRef; ref != nil {
			found[strings.Join([]string{event.Verb, ref.Resource, ref.Subresource, ref.Name, string(event.Stage)}, " ")] = &event
		}
	}
	for what, code := range map[string]int32{
		"create secrets  door ResponseComplete":                 201,
		"create serviceaccounts token default ResponseComplete": 201,
		"list secrets   ResponseComplete":                       403,
		"get pods exec web ResponseStarted":                     101,
		"get pods exec web ResponseComplete":                    101,
		"watch pods  web ResponseStarted":                       200,
		"watch pods  web ResponseComplete":                      200,
	} {
		switch event := found[what]; {
		case event == nil:
			t.Errorf("there is no %q in the log", what)
		case event.ResponseStatus.Code != code || event.User.Username != "kubernetes-admin" || !strings.HasPrefix(event.UserAgent, "kubectl/"):
			t.Errorf("%s: %+v", what, event)
		}
	}
	if jane := found["list secrets   ResponseComplete"]; jane != nil &&
		(jane.ImpersonatedUser == nil || jane.ImpersonatedUser.Username != "jane" || jane.Annotations["authorization.k8s.io/decision"] != "forbid") {
		t.Errorf("impersonated: %+v", jane)
	}
}
