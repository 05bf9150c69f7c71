package page

import (
	"fmt"
	"testing"

	"tidepool.dev/tidepool/test/browser"
)

// TestStory is what a newcomer does: the page opens with three nodes; they apply
// the manifest, watch the pods, delete one, and follow the lesson to its end.
func TestStory(t *testing.T) {
	p := open(t)
	p.Sees("kubectl get nodes")
	p.Screenshot("1-open")

	p.Type("kubectl apply -f nginx-deployment.yaml")
	p.Sees("deployment.apps/nginx-deployment created")
	p.Until("two pods run", running+" === 2")
	p.Until("the first step ticks", done("apply"))
	p.Screenshot("2-applied")

	p.Type("kubectl get pods")
	p.Sees("READY")
	p.Type("kubectl describe deployment nginx-deployment")
	p.Until("the second step ticks", done("look"))

	name := browser.Evaluate[string](p, pods+`[0].name`)
	p.Type("kubectl delete pod " + name)
	p.Sees(fmt.Sprintf(`pod "%s" deleted`, name))
	p.Until("it is replaced", running+" === 2 && !"+pods+fmt.Sprintf(`.some((p) => p.name === %q)`, name))
	p.Until("the third step ticks", done("heal"))

	p.Type("kubectl scale deployment nginx-deployment --replicas=3")
	p.Until("three pods run", running+" === 3")
	p.Until("the fourth step ticks", done("scale"))
	p.Type("kubectl set image deployment/nginx-deployment nginx=nginx:1.16.1")
	p.Until("the fifth step ticks", done("update"))
	p.Screenshot("3-updated")
	p.Type("kubectl rollout undo deployment/nginx-deployment")
	p.Until("the last step ticks", done("rollback"))
	p.Until("the lesson says that it is done", `!document.querySelector("#lesson-done").hidden`)
	p.Screenshot("4-done")
}
