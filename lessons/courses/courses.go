// Package courses holds the lessons themselves: content, no code. A folder is a
// course, and each folder in it a lesson, in the format of package lessons.
package courses

import (
	"embed"

	"tidepool.dev/tidepool/lessons"
)

//go:embed */*/lesson.md */*/steps */*/files
var content embed.FS

// All loads every lesson.
func All() ([]lessons.Lesson, error) { return lessons.Load(content) }

// Find loads the one lesson that has an ID.
func Find(id string) (*lessons.Lesson, error) { return lessons.Find(content, id) }
