//go:build js && wasm

package main

import (
	"errors"
	"syscall/js"
)

// A callback is a writer that hands what is written to a method of a JavaScript
// object.
type callback struct {
	object js.Value
	method string
}

func (c callback) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	chunk := js.Global().Get("Uint8Array").New(len(p))
	js.CopyBytesToJS(chunk, p)
	c.object.Call(c.method, chunk)
	return len(p), nil
}

func stringsOf(array js.Value) []string {
	result := make([]string, array.Length())
	for i := range result {
		result[i] = array.Index(i).String()
	}
	return result
}

// promise runs f in a goroutine and returns a JavaScript promise of its result.
func promise(f func() (any, error)) js.Value {
	var executor js.Func
	executor = js.FuncOf(func(_ js.Value, args []js.Value) any {
		executor.Release()
		resolve, reject := args[0], args[1]
		go func() {
			result, err := f()
			if err != nil {
				reject.Invoke(js.Global().Get("Error").New(err.Error()))
				return
			}
			resolve.Invoke(result)
		}()
		return nil
	})
	return js.Global().Get("Promise").New(executor)
}

// await blocks the calling goroutine until a JavaScript promise settles.
func await(promise js.Value) error {
	settled := make(chan error, 1)
	fulfilled := js.FuncOf(func(js.Value, []js.Value) any {
		settled <- nil
		return nil
	})
	defer fulfilled.Release()
	rejected := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- errors.New(args[0].Get("message").String())
		return nil
	})
	defer rejected.Release()
	promise.Call("then", fulfilled, rejected)
	return <-settled
}
