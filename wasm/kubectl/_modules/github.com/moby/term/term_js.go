package term

import (
	"errors"
	"io"
	"os"
)

var errNoTerminal = errors.New("not a terminal")

// terminalState is empty: file descriptors in a browser are never terminals.
type terminalState struct{}

func stdStreams() (stdIn io.ReadCloser, stdOut, stdErr io.Writer) {
	return os.Stdin, os.Stdout, os.Stderr
}

func getFdInfo(in any) (uintptr, bool) {
	if file, ok := in.(*os.File); ok {
		return file.Fd(), false
	}
	return 0, false
}

func getWinsize(uintptr) (*Winsize, error)         { return nil, errNoTerminal }
func setWinsize(uintptr, *Winsize) error           { return errNoTerminal }
func isTerminal(uintptr) bool                      { return false }
func restoreTerminal(uintptr, *State) error        { return errNoTerminal }
func saveState(uintptr) (*State, error)            { return nil, errNoTerminal }
func disableEcho(uintptr, *State) error            { return errNoTerminal }
func setRawTerminal(uintptr) (*State, error)       { return nil, errNoTerminal }
func setRawTerminalOutput(uintptr) (*State, error) { return nil, errNoTerminal }
func makeRaw(uintptr) (*State, error)              { return nil, errNoTerminal }
