//go:build js && wasm

// Command kubectl is the real kubectl for a browser tab: upstream's commands,
// compiled to WebAssembly, one long-lived instance that runs many command lines.
//
// It registers
//
//	globalThis.kubectl = {
//	  run(args, {stdout, stderr, edit}) → Promise<{code, ended}>,
//	  interrupt(),
//	}
//
// args excludes the program's name. stdout and stderr are called with each
// Uint8Array that the command writes; edit(path) → Promise lets a person change a
// file. Standard input and files are those of globalThis.fs; requests leave through
// globalThis.fetch. One run at a time. When ended is false, something of an
// interrupted run may still be going on, and the instance must not be used again.
//
// It is compiled by wasm/build, against its trimmed modules.
package main

import (
	"errors"
	"syscall/js"

	"k8s.io/kubectl/pkg/cmd/util/editor"
	"tidepool.dev/tidepool/wasm/kubectl/session"
)

func main() {
	var current *session.Run
	js.Global().Set("kubectl", map[string]any{
		"run": js.FuncOf(func(_ js.Value, args []js.Value) any {
			return promise(func() (any, error) {
				if current != nil {
					return nil, errors.New("a command is running")
				}
				io := args[1]
				editor.Open = func(path string) error {
					return await(io.Call("edit", path))
				}
				current = session.Start(stringsOf(args[0]), session.Streams{
					Out:    callback{io, "stdout"},
					ErrOut: callback{io, "stderr"},
				})
				result := current.Wait()
				current = nil
				return map[string]any{"code": result.Code, "ended": result.Ended}, nil
			})
		}),
		"interrupt": js.FuncOf(func(js.Value, []js.Value) any {
			if current != nil {
				current.Interrupt()
			}
			return nil
		}),
	})
	select {} // the instance lives as long as its worker
}
