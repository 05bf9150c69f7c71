package term

import "syscall/js"

// monitorResizeEvents sends the size of the page's terminal whenever it changes:
// whoever resizes it calls globalThis.terminal.onresize, which stands for
// SIGWINCH here.
func monitorResizeEvents(fd uintptr, resizeEvents chan<- TerminalSize, stop chan struct{}) {
	terminal := js.Global().Get("terminal")
	resized := js.FuncOf(func(js.Value, []js.Value) any {
		if size := GetSize(fd); size != nil {
			select {
			case resizeEvents <- *size:
			default:
			}
		}
		return nil
	})
	terminal.Set("onresize", resized)
	go func() {
		<-stop
		terminal.Set("onresize", js.Null())
		resized.Release()
	}()
}
