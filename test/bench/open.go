package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// observePage runs in the page before its own scripts: it notes the long tasks,
// creates a Deployment as soon as the cluster is shown, and notes when the first
// pod runs.
const observePage = `
globalThis.benchmark = { longest: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) benchmark.longest = Math.max(benchmark.longest, entry.duration);
}).observe({ type: "longtask", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByName("tidepool-cluster-shown")) if (!benchmark.shown) {
    benchmark.shown = entry.startTime;
    const { model, cluster } = tidepoolPage;
    const stop = model.subscribe(() => {
      if ([...model.pods.values()].some((p) => p.status === "Running" && p.ready === 1)) {
        benchmark.running = performance.now();
        stop();
      }
    });
    cluster().fetch("/apis/apps/v1/namespaces/default/deployments",
      { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(%s) });
  }
}).observe({ type: "mark", buffered: true });`

// everythingLoaded is when the editor is there: it comes last, after the terminal
// and kubectl.
const everythingLoaded = `document.querySelector("#editor .cm-editor") !== null`

const (
	opens = 5
	// settle is how long Chromium gets to load its own interface for a new tab,
	// which is made of pages too and keeps both cores busy.
	settle = 2 * time.Second
)

// measureOpen measures opening the page from a warm cache.
func measureOpen(ctx context.Context, site string) ([]record, error) {
	body, err := json.Marshal(deployment(2))
	if err != nil {
		return nil, err
	}
	script := fmt.Sprintf(observePage, body)
	var shown, running, longest []float64
	for i := range opens + 1 {
		_, err := inTab(ctx, func(tab context.Context) (float64, error) {
			if _, err := chromedp.Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
				return 0, err
			}
			time.Sleep(settle)
			if err := chromedp.Do(tab, chromedp.Navigate(site)); err != nil {
				return 0, err
			}
			if _, err := chromedp.Run(tab, chromedp.Poll[bool](`benchmark.running > 0 && `+everythingLoaded)); err != nil {
				return 0, err
			}
			times, err := chromedp.Run(tab, chromedp.Evaluate[struct{ Shown, Running, Longest float64 }](`benchmark`))
			if err != nil || i == 0 { // the first one fills the cache
				return 0, err
			}
			shown, running, longest = append(shown, times.Shown), append(running, times.Running), append(longest, times.Longest)
			return 0, nil
		})
		if err != nil {
			return nil, err
		}
	}
	conditions := fmt.Sprintf("headless Chromium, warm cache, loopback, a tab that is open, median of %d", opens)
	return []record{
		{Name: "page open to cluster shown", Value: median(shown) / 1000, Unit: "s", Conditions: conditions},
		{Name: "page open to first pod Running", Value: median(running) / 1000, Unit: "s", Budget: under(1), Conditions: conditions + ", simulated image pull and start included"},
		{Name: "longest task of the page's main thread", Value: median(longest), Unit: "ms", Budget: under(50), Conditions: conditions + ", from opening until kubectl and the editor are loaded; 0 is none over 50 ms"},
	}, nil
}
