package page

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"tidepool.dev/tidepool/test/browser"
)

const (
	editorText   = `document.querySelector("#editor .cm-content").innerText`
	editorStatus = `document.querySelector("#editor .editor-status").textContent`
	editorFile   = `document.querySelector("#editor select").selectedOptions[0]?.textContent`
)

// editor drives the editor of a page.
type editor struct{ *browser.Page }

func openEditor(p *browser.Page) editor {
	p.Helper()
	p.Click("#tab-editor")
	p.Until("the editor has the focus", `document.activeElement.closest("#editor .cm-content") !== null`)
	return editor{p}
}

func (e editor) choose(file string) {
	e.Helper()
	browser.Evaluate[bool](e.Page, `(() => {
		const select = document.querySelector("#editor select");
		select.value = [...select.options].find((option) => option.textContent === "`+file+`").value;
		select.dispatchEvent(new Event("change"));
		return true;
	})()`)
}

// replace types a text over all that is there.
func (e editor) replace(text string) {
	e.Helper()
	browser.Evaluate[bool](e.Page, `(document.querySelector("#editor .cm-content").focus(), true)`)
	e.Run(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	if _, err := chromedp.Call(e.Context(), input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		e.Fatal(err)
	}
}

func (e editor) press(button string) {
	e.Helper()
	browser.Evaluate[bool](e.Page, `([...document.querySelectorAll("#editor button")].find((b) => b.textContent === "`+button+`").click(), true)`)
}

// TestEditor changes the lesson's manifest and applies it.
func TestEditor(t *testing.T) {
	p := open(t)
	e := openEditor(p)
	p.Until("the lesson's manifest is open", editorFile+` === "nginx-deployment.yaml" && `+editorText+`.includes("image: nginx:1.14.2")`)
	manifest := browser.Evaluate[string](p, `tidepoolPage.files.readText("nginx-deployment.yaml")`)

	e.press("Apply")
	p.Sees("deployment.apps/nginx-deployment created")
	p.Until("two pods run", running+" === 2")

	openEditor(p)
	e.replace(withReplicas(manifest, "4"))
	p.Until("it is said not to be saved", editorStatus+` === "Not saved"`)
	p.Screenshot("editor")

	// Another file, and back: what was typed is still there.
	e.press("New")
	p.Until("a new file is open", editorFile+` === "manifest-1.yaml" && `+editorText+`.trim() === ""`)
	e.replace("kind: [Pod")
	e.choose("nginx-deployment.yaml")
	p.Until("the edit has survived", editorText+`.includes("replicas: 4") && `+editorStatus+` === "Not saved"`)
	e.press("Apply")
	p.Sees("deployment.apps/nginx-deployment configured")
	p.Until("four pods run", running+" === 4")

	// A mistake changes nothing and is explained.
	openEditor(p)
	e.choose("manifest-1.yaml")
	p.Until("the other edit has survived too", editorText+`.includes("kind: [Pod")`)
	e.press("Apply")
	p.Sees("error: error parsing manifest-1.yaml: error converting YAML to JSON")
	p.Until("it is still there", editorText+`.includes("kind: [Pod")`)

	// From another directory the file is found too.
	p.Type("clear; mkdir -p elsewhere && cd elsewhere")
	p.Sees("elsewhere $")
	openEditor(p)
	e.choose("nginx-deployment.yaml")
	e.replace(withReplicas(manifest, "2"))
	e.press("Apply")
	p.Sees("deployment.apps/nginx-deployment configured")
	p.Until("two pods run", running+" === 2")
}

// TestEditorAndTerminal change one file.
func TestEditorAndTerminal(t *testing.T) {
	p := open(t)
	e := openEditor(p)
	p.Click("#tab-terminal")

	p.Output("echo 'written: here' | tee nginx-deployment.yaml")
	p.Until("the editor shows what the terminal wrote", editorText+`.trim() === "written: here"`)

	openEditor(p)
	e.replace("typed: here")
	p.Click("#tab-terminal")
	p.Output("echo 'written: again' | tee nginx-deployment.yaml")
	p.Until("what was typed is kept", editorText+`.trim() === "typed: here" && `+editorStatus+`.startsWith("Not saved, and changed in the terminal")`)
	p.Output("rm nginx-deployment.yaml")
	p.Until("the removal is told", editorStatus+`.startsWith("Removed")`)
	e.press("Save")
	if got, _ := p.Output("cat nginx-deployment.yaml"); got != "typed: here" {
		t.Errorf("the file contains %q", got)
	}

	t.Run("kubectl edit", func(t *testing.T) {
		p.Output("kubectl create configmap c --from-literal=a=1")
		p.Type("clear; kubectl edit configmap c")
		p.Until("the editor shows the object", editorText+`.includes("a: \"1\"")`)
		e.replace(strings.Replace(browser.Evaluate[string](p, editorText), `a: "1"`, `a: "2"`, 1))
		p.Click("#tab-terminal")
		p.Sees("configmap/c edited")
		if got, _ := p.Output("kubectl get configmap c -o jsonpath={.data.a}"); got != "2" {
			t.Errorf("the value is %q", got)
		}
	})
}

// withReplicas is the lesson's manifest with another number of replicas.
func withReplicas(manifest, replicas string) string {
	return strings.Replace(manifest, "replicas: 2", "replicas: "+replicas, 1)
}
