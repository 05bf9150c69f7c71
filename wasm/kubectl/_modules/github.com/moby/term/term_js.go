package term

import (
	"errors"
	"io"
	"os"
	"syscall/js"
)

var errNoTerminal = errors.New("not a terminal")

// The page says of each run what its terminal is:
//
//	globalThis.terminal = {stdin: bool, stdout: bool, columns, rows, raw(on)}
//
// stdin and stdout say whether the stream is the terminal's.
func terminal() js.Value { return js.Global().Get("terminal") }

// terminalState is empty: a terminal is either in its usual mode or raw.
type terminalState struct{}

func stdStreams() (stdIn io.ReadCloser, stdOut, stdErr io.Writer) {
	return os.Stdin, os.Stdout, os.Stderr
}

func getFdInfo(in any) (uintptr, bool) {
	if file, ok := in.(*os.File); ok {
		return file.Fd(), isTerminal(file.Fd())
	}
	return 0, false
}

func isTerminal(fd uintptr) bool {
	t := terminal()
	switch {
	case !t.Truthy():
		return false
	case fd == 0:
		return t.Get("stdin").Bool()
	case fd == 1:
		return t.Get("stdout").Bool()
	}
	return false
}

func getWinsize(fd uintptr) (*Winsize, error) {
	if !isTerminal(fd) {
		return nil, errNoTerminal
	}
	t := terminal()
	return &Winsize{Width: uint16(t.Get("columns").Int()), Height: uint16(t.Get("rows").Int())}, nil
}

func setRawTerminal(fd uintptr) (*State, error) { return makeRaw(fd) }

func makeRaw(fd uintptr) (*State, error) {
	if !isTerminal(fd) {
		return nil, errNoTerminal
	}
	terminal().Call("raw", true)
	return &State{}, nil
}

func restoreTerminal(fd uintptr, _ *State) error {
	if !isTerminal(fd) {
		return errNoTerminal
	}
	terminal().Call("raw", false)
	return nil
}

func saveState(fd uintptr) (*State, error) {
	if !isTerminal(fd) {
		return nil, errNoTerminal
	}
	return &State{}, nil
}

func setWinsize(uintptr, *Winsize) error           { return errNoTerminal }
func disableEcho(uintptr, *State) error            { return errNoTerminal }
func setRawTerminalOutput(uintptr) (*State, error) { return nil, errNoTerminal }
