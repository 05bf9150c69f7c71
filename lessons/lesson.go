// Package lessons defines what a lesson is, loads lessons from their folders and
// checks, over a cluster's live state, how far a learner is.
//
// A lesson is a folder: lesson.md introduces it, each file of steps/ is a step,
// in the order of their names, and files/ are what the learner finds in the
// terminal and the editor. Both kinds of Markdown begin with front matter in
// YAML: Lesson and Step say what it may hold. The same lesson runs against a
// simulated cluster and a real one.
//
// What lives here: format, loader, checker. Rendering is in lessons/render, the
// courses themselves, as content, in lessons/courses.
package lessons

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// Lesson is a lesson as its folder describes it.
type Lesson struct {
	// ID is the name of the folder; it stands in URLs.
	ID string `json:"-"`
	// Course is the name of the folder above.
	Course     string   `json:"-"`
	Title      string   `json:"title"`
	Summary    string   `json:"summary"`
	Minutes    int      `json:"minutes"`
	Objectives []string `json:"objectives"`
	// Text introduces the lesson, in Markdown.
	Text  string `json:"-"`
	Steps []Step `json:"-"`
	Files []File `json:"-"`
}

// Step is one thing to do.
type Step struct {
	// ID is the file's name without its number: "apply" of 01-apply.md.
	ID    string `json:"-"`
	Title string `json:"title"`
	// Checks hold once the step is done; all of them must.
	Checks []Check `json:"checks"`
	// Hints help more and more, in Markdown.
	Hints []string `json:"hints"`
	// Solution are commands, one per line, that make the checks hold.
	Solution string `json:"solution"`
	// Text says what to do and why, in Markdown.
	Text string `json:"-"`
}

// File is what a learner finds in the terminal's directory.
type File struct {
	Name, Content string
}

// Load reads all courses: fsys holds a folder per course, and that a folder per
// lesson. An error names the file and what is wrong with it.
func Load(fsys fs.FS) ([]Lesson, error) {
	paths, err := fs.Glob(fsys, "*/*/lesson.md")
	if err != nil {
		return nil, err
	}
	var all []Lesson
	var errs []error
	for _, p := range paths {
		lesson, err := load(fsys, path.Dir(p))
		errs = append(errs, err)
		all = append(all, lesson)
	}
	return all, errors.Join(errs...)
}

// Find reads the one lesson that has an ID, from where Load reads all.
func Find(fsys fs.FS, id string) (*Lesson, error) {
	paths, err := fs.Glob(fsys, "*/*/lesson.md")
	if err != nil {
		return nil, err
	}
	for _, p := range paths {
		if dir := path.Dir(p); path.Base(dir) == id {
			lesson, err := load(fsys, dir)
			return &lesson, err
		}
	}
	return nil, fmt.Errorf("there is no lesson %q", id)
}

func load(fsys fs.FS, dir string) (Lesson, error) {
	lesson := Lesson{ID: path.Base(dir), Course: path.Base(path.Dir(dir))}
	var err error
	if lesson.Text, err = readFrontMatter(fsys, path.Join(dir, "lesson.md"), &lesson); err != nil {
		return lesson, err
	}
	if lesson.Title == "" || lesson.Summary == "" {
		return lesson, fmt.Errorf("%s/lesson.md: a lesson needs a title and a summary", dir)
	}
	steps, err := fs.Glob(fsys, path.Join(dir, "steps", "*.md"))
	if err != nil {
		return lesson, err
	}
	if len(steps) == 0 {
		return lesson, fmt.Errorf("%s/steps: a lesson needs at least one step", dir)
	}
	for _, p := range steps {
		step, err := loadStep(fsys, p)
		if err != nil {
			return lesson, err
		}
		lesson.Steps = append(lesson.Steps, step)
	}
	files, err := fs.Glob(fsys, path.Join(dir, "files", "*"))
	if err != nil {
		return lesson, err
	}
	for _, p := range files {
		data, err := fs.ReadFile(fsys, p)
		if err != nil {
			return lesson, err
		}
		lesson.Files = append(lesson.Files, File{path.Base(p), string(data)})
	}
	return lesson, nil
}

var stepName = regexp.MustCompile(`^\d+-([a-z0-9-]+)\.md$`)

func loadStep(fsys fs.FS, p string) (Step, error) {
	var step Step
	name := stepName.FindStringSubmatch(path.Base(p))
	if name == nil {
		return step, fmt.Errorf("%s: a step's file is named like 01-apply.md", p)
	}
	step.ID = name[1]
	var err error
	if step.Text, err = readFrontMatter(fsys, p, &step); err != nil {
		return step, err
	}
	if step.Title == "" || len(step.Checks) == 0 || strings.TrimSpace(step.Solution) == "" {
		return step, fmt.Errorf("%s: a step needs a title, checks and a solution", p)
	}
	for i := range step.Checks {
		if err := step.Checks[i].validate(); err != nil {
			return step, fmt.Errorf("%s: checks[%d]: %w", p, i, err)
		}
	}
	return step, nil
}

var fence = []byte("---\n")

// readFrontMatter reads the YAML between the first lines "---" into a value and
// returns the Markdown behind it.
func readFrontMatter(fsys fs.FS, p string, into any) (string, error) {
	data, err := fs.ReadFile(fsys, p)
	if err != nil {
		return "", err
	}
	rest, opened := bytes.CutPrefix(data, fence)
	matter, text, closed := bytes.Cut(rest, append([]byte("\n"), fence...))
	if !opened || !closed {
		return "", fmt.Errorf("%s: it must begin with front matter between two lines of ---", p)
	}
	if err := yaml.UnmarshalStrict(matter, into); err != nil {
		return "", fmt.Errorf("%s: %w", p, err)
	}
	return strings.TrimSpace(string(text)) + "\n", nil
}
