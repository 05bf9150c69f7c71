// Package page tests the playground in real Chromium, as a learner uses it.
package page

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"tidepool.dev/tidepool/test/browser"
	"tidepool.dev/tidepool/test/harness"
)

// What the page shows, as JavaScript expressions.
const (
	nodesShown = `globalThis.tidepoolPage?.model.nodes.filter((n) => n.ready).length === 3 && performance.getEntriesByName("tidepool-cluster-shown").length > 0`
	pods       = `[...tidepoolPage.model.pods.values()]`
	running    = pods + `.filter((p) => p.status === "Running" && p.ready === 1 && !p.deleting).length`
	state      = `document.querySelector("#cluster-state .text").textContent`
)

// The tests share one browser and one server, so that kubectl's WebAssembly is
// compiled once. Each has a tab of its own, and with it a cluster of its own.
var (
	chromium context.Context
	site     *harness.Server
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "tidepool-page-*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if site, err = harness.Start(dir); err != nil {
		return 1, fmt.Errorf("%w (has make build been run?)", err)
	}
	defer func() { err = errors.Join(err, site.End()) }()
	ctx, cancel, err := browser.Start(context.Background())
	if err == nil {
		defer cancel()
		chromium = ctx
	} else if !errors.Is(err, browser.ErrMissing) {
		return 1, err
	}
	return m.Run(), nil
}

// newTab returns an empty tab; the test is skipped where there is no Chromium.
func newTab(t *testing.T) *browser.Page {
	t.Helper()
	if chromium == nil {
		t.Skip(browser.ErrMissing)
	}
	return browser.NewTab(t, chromium)
}

// open opens the playground with a cluster in its tab, and waits until it shows it.
func open(t *testing.T) *browser.Page {
	t.Helper()
	return openAt(t, site.URL)
}

// openAt is open for a place of the site: "/sandbox?seed=1#token=…".
func openAt(t *testing.T, url string) *browser.Page {
	t.Helper()
	p := newTab(t)
	p.Go(url)
	p.Until("three nodes are shown", nodesShown)
	return p
}

// done says whether a step of the lesson is ticked.
func done(step string) string {
	return fmt.Sprintf(`document.querySelector("#step-%s").classList.contains("done")`, step)
}
