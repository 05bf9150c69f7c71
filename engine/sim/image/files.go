package image

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
)

// Files is a container's small file system: whole files by their absolute
// paths, volumes in their places, what the image brings below, and nothing of
// what lies on a real disk. The zero Files is empty.
type Files struct {
	content map[string]string
	dirs    map[string]bool          // those that were made, even if they are empty
	load    func() map[string]string // of the content, when it is needed
	fresh   func() bool              // whether the content need not be loaded again
	lower   *layer
	removed map[string]bool // what the lower layer has but the container has not
	mounts  []mount
}

// layer is what an image brings. It is shared and never changed.
type layer struct {
	content map[string]string
	dirs    map[string]bool
}

type mount struct {
	path, subPath string
	readOnly      bool
	files         *Files
}

// Errors of the C library, in the words that tools print.
//
//lint:file-ignore ST1005 see above
var (
	errNoFile   = errors.New("No such file or directory")
	errReadOnly = errors.New("Read-only file system")
	errIsDir    = errors.New("Is a directory")
	errExists   = errors.New("File exists")
	errNotEmpty = errors.New("Directory not empty")
)

// NewFiles returns what load, which may be nil, says: files by their paths,
// relative or absolute. Most are never looked at, so it is called when they are.
func NewFiles(load func() map[string]string) *Files { return &Files{load: load} }

// Refresh has the content loaded again whenever somebody looks and fresh says
// that it is no longer what it should be. What was written is lost then: it is
// for files that can't be written.
func (f *Files) Refresh(fresh func() bool) { f.fresh = fresh }

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
	if files.load != nil && (files.fresh == nil || !files.fresh()) {
		files.content = map[string]string{}
		for name, text := range files.load() {
			files.content[clean(name)] = text
		}
		if files.fresh == nil {
			files.load = nil
		}
	}
	return files, inside, readOnly
}

// within cuts a directory off a path in it.
func within(name, dir string) (string, bool) {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(dir, "/"))
	return rest, ok && (rest == "" || rest[0] == '/')
}

// get returns a file of these files or of the layer below.
func (f *Files) get(inside string) (string, bool) {
	content, ok := f.content[inside]
	if !ok && f.lower != nil && !f.removed[inside] {
		content, ok = f.lower.content[inside]
	}
	return content, ok
}

// hasDir says whether a directory was made, here or below.
func (f *Files) hasDir(inside string) bool {
	return inside == "/" || f.dirs[inside] || f.lower != nil && f.lower.dirs[inside] && !f.removed[inside]
}

// all are the paths of all files and directories that were made.
func (f *Files) all(yield func(string) bool) {
	for name := range f.content {
		if !yield(name) {
			return
		}
	}
	for name := range f.dirs {
		if !yield(name) {
			return
		}
	}
	if f.lower == nil {
		return
	}
	for _, names := range [...]func(func(string) bool){maps.Keys(f.lower.content), maps.Keys(f.lower.dirs)} {
		for name := range names {
			if !f.removed[name] && !yield(name) {
				return
			}
		}
	}
}

// Read returns a file's content.
func (f *Files) Read(name string) (string, error) {
	files, inside, _ := f.find(name)
	content, ok := files.get(inside)
	switch {
	case ok:
		return content, nil
	case f.IsDir(name):
		return "", errIsDir
	}
	return "", errNoFile
}

// Write replaces a file, or appends to it.
func (f *Files) Write(name, content string, more bool) error {
	files, inside, readOnly := f.find(name)
	switch {
	case f.IsDir(name):
		return errIsDir
	case !f.IsDir(path.Dir(clean(name))):
		return errNoFile
	case readOnly:
		return errReadOnly
	}
	if files.content == nil {
		files.content = map[string]string{}
	}
	if more {
		before, _ := files.get(inside)
		content = before + content
	}
	files.content[inside] = content
	return nil
}

// Mkdir makes a directory.
func (f *Files) Mkdir(name string) error {
	files, inside, readOnly := f.find(name)
	switch {
	case f.Exists(name) || f.IsDir(name):
		return errExists
	case !f.IsDir(path.Dir(clean(name))):
		return errNoFile
	case readOnly:
		return errReadOnly
	}
	if files.dirs == nil {
		files.dirs = map[string]bool{}
	}
	files.dirs[inside] = true
	return nil
}

// Remove deletes a file or an empty directory.
func (f *Files) Remove(name string) error {
	files, inside, readOnly := f.find(name)
	_, isFile := files.get(inside)
	switch {
	case !isFile && !f.IsDir(name):
		return errNoFile
	case !isFile && len(f.List(name)) > 0:
		return errNotEmpty
	case readOnly:
		return errReadOnly
	}
	delete(files.content, inside)
	delete(files.dirs, inside)
	if files.lower != nil {
		if files.removed == nil {
			files.removed = map[string]bool{}
		}
		files.removed[inside] = true
	}
	return nil
}

// Exists reports whether there is a file of that name.
func (f *Files) Exists(name string) bool {
	files, inside, _ := f.find(name)
	_, ok := files.get(inside)
	return ok
}

// IsDir reports whether there is a directory of that name: one that was made,
// a volume's place, or one that holds something.
func (f *Files) IsDir(name string) bool {
	name = clean(name)
	files, inside, _ := f.find(name)
	if _, isFile := files.get(inside); isFile {
		return false // a part of a volume can be a single file
	}
	if name == "/" || files.hasDir(inside) {
		return true
	}
	for _, m := range f.mounts {
		if _, ok := within(m.path, name); ok {
			return true
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
	for name := range files.all {
		add(name, inside)
	}
	for _, m := range f.mounts {
		add(m.path, clean(dir))
	}
	slices.Sort(list)
	return list
}

func clean(name string) string { return path.Clean("/" + name) }

// Dir is a file system seen from a working directory.
type Dir struct {
	files *Files
	path  string
}

// Path makes a path absolute.
func (d Dir) Path(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", d.path, name)
}

// The methods are those of Files, for paths that may be relative.

func (d Dir) Read(name string) (string, error) { return d.files.Read(d.Path(name)) }
func (d Dir) Write(name, content string, more bool) error {
	return d.files.Write(d.Path(name), content, more)
}
func (d Dir) Mkdir(name string) error  { return d.files.Mkdir(d.Path(name)) }
func (d Dir) Remove(name string) error { return d.files.Remove(d.Path(name)) }
func (d Dir) Exists(name string) bool  { return d.files.Exists(d.Path(name)) }
func (d Dir) IsDir(name string) bool   { return d.files.IsDir(d.Path(name)) }
func (d Dir) List(dir string) []string { return d.files.List(d.Path(dir)) }

// Walk calls f for a file or directory and everything in it, the directory
// first.
func (d Dir) Walk(name string, f func(name string, isDir bool)) {
	isDir := d.IsDir(name)
	f(name, isDir)
	if isDir {
		for _, inside := range d.List(name) {
			d.Walk(path.Join(name, inside), f)
		}
	}
}
