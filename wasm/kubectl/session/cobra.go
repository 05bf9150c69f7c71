//go:build js && wasm

package session

import (
	_ "unsafe" // for go:linkname

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completions is cobra's table of flag completion functions. Cobra expects one
// command tree per process and never removes an entry, each of which holds on to
// its whole tree.
//
//go:linkname completions github.com/spf13/cobra.flagCompletionFunctions
var completions map[*pflag.Flag]cobra.CompletionFunc

func forgetCompletions() {
	clear(completions)
}
