// Command bench measures what the budgets promise, beside other projects where
// they do the same thing, and writes bench/latest.json. It expects a build
// (make bench does both) and runs from the repository's root.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/chromedp/chromedp"

	"tidepool.dev/tidepool/test/browser"
)

func main() {
	ctx, cancel, err := browser.Start(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer cancel()
	page, err := webernetesPage()
	if err != nil {
		log.Fatal(err)
	}
	defer page.Close()
	for _, replicas := range []int{1, 100, 1000} {
		tab, closeTab := chromedp.NewContext(ctx)
		ms, err := measureWebernetes(tab, page.URL, max(3, replicas/10), replicas, 120_000)
		closeTab()
		fmt.Fprintln(os.Stderr, replicas, ms, err)
	}
}
