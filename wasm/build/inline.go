package main

// compilerFlags are what each target is compiled with. Inlining makes code larger,
// so the engine has it only where a running cluster spends its time.
var compilerFlags = map[string][]string{
	"engine": append([]string{"-gcflags=all=-l"}, inlining(
		"runtime", "internal/...", "sync/...", "math", "math/bits", "math/rand/v2", "bytes", "strings", "strconv", "slices", "maps",
		"sort", "time", "unicode/utf8", "reflect", "context", "container/heap",
		"github.com/google/btree",
		"k8s.io/apimachinery/pkg/apis/meta/v1", "k8s.io/apimachinery/pkg/labels", "k8s.io/apimachinery/pkg/api/resource",
		engine+"api/kind", engine+"api/rest", engine+"api/managed", engine+"cache", engine+"client", engine+"clock",
		engine+"controller", engine+"controller/deployment", engine+"controller/endpointslice", engine+"controller/replicaset",
		engine+"events", engine+"executor/...", engine+"internal/...", engine+"kubelet", engine+"scheduler",
		engine+"sim", engine+"sim/runtime", engine+"store", engine+"view",
	)...),
}

const engine = "tidepool.dev/tidepool/engine/"

// inlining gives packages the compiler's defaults back.
func inlining(packages ...string) (flags []string) {
	for _, p := range packages {
		flags = append(flags, "-gcflags="+p+"=")
	}
	return flags
}
