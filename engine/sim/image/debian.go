package image

import (
	"fmt"
	"slices"
	"strings"
)

// What tells the images that are built on Debian's slim one from those built on
// busybox or Alpine: fewer programs, and other words for what goes wrong.

// always is for images all of whose tags are built on Debian.
func always(string) bool { return true }

// unlessAlpine is for those whose tags say so if they are built on Alpine.
func unlessAlpine(tag string) bool { return !strings.Contains(tag, "alpine") }

// busyboxOnly are the programs that Debian's slim image lacks.
var busyboxOnly = []string{"ash", "ifconfig", "ip", "kill", "nc", "nslookup", "ps", "wget"}

// IsDebian says whether a tag is built on Debian.
func (i *Image) IsDebian(tag string) bool { return i.Debian != nil && i.Debian(tag) }

// Program finds an executable of one tag.
func (i *Image) Program(tag, name string) (Program, bool) {
	program, ok := i.Programs[name]
	if !ok || i.IsDebian(tag) && slices.Contains(busyboxOnly, name) || i.Lacks != nil && i.Lacks(tag, name) {
		return nil, false
	}
	return program, true
}

// complain says what went wrong with a file: as busybox, or as Debian's tools
// say it.
func complain(c *Call, busybox, debian, name string, err error) {
	format := busybox
	if c.IsDebian() {
		format = debian
	}
	c.Complain(c.Args[0] + ": " + fmt.Sprintf(format, name) + ": " + err.Error() + "\n")
}

// notFound is what a shell says of a program that does not exist.
func notFound(c *Call, name string) string {
	switch {
	case strings.HasSuffix(c.Args[0], "bash") && c.Terminal:
		return "bash: " + name + ": command not found\n"
	case strings.HasSuffix(c.Args[0], "bash"):
		return "bash: line 1: " + name + ": command not found\n"
	case c.IsDebian():
		return "sh: 1: " + name + ": not found\n"
	}
	return "sh: " + name + ": not found\n"
}
