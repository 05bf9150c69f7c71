package view

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// Lesson is a lesson that a client follows.
type Lesson interface {
	// Check says how far the learner is, step by step.
	Check() []Step
	// Close ends it.
	Close()
}

// Step is the state of a lesson's step.
type Step struct {
	ID   string
	Done bool
	// Detail says what is so, for the learner: "1 of 3 replicas ready".
	Detail string
}

// Lessons opens a lesson by its ID, where the learner has done some steps
// before; wake is called when there may be something to check that no change of
// the cluster shows. The error is for the learner.
type Lessons func(id string, done []string, wake func()) (Lesson, error)

// Session is both directions of one client's connection. It is not safe for
// concurrent use.
type Session struct {
	stream  *Stream
	lessons Lessons
	wake    func()

	lessonID string
	lesson   Lesson      // nil if none is followed
	steps    []Step      // as the client knows them
	check    atomic.Bool // the lesson may have got on; set from anywhere
	answers  [][]byte
}

// NewSession returns a session that begins with a snapshot. wake is called
// whenever Next may have a frame, and must neither block nor call the session.
func NewSession(s store.Interface, clock clock.Clock, lessons Lessons, wake func()) *Session {
	return &Session{stream: NewStream(s, clock, wake), lessons: lessons, wake: wake}
}

// Next returns the next frame, which is valid until the next call; nil if there
// is nothing new.
func (s *Session) Next(ctx context.Context) ([]byte, error) {
	if len(s.answers) > 0 {
		answer := s.answers[0]
		s.answers = s.answers[1:]
		return answer, nil
	}
	frame, err := s.stream.Next(ctx)
	if frame != nil || err != nil {
		s.check.Store(true)
		return frame, err
	}
	if s.lesson == nil || !s.check.Swap(false) {
		return nil, nil
	}
	steps := s.lesson.Check()
	if slices.Equal(steps, s.steps) {
		return nil, nil
	}
	s.steps = slices.Clone(steps)
	return lessonFrame(s.lessonID, steps), nil
}

// command is what a client may send.
type command struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	// Done are the steps of a lesson that the learner has done before.
	Done []string `json:"done"`
}

// Receive takes a frame from the client. What is wrong with it is said in an
// error frame; nothing else comes of it.
func (s *Session) Receive(frame []byte) {
	defer s.wake()
	var c command
	decoder := json.NewDecoder(bytes.NewReader(frame))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		s.refuse("This frame is not understood: %v. Send {\"type\":\"lesson\",\"id\":\"...\"}.", err)
		return
	}
	switch c.Type {
	case "lesson":
		s.follow(c.ID, c.Done)
	default:
		s.refuse("There is no command %q; there is \"lesson\".", c.Type)
	}
}

func (s *Session) follow(id string, done []string) {
	s.leave()
	if id == "" {
		return
	}
	lesson, err := s.lessons(id, done, func() { s.check.Store(true); s.wake() })
	if err != nil {
		s.refuse("%v", err)
		return
	}
	s.lessonID, s.lesson, s.steps = id, lesson, nil
	s.check.Store(true)
}

func (s *Session) leave() {
	if s.lesson != nil {
		s.lesson.Close()
		s.lesson = nil
	}
}

// maxAnswers bounds what a client can make pile up.
const maxAnswers = 16

func (s *Session) refuse(format string, values ...any) {
	if len(s.answers) == maxAnswers {
		return
	}
	o := begin(nil)
	o.text("type", "error")
	o.text("message", fmt.Sprintf(format, values...))
	s.answers = append(s.answers, o.end())
}

// Close ends the session.
func (s *Session) Close() {
	s.leave()
	s.stream.Close()
}

func lessonFrame(id string, steps []Step) []byte {
	o := begin(nil)
	o.text("type", "lesson")
	o.text("id", id)
	o.key("steps")
	o.buf = append(o.buf, '[')
	current := ""
	for i, step := range steps {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		inner := begin(o.buf)
		inner.text("id", step.ID)
		inner.flag("done", step.Done)
		inner.some("detail", step.Detail)
		o.buf = inner.end()
		if current == "" && !step.Done {
			current = step.ID
		}
	}
	o.buf = append(o.buf, ']')
	o.some("current", current)
	return o.end()
}
