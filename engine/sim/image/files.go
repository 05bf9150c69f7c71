package image

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// Files is a container's small file system: whole files by their absolute
// paths, and nothing of what lies on a real one.
type Files struct{ content map[string]string }

//lint:ignore ST1005 it is the words of the C library that tools print
var errNoFile = errors.New("No such file or directory")

// Read returns a file's content.
func (f *Files) Read(name string) (string, error) {
	content, ok := f.content[clean(name)]
	if !ok {
		return "", errNoFile
	}
	return content, nil
}

// Write replaces a file, or appends to it.
func (f *Files) Write(name, content string, more bool) {
	if f.content == nil {
		f.content = map[string]string{}
	}
	name = clean(name)
	if more {
		content = f.content[name] + content
	}
	f.content[name] = content
}

// Remove deletes a file.
func (f *Files) Remove(name string) error {
	if !f.Exists(name) {
		return errNoFile
	}
	delete(f.content, clean(name))
	return nil
}

// Exists reports whether there is a file of that name.
func (f *Files) Exists(name string) bool {
	_, ok := f.content[clean(name)]
	return ok
}

// List returns what lies directly in a directory.
func (f *Files) List(dir string) []string {
	prefix := strings.TrimSuffix(clean(dir), "/") + "/"
	var list []string
	for name := range f.content {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			first, _, _ := strings.Cut(rest, "/")
			if !slices.Contains(list, first) {
				list = append(list, first)
			}
		}
	}
	slices.Sort(list)
	return list
}

func clean(name string) string { return path.Clean("/" + name) }
