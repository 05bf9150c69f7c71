package generate

import (
	"go/ast"
	"strings"
)

// comments are the lines of a doc comment, markers ("+optional") included.
type comments []string

func lines(group *ast.CommentGroup) comments {
	if group == nil {
		return nil
	}
	return strings.Split(strings.TrimRight(group.Text(), "\n"), "\n")
}

// markers returns the values of the marker's occurrences, empty for one
// without a value.
func (c comments) markers(name string) []string {
	var values []string
	for _, line := range c {
		marker, is := strings.CutPrefix(strings.TrimSpace(line), "+")
		if !is {
			continue
		}
		key, value, _ := strings.Cut(marker, "=")
		if key == name {
			values = append(values, value)
		}
	}
	return values
}

func (c comments) marked(name string) bool { return len(c.markers(name)) > 0 }

func (c comments) hidden() bool {
	for _, value := range c.markers("k8s:openapi-gen") {
		if value == "false" {
			return true
		}
	}
	return false
}

// description joins the lines of each paragraph, as Kubernetes does: markers,
// one-line TODOs and all after "---" are left out, indented lines stay lines.
func (c comments) description() string {
	var text []byte
	dropLast := func() {
		if len(text) > 0 {
			text = text[:len(text)-1]
		}
	}
	for _, line := range c {
		if line == "---" {
			break
		}
		line = strings.TrimRight(line, " ")
		leading := strings.TrimLeft(line, " ")
		switch {
		case line == "":
			dropLast()
			text = append(text, "\n\n"...)
		case strings.HasPrefix(leading, "TODO"), strings.HasPrefix(leading, "+"):
		case line[0] == ' ' || line[0] == '\t':
			dropLast()
			text = append(text, "\n"+line+"\n"...)
		default:
			text = append(text, line+" "...)
		}
	}
	return strings.TrimSpace(string(text))
}
