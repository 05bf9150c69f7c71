// Command bench measures what the budgets promise, beside other projects where
// they do the same thing, prints it and writes bench/latest.json. It expects a
// release build (make bench makes one) and runs from the repository's root.
//
// With arguments, the names of parts (api, dependencies, memory, watches), it
// measures and prints those alone and writes nothing.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"slices"

	"github.com/chromedp/chromedp"

	"tidepool.dev/tidepool/lessons/courses"
	"tidepool.dev/tidepool/test/browser"
	"tidepool.dev/tidepool/web"
)

const latest = "bench/latest.json"

// parts can be measured alone; each prints what it has found.
var parts = map[string]func(context.Context) ([]record, error){
	"api":          measureAPI,
	"dependencies": measureDependencies,
	"memory":       measureMemory,
	"watches":      measureWatches,
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 {
		for _, name := range os.Args[1:] {
			if parts[name] == nil {
				log.Fatalf("bench: there is no part %q", name)
			}
			if _, err := parts[name](context.Background()); err != nil {
				log.Fatal("bench: ", err)
			}
		}
		return
	}
	records, err := measure(context.Background())
	if err != nil {
		log.Fatal("bench: ", err)
	}
	print(os.Stdout, records)
	if err := write(latest, records); err != nil {
		log.Fatal("bench: ", err)
	}
}

func measure(parent context.Context) ([]record, error) {
	records, err := measureSizes()
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		more, err := parts[name](parent)
		if err != nil {
			return nil, err
		}
		records = append(records, more...)
	}
	all, err := courses.All()
	if err != nil {
		return nil, err
	}
	handler, err := web.Handler(all, false)
	if err != nil {
		return nil, err
	}
	site := httptest.NewServer(handler)
	defer site.Close()
	peer, err := webernetesPage()
	if err != nil {
		return nil, err
	}
	defer peer.Close()
	ctx, cancel, err := browser.Start(parent)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return nil, fmt.Errorf("starting Chromium: %w", err)
	}
	opened, err := measureOpen(ctx, site.URL)
	if err != nil {
		return nil, err
	}
	print(os.Stderr, append(records, opened...)) // the rest takes minutes
	ready, err := measureReplicas(ctx, site.URL, peer.URL)
	if err != nil {
		return nil, err
	}
	return append(append(records, opened...), ready...), nil
}

// inTab measures in a tab of its own.
func inTab(ctx context.Context, measure func(tab context.Context) (float64, error)) (float64, error) {
	tab, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	return measure(tab)
}
