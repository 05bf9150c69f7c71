package lessons

import (
	"strings"
	"testing"
	"testing/fstest"
)

const goodLesson = "---\ntitle: A\nsummary: B\n---\ntext\n"

const goodStep = `---
title: Apply
checks:
- resource: deployments.apps
  name: web
  path: status.readyReplicas
  atLeast: 2
solution: kubectl apply -f web.yaml
---
Do it.
`

func folder(lesson, step string) fstest.MapFS {
	return fstest.MapFS{
		"course/one/lesson.md":         {Data: []byte(lesson)},
		"course/one/steps/01-apply.md": {Data: []byte(step)},
		"course/one/files/web.yaml":    {Data: []byte("kind: Deployment\n")},
	}
}

func TestFind(t *testing.T) {
	files := folder(goodLesson, goodStep)
	if lesson, err := Find(files, "one"); err != nil || lesson.ID != "one" || len(lesson.Steps) != 1 {
		t.Errorf("got %+v, %v", lesson, err)
	}
	if _, err := Find(files, "two"); err == nil || !strings.Contains(err.Error(), `"two"`) {
		t.Errorf("got %v", err)
	}
}

func TestLoad(t *testing.T) {
	all, err := Load(folder(goodLesson, goodStep))
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v", all, err)
	}
	lesson := all[0]
	if lesson.ID != "one" || lesson.Course != "course" || lesson.Text != "text\n" || lesson.Files[0].Name != "web.yaml" {
		t.Errorf("got %+v", lesson)
	}
	if step := lesson.Steps[0]; step.ID != "apply" || step.Text != "Do it.\n" || *step.Checks[0].AtLeast != 2 {
		t.Errorf("got %+v", step)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ name, lesson, step, want string }{
		{"no front matter", "text", goodStep, "lesson.md: it must begin with front matter"},
		{"an unknown field", "---\ntitel: A\n---\n", goodStep, `unknown field "titel"`},
		{"no title", "---\nsummary: B\n---\n", goodStep, "needs a title and a summary"},
		{"no checks", goodLesson, "---\ntitle: A\nsolution: x\n---\n", "needs a title, checks and a solution"},
		{"a check of nothing", goodLesson, strings.Replace(goodStep, "  path: status.readyReplicas\n", "", 1), "exactly one of path, replaced and request"},
		{"a check without a condition", goodLesson, strings.Replace(goodStep, "  atLeast: 2\n", "", 1), "path needs equals"},
		{"a bad selector", goodLesson, strings.Replace(goodStep, "name: web", "selector: '=='", 1), "checks[0]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(folder(test.lesson, test.step))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
