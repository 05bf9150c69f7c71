package image

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// Files is a container's small file system: whole files by their absolute
// paths, volumes in their places, and nothing of what lies on a real disk. The
// zero Files is empty.
type Files struct {
	content map[string]string
	load    func() map[string]string // of the content, when it is first needed
	mounts  []mount
}

type mount struct {
	path, subPath string
	readOnly      bool
	files         *Files
}

// Errors of the C library, in the words that tools print.
var (
	//lint:ignore ST1005 see above
	errNoFile = errors.New("No such file or directory")
	//lint:ignore ST1005 see above
	errReadOnly = errors.New("Read-only file system")
)

// NewFiles returns what load, which may be nil, says: files by their paths,
// relative or absolute. Most are never looked at, so it is called when they are.
func NewFiles(load func() map[string]string) *Files { return &Files{load: load} }

// Mount puts other files, or a part of them, at a path.
func (f *Files) Mount(at, subPath string, readOnly bool, files *Files) {
	f.mounts = append(f.mounts, mount{clean(at), clean(subPath), readOnly, files})
}

// find returns where a path leads: the files of the innermost volume that it is
// in, or f itself.
func (f *Files) find(name string) (files *Files, inside string, readOnly bool) {
	name = clean(name)
	files, inside = f, name
	longest := -1
	for _, m := range f.mounts {
		if rest, ok := within(name, m.path); ok && len(m.path) > longest {
			longest = len(m.path)
			files, inside, readOnly = m.files, path.Join(m.subPath, rest), m.readOnly
		}
	}
	if files.load != nil {
		files.content = map[string]string{}
		for name, text := range files.load() {
			files.content[clean(name)] = text
		}
		files.load = nil
	}
	return files, inside, readOnly
}

// within cuts a directory off a path in it.
func within(name, dir string) (string, bool) {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(dir, "/"))
	return rest, ok && (rest == "" || rest[0] == '/')
}

// Read returns a file's content.
func (f *Files) Read(name string) (string, error) {
	files, inside, _ := f.find(name)
	content, ok := files.content[inside]
	if !ok {
		return "", errNoFile
	}
	return content, nil
}

// Write replaces a file, or appends to it.
func (f *Files) Write(name, content string, more bool) error {
	files, inside, readOnly := f.find(name)
	if readOnly {
		return errReadOnly
	}
	if files.content == nil {
		files.content = map[string]string{}
	}
	if more {
		content = files.content[inside] + content
	}
	files.content[inside] = content
	return nil
}

// Remove deletes a file.
func (f *Files) Remove(name string) error {
	files, inside, readOnly := f.find(name)
	if _, ok := files.content[inside]; !ok {
		return errNoFile
	}
	if readOnly {
		return errReadOnly
	}
	delete(files.content, inside)
	return nil
}

// Exists reports whether there is a file of that name.
func (f *Files) Exists(name string) bool {
	files, inside, _ := f.find(name)
	_, ok := files.content[inside]
	return ok
}

// IsDir reports whether there is a directory of that name: a volume's place, or
// one that holds something.
func (f *Files) IsDir(name string) bool {
	for _, m := range f.mounts {
		if _, ok := within(m.path, clean(name)); ok {
			return !f.Exists(name) // a part of a volume can be a single file
		}
	}
	return len(f.List(name)) > 0
}

// List returns what lies directly in a directory.
func (f *Files) List(dir string) []string {
	files, inside, _ := f.find(dir)
	var list []string
	add := func(name, dir string) {
		rest, ok := within(name, dir)
		if !ok || len(rest) < 2 {
			return
		}
		first, _, _ := strings.Cut(rest[1:], "/")
		if !slices.Contains(list, first) {
			list = append(list, first)
		}
	}
	for name := range files.content {
		add(name, inside)
	}
	for _, m := range f.mounts {
		add(m.path, clean(dir))
	}
	slices.Sort(list)
	return list
}

func clean(name string) string { return path.Clean("/" + name) }
