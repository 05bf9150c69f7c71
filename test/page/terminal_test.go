package page

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"tidepool.dev/tidepool/test/browser"
)

const (
	terminalLines = `[...document.querySelectorAll("#terminal .xterm-accessibility-tree > *")].map((e) => e.textContent)`
	// idle says that the terminal ends with a prompt.
	idle = terminalLines + `.map((line) => line.trim()).filter(Boolean).at(-1) === "~ $"`
)

// interrupt presses Ctrl-C, as a keyboard does.
func interrupt(p *browser.Page) {
	p.Helper()
	p.Run(chromedp.KeyEvent("c", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// TestTerminal is what a shell in a terminal can be expected to do.
func TestTerminal(t *testing.T) {
	p := open(t)

	t.Log("what is typed before kubectl is there waits for it")
	p.Type("kubectl version --client")
	p.Sees("Client Version: v1.")
	p.Until("nothing is said to be loading", `document.querySelector("#kubectl-progress").hidden && document.querySelector("#console-hint").textContent.startsWith("Ctrl-C")`)

	t.Run("a watch ends by Ctrl-C", func(t *testing.T) {
		p.Type("clear")
		p.Type("kubectl get nodes -w")
		p.Sees("node-3")
		interrupt(p)
		p.Sees("^C")
		p.Until("the prompt is back", idle)
		p.Type("echo code $?")
		p.Sees("code 130")
	})

	t.Run("history", func(t *testing.T) {
		p.Type("clear")
		p.Type("echo first")
		p.Type("echo second")
		p.Sees("second")
		p.Press(kb.ArrowUp + kb.ArrowUp + "-again\r")
		p.Sees("first-again")
		p.Press("echo thi" + kb.ArrowUp + kb.ArrowDown + "rd\r") // what was typed is still there
		p.Sees("echo third")
		p.Until("third is printed", terminalHasLine("third"))
	})

	t.Run("completion", func(t *testing.T) {
		for _, c := range []struct{ typed, want string }{
			{"kubectl desc", "kubectl describe "},
			{"kubectl get nodes node-2", "kubectl get nodes node-2 "},
			{"kubectl get no", "kubectl get nodes "},
			{"kubectl apply -f ng", "kubectl apply -f nginx-deployment.yaml "},
			{"cat ng", "cat nginx-deployment.yaml "},
			{"cat < ng", "cat < nginx-deployment.yaml "},
			{"kubectl get pods --namespace=kube-s", "kubectl get pods --namespace=kube-system "},
			{"unknown-command ng", "unknown-command nginx-deployment.yaml "},
			{"hist", "history "},
		} {
			p.Type("clear")
			p.Press(c.typed + "\t")
			p.Press("|") // shows where the completed line ends
			p.Until(fmt.Sprintf("%q becomes %q", c.typed, c.want), fmt.Sprintf(`%s.some((line) => line.trimEnd().startsWith(%q))`, terminalLines, "~ $ "+c.want))
			interrupt(p)
		}
	})

	t.Run("several ways to complete are listed", func(t *testing.T) {
		p.Type("clear")
		p.Press("kubectl get nodes node-\t")
		p.Sees("node-1")
		p.Sees("node-3")
		p.Press("1\r")
		p.Until("the line goes on", terminalLines+`.some((line) => /node-1 +Ready/.test(line))`)
	})

	t.Run("paste", func(t *testing.T) {
		p.Type("clear")
		paste(p, "echo one\necho two\nkubectl get nodes -o name\n")
		p.Press("\r")
		for _, line := range []string{"one", "two", "node/node-3"} {
			p.Until(line+" is printed", terminalHasLine(line))
		}
	})

	t.Run("paste a manifest", func(t *testing.T) {
		p.Type("clear")
		paste(p, "kubectl apply -f - <<END\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: pasted\ndata:\n  a: \"1\"\nEND\n")
		p.Press("\r")
		p.Sees("configmap/pasted created")
	})
	p.Screenshot("terminal")
}

func terminalHasLine(line string) string {
	return fmt.Sprintf(`%s.some((line) => line.trimEnd() === %q)`, terminalLines, line)
}

// paste pastes a text into the terminal, as from the clipboard.
func paste(p *browser.Page, text string) {
	p.Helper()
	browser.Evaluate[bool](p, fmt.Sprintf(`(() => {
		const data = new DataTransfer();
		data.setData("text/plain", %q);
		document.querySelector("#terminal textarea").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
		return true;
	})()`, text))
}

// TestShell runs lines of the page's small shell.
func TestShell(t *testing.T) {
	p := open(t)
	for _, c := range []struct {
		line, want string
		code       int
	}{
		{"ls", "nginx-deployment.yaml\n", 0},
		{"head -n 2 nginx-deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\n", 0},
		{"cat no-such-file", "cat: no-such-file: No such file or directory\n", 1},
		{"kubctl get pods", "kubctl: command not found", 127},
		{"help", "kubectl, or k for short, is the real kubectl", 0},
		{"cat nginx-deployment.yaml | grep image", "image: nginx:1.14.2", 0},
		{"kubectl get nodes -o name | wc -l", "3\n", 0},
		{"kubectl get nodes --no-headers | grep node-2 | wc -l", "1\n", 0},
		{"kubectl get nodes | head -n 1", "NAME", 0},
		{"kubectl get nodes -o name | grep nothing", "", 1},
		{"kubectl get node node-1 -o yaml > node.yaml; grep -c 'kind: Node$' node.yaml", "1\n", 0},
		{"kubectl create deployment x --image=nginx --dry-run=client -o yaml > x.yaml && kubectl apply -f x.yaml", "deployment.apps/x created\n", 0},
		{"echo 'kind: Pod' | kubectl apply -f -", `error: error validating "STDIN"`, 1},
	} {
		output, code := p.Output(c.line)
		if code != c.code || !strings.Contains(output, c.want) || c.want == "" && output != "" {
			t.Errorf("%s\nexit code %d, want %d; it should print %q and printed:\n%s", c.line, code, c.code, c.want, output)
		}
	}
}
