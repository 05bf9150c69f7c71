package term

// monitorResizeEvents sends nothing: there is no SIGWINCH in a browser.
func monitorResizeEvents(uintptr, chan<- TerminalSize, chan struct{}) {}
