package page

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"tidepool.dev/tidepool/test/browser"
	"tidepool.dev/tidepool/test/harness"
)

// TestExec works in a container from the page's terminal: in the tab's cluster,
// over a message port, and in the server's, over a WebSocket.
func TestExec(t *testing.T) {
	server := harness.Serve(t)
	p := newTab(t)
	p.Expect("status of 404") // kubectl asks for what is not there, too
	p.Go(server.URL)
	p.Until("the tab's nodes are shown", nodesShown)
	t.Run("tab", func(t *testing.T) { shellInAContainer(p) })
	choose(p, "server")
	p.Until("the server's cluster is shown", state+` === "Simulated, on this server"`)
	t.Run("server", func(t *testing.T) { shellInAContainer(p) })
}

func shellInAContainer(p *browser.Page) {
	p.Type("clear; kubectl apply -f nginx-deployment.yaml")
	p.Until("two pods run", running+" === 2")

	p.Type("clear; kubectl exec -it deploy/nginx-deployment -- sh")
	p.Sees("# ")
	p.Type("hostname > /tmp/mark; cd /usr/share/nginx")
	p.Press("cat xy" + kb.Backspace + kb.Backspace + "html/index.html | head -n 4\r")
	p.Sees("<title>Welcome to nginx!</title>")
	p.Type("sleep 1000")
	interrupt(p)
	p.Sees("^C")
	p.Type("echo code $?; exit 5")
	p.Sees("code 130")
	p.Sees("command terminated with exit code 5")
	p.Until("the prompt is back", idle)
	if output, code := p.Output("kubectl exec deploy/nginx-deployment -- cat /tmp/mark"); code != 0 || !strings.HasPrefix(output, "nginx-deployment-") {
		p.Errorf("what was written in the shell: exit code %d, %q", code, output)
	}

	// Pipes end at the container and begin there.
	if output, code := p.Output("echo one two | kubectl exec -i deploy/nginx-deployment -- wc -w | cat"); code != 0 || strings.TrimSpace(output) != "2" {
		p.Errorf("through a pipe: exit code %d, %q", code, output)
	}
	if output, code := p.Output("kubectl exec deploy/nginx-deployment -- sh -c 'exit 3'"); code != 3 || !strings.Contains(output, "command terminated with exit code 3") {
		p.Errorf("a command that fails: exit code %d, %q", code, output)
	}
	if output, code := p.Output("kubectl exec none -- ls"); code != 1 || !strings.Contains(output, `pods "none" not found`) {
		p.Errorf("a pod that is not there: exit code %d, %q", code, output)
	}

	p.Type("clear; kubectl run box --image=busybox --restart=Never -it --rm -- sh")
	p.Sees("If you don't see a command prompt, try pressing enter.")
	p.Sees("/ # ")
	p.Type("hostname; exit")
	p.Sees(`pod "box" deleted`)
	p.Until("the prompt is back", idle)
	p.Screenshot("exec")
}
