package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"
)

const peersDir = "test/bench/peers"

// webernetesPage serves a page with npm's @ngrok/webernetes and its measurement
// on a loopback port.
func webernetesPage() (*httptest.Server, error) {
	if _, err := os.Stat(filepath.Join(peersDir, "node_modules")); err != nil {
		install := exec.Command("npm", "ci", "--no-audit", "--no-fund")
		install.Dir = peersDir
		if out, err := install.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm ci in %s: %w\n%s", peersDir, err, out)
		}
	}
	built := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(peersDir, "webernetes.ts")},
		Bundle:      true, MinifySyntax: true, MinifyWhitespace: true,
		Format: api.FormatESModule, Target: api.ES2022,
		Define: map[string]string{"process.env.NODE_ENV": `"production"`},
	})
	if len(built.Errors) > 0 {
		return nil, fmt.Errorf("bundling webernetes: %v", built.Errors[0].Text)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>webernetes</title><script type="module" src="/peer.js"></script>`)
	})
	mux.HandleFunc("/peer.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(built.OutputFiles[0].Contents)
	})
	return httptest.NewServer(mux), nil
}

// measureWebernetes returns the milliseconds from applying a Deployment to all
// its replicas being Ready.
func measureWebernetes(ctx context.Context, url string, nodes, replicas int) (float64, error) {
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return 0, err
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool]("globalThis.measureWebernetes !== undefined")); err != nil {
		return 0, err
	}
	return chromedp.Run(ctx, chromedp.Evaluate[float64](
		fmt.Sprintf("measureWebernetes(%d, %d)", nodes, replicas), chromedp.EvalAwaitPromise))
}
