package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

	mu       sync.Mutex
	errors   []string
	expected []*regexp.Regexp
}

// NewTab opens an empty tab of a browser that Start has started. It is closed at
// the end of the test, which fails if a page has written an error to the console
// that Expect does not name.
func NewTab(t testing.TB, browser context.Context) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	p := &Page{TB: t, ctx: ctx}
	t.Cleanup(func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, message := range p.errors {
			if !slices.ContainsFunc(p.expected, func(e *regexp.Regexp) bool { return e.MatchString(message) }) {
				t.Errorf("the page's console: %s", message)
			}
		}
	})
	p.do(chromedp.Navigate("about:blank"))
	messages := chromedp.Console(ctx)
	go func() {
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.Type == chromedp.ConsoleError || message.IsException() {
				p.mu.Lock()
				p.errors = append(p.errors, fmt.Sprintf("%s (%s)", message, message.URL))
				p.mu.Unlock()
			}
		}
	}()
	return p
}

// Expect names console errors that belong to what a test does, such as requests
// to a server that it has stopped.
func (p *Page) Expect(pattern string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, regexp.MustCompile(pattern))
}

// Close closes the tab.
func (p *Page) Close() {
	p.Helper()
	if err := chromedp.Cancel(p.ctx); err != nil {
		p.Fatal(err)
	}
}

// Context is for chromedp's own functions.
func (p *Page) Context() context.Context { return p.ctx }

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// Go opens a URL.
func (p *Page) Go(url string) {
	p.Helper()
	p.do(chromedp.Navigate(url))
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
	p.Press(line + "\r")
}

// Press types keys into the terminal: characters, and those of chromedp's kb.
func (p *Page) Press(keys string) {
	p.Helper()
	Evaluate[bool](p, `(document.querySelector("#terminal textarea").focus(), true)`)
	p.do(chromedp.KeyEvent(keys))
}

// Output runs a line in the terminal and returns all that its last command
// prints, and its exit code.
func (p *Page) Output(command string) (string, int) {
	p.Helper()
	const ended = `tidepoolPage.files.exists("/tmp/code") && tidepoolPage.files.readText("/tmp/code") !== ""`
	p.Type(command + ` >/tmp/output 2>&1; echo $? >/tmp/code`)
	p.Until("the end of "+command, ended)
	code := Evaluate[string](p, `tidepoolPage.files.readText("/tmp/code")`)
	output := Evaluate[string](p, `(tidepoolPage.files.remove("/tmp/code"), tidepoolPage.files.readText("/tmp/output"))`)
	n, err := strconv.Atoi(strings.TrimSpace(code))
	if err != nil {
		p.Fatalf("the exit code of %s: %v", command, err)
	}
	return output, n
}

// Click clicks the element that a CSS selector names, as a mouse does.
func (p *Page) Click(selector string) {
	p.Helper()
	p.do(chromedp.Click(selector))
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
