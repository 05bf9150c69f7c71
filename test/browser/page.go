package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Page is an open tab of the playground under test.
type Page struct {
	testing.TB
	ctx context.Context

	mu     sync.Mutex
	errors []string
}

// Open opens a URL in a new browser. Whatever the page writes to the console as
// an error fails the test at its end.
func Open(t testing.TB, url string) *Page {
	t.Helper()
	ctx, cancel, err := Start(context.Background())
	if err != nil {
		t.Skip(err)
	}
	p := &Page{TB: t, ctx: ctx}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, message := range p.errors {
			t.Errorf("the page's console: %s", message)
		}
		cancel()
	})
	p.do(chromedp.Navigate("about:blank"))
	go func() {
		for message, err := range chromedp.Console(ctx) {
			if err != nil {
				return
			}
			if strings.EqualFold(fmt.Sprint(message.Type), "error") {
				p.mu.Lock()
				p.errors = append(p.errors, fmt.Sprint(message))
				p.mu.Unlock()
			}
		}
	}()
	p.do(chromedp.Navigate(url))
	return p
}

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// Run does chromedp's steps.
func (p *Page) Run(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	p.do(steps...)
}

// Evaluate returns the value of a JavaScript expression, which may be a promise.
func Evaluate[T any](p *Page, expression string) T {
	p.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Until waits until a JavaScript expression is true; what says for what.
func (p *Page) Until(what, expression string) {
	p.Helper()
	for deadline := time.Now().Add(time.Minute); !Evaluate[bool](p, expression); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.Screenshot("failed")
			p.Fatalf("not after a minute: %s (%s); the terminal shows:\n%s", what, expression, p.Terminal())
		}
	}
}

// Type types a line into the terminal and presses Enter.
func (p *Page) Type(line string) {
	p.Helper()
	Evaluate[bool](p, `(document.querySelector("#terminal textarea").focus(), true)`)
	p.do(chromedp.KeyEvent(line + "\r"))
}

// Terminal is the text that the terminal shows.
func (p *Page) Terminal() string {
	p.Helper()
	return Evaluate[string](p, `[...document.querySelectorAll("#terminal .xterm-accessibility-tree > *")].map((e) => e.textContent.trimEnd()).join("\n").trim()`)
}

// Sees waits until the terminal shows a text.
func (p *Page) Sees(text string) {
	p.Helper()
	p.Until("the terminal shows "+text, fmt.Sprintf(
		`[...document.querySelectorAll("#terminal .xterm-accessibility-tree > *")].map((e) => e.textContent).join("").includes(%q)`, text))
}

// Screenshot writes a picture of the page to build/screenshots.
func (p *Page) Screenshot(name string) {
	p.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.Fatal(err)
	}
	dir := filepath.Join(root(), "build", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		p.Fatal(err)
	}
}
