package page

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"tidepool.dev/tidepool/test/browser"
	"tidepool.dev/tidepool/test/harness"
)

func choose(p *browser.Page, where string) {
	p.Helper()
	browser.Evaluate[bool](p, fmt.Sprintf(`(document.querySelector('#where [value=%q]').click(), true)`, where))
}

// TestServer switches between the cluster in the tab and the server's, where the
// learner's own kubectl works too.
func TestServer(t *testing.T) {
	server := harness.Serve(t, "--nodes", "4")
	dir := t.TempDir()
	p := newTab(t)
	p.Go(server.URL)
	p.Until("the tab's nodes are shown", nodesShown)

	choose(p, "server")
	p.Until("the server's nodes are shown", `tidepoolPage.model.nodes.length === 4 && `+state+` === "Simulated, on this server"`)
	p.Type("kubectl get nodes")
	p.Sees("node-4")

	// What the learner's own kubectl does is on the map, and ticks the lesson.
	server.Must(t, dir, "apply", "-f", harness.Manifest(t, dir, 2))
	p.Until("two pods run", running+" === 2")
	p.Until("the first step ticks", done("apply"))
	server.Must(t, dir, "get", "pods")
	server.Must(t, dir, "describe", "deployment", "nginx-deployment")
	p.Until("the second step ticks", done("look"))
	p.Screenshot("server")

	// And what is done in the page is there for the learner's own kubectl.
	p.Type("clear; kubectl create configmap from-the-page")
	p.Sees("configmap/from-the-page created")
	server.Must(t, dir, "get", "configmap", "from-the-page")

	// Back and forth: a command that watches one cluster ends when it is left.
	p.Type("clear; kubectl get pods -w")
	p.Sees("nginx-deployment-")
	choose(p, "tab")
	p.Until("the tab's nodes are shown again", `tidepoolPage.model.nodes.length === 3 && tidepoolPage.model.pods.size === 0 && `+state+` === "Simulated, in this tab"`)
	p.Until("the watch has ended", idle)
	p.Until("the lesson begins anew", "!"+done("apply"))
	if output, code := p.Output("kubectl get nodes -o name"); code != 0 || strings.Count(output, "node/") != 3 {
		t.Errorf("kubectl get nodes in the tab: exit code %d\n%s", code, output)
	}
	choose(p, "server")
	p.Until("the server's pods are shown again", running+" === 2")
	if output, code := p.Output("kubectl get nodes -o name"); code != 0 || strings.Count(output, "node/") != 4 {
		t.Errorf("kubectl get nodes on the server: exit code %d\n%s", code, output)
	}
}

// TestServerStops stops the server under a page, and starts it again.
func TestServerStops(t *testing.T) {
	dir := t.TempDir()
	server, err := harness.Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(t) })
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := newTab(t)
	// The browser itself tells of what kubectl does not find, and of a server that is gone.
	p.Expect(`status of 404|WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET`)
	p.Go(server.URL)
	p.Until("the page is there", nodesShown)
	choose(p, "server")
	p.Until("it shows the server", state+` === "Simulated, on this server"`)
	p.Type("kubectl apply -f nginx-deployment.yaml")
	p.Until("the first step ticks", done("apply"))

	server.Stop(t)
	p.Until("the page says that the server is gone", state+`.startsWith("The server is out of reach")`)
	if output, code := p.Output("kubectl get pods"); code != 1 || !strings.Contains(output, "to the server") {
		t.Errorf("kubectl without a server: exit code %d, it says:\n%s", code, output)
	}
	p.Screenshot("server-gone")

	again, err := harness.Start(dir, "--listen", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Stop(t) })
	p.Until("the page is connected again, to an empty cluster", state+` === "Simulated, on this server" && tidepoolPage.model.nodes.length === 3 && tidepoolPage.model.pods.size === 0`)
	// The lesson goes on where it was.
	p.Until("the first step is ticked still", done("apply"))
	p.Type("clear; kubectl apply -f nginx-deployment.yaml")
	p.Sees("created")
	p.Type("kubectl get pods; kubectl describe deployment nginx-deployment")
	p.Until("the second step ticks", done("look"))
}

// TestServerWithoutToken opens the page without the token that the server printed.
func TestServerWithoutToken(t *testing.T) {
	server := harness.Serve(t)
	p := newTab(t)
	p.Go(strings.Split(server.URL, "#")[0])
	p.Until("the tab's cluster is shown", nodesShown)
	choose(p, "server")
	p.Until("the page says what to do", state+`.includes("ends in #token=")`)
	p.Until("the tab's cluster is chosen still", `document.querySelector('#where [value="tab"]').checked && tidepoolPage.model.nodes.length === 3`)
}
