//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"tidepool.dev/tidepool/engine/api/openapi"
)

// fetchDocument is an openapi.Source that gets the documents from the website
// when somebody asks for them: they are larger than the rest of the engine's
// data. Below base lie the files of engine/api/openapi/documents.
func fetchDocument(base string) openapi.Source {
	return func(ctx context.Context, path string) ([]byte, error) {
		url := base + openapi.File(path)
		response, err := await(ctx, js.Global().Call("fetch", url))
		if err != nil {
			return nil, fmt.Errorf("fetching %s: %w", url, err)
		}
		if !response.Get("ok").Bool() {
			return nil, fmt.Errorf("fetching %s: status %d", url, response.Get("status").Int())
		}
		buffer, err := await(ctx, response.Call("arrayBuffer"))
		if err != nil {
			return nil, fmt.Errorf("fetching %s: %w", url, err)
		}
		bytes := js.Global().Get("Uint8Array").New(buffer)
		data := make([]byte, bytes.Length())
		js.CopyBytesToGo(data, bytes)
		return data, nil
	}
}

// await waits for a promise.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	var fulfilled, rejected js.Func
	release := func() { fulfilled.Release(); rejected.Release() }
	fulfilled = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{value: args[0]}
		release()
		return nil
	})
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: errors.New(args[0].Call("toString").String())}
		release()
		return nil
	})
	promise.Call("then", fulfilled, rejected)
	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
		return js.Value{}, ctx.Err()
	}
}
