// Package page holds the website's pages as templ components. The native server,
// the edge and a static export share them. What is here only describes markup:
// it reads nothing and decides nothing.
package page

import "encoding/json"

// Assets knows the built files.
type Assets interface {
	// URL is where a file of the build is served, by its logical name
	// ("main.js").
	URL(name string) string
	// Imports are the URLs of the scripts that a script needs before it runs.
	Imports(name string) []string
	// Size is how many bytes a file has when it is not compressed; 0 if that
	// is not known.
	Size(name string) int64
}

// Page is what the playground is drawn from.
type Page struct {
	Assets Assets
	// Lesson is nil in the sandbox.
	Lesson *Lesson
	// Server says that there is a server with a cluster to switch to.
	Server bool
}

// Lesson is a lesson with its texts rendered to HTML.
type Lesson struct {
	ID, Title, Summary, HTML string
	Minutes                  int
	Objectives               []string
	Steps                    []Step
	Files                    map[string]string
}

// Step is a step with its texts rendered to HTML.
type Step struct {
	ID, Title, HTML, Solution string
	Hints                     []string
}

func (p Page) title() string {
	if p.Lesson == nil {
		return "Tidepool"
	}
	return p.Lesson.Title + " · Tidepool"
}

// config is what the page's scripts need to know, in the attribute data-config.
func (p Page) config() string {
	config := struct {
		Assets map[string]string `json:"assets"`
		Files  map[string]string `json:"files"`
		Server bool              `json:"server"`
		// KubectlSize is that of kubectl.wasm, in bytes.
		KubectlSize int64 `json:"kubectlSize"`
	}{Assets: map[string]string{}, Files: map[string]string{}, Server: p.Server, KubectlSize: p.Assets.Size("kubectl.wasm")}
	for _, name := range []string{"engine.wasm", "kubectl.wasm", "wasm_exec.js", "engine-worker.js", "kubectl-worker.js", "openapi"} {
		config.Assets[name] = p.Assets.URL(name)
	}
	if p.Lesson != nil {
		config.Files = p.Lesson.Files
	}
	data, err := json.Marshal(config)
	if err != nil {
		panic(err) // texts and booleans can't fail
	}
	return string(data)
}
