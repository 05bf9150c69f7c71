package lessons

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/view"
)

// Finder returns the lesson that has an ID. The error is for the learner.
type Finder func(id string) (*Lesson, error)

// Open returns how view sessions open lessons over a cluster.
func Open(find Finder, from *cache.Cache, observers *Observers) view.Lessons {
	return func(id string, done []string, wake func()) (view.Lesson, error) {
		lesson, err := find(id)
		if err != nil {
			return nil, err
		}
		return newSession(lesson, from, observers, done, wake), nil
	}
}

// session follows one learner through a lesson. What is done stays done, and a
// step is only looked at once those before it are done.
type session struct {
	lesson *Lesson
	cache  *cache.Cache
	remove func()
	wake   func()

	mu      sync.Mutex // requests are observed on any goroutine
	steps   []view.Step
	current int
	asked   map[string]bool // "verb resource" since the current step began
	began   map[types.UID]bool
}

func newSession(lesson *Lesson, from *cache.Cache, observers *Observers, done []string, wake func()) *session {
	s := &session{lesson: lesson, cache: from, wake: wake}
	for _, step := range lesson.Steps {
		s.steps = append(s.steps, view.Step{ID: step.ID})
	}
	for s.current < len(s.steps) && slices.Contains(done, s.steps[s.current].ID) {
		s.steps[s.current].Done = true
		s.current++
	}
	s.begin()
	s.remove = observers.Add(s.observe)
	return s
}

// begin remembers what there is when the current step begins.
func (s *session) begin() {
	s.asked = map[string]bool{}
	s.began = map[types.UID]bool{}
	if s.current == len(s.steps) {
		return
	}
	for i := range s.lesson.Steps[s.current].Checks {
		if check := &s.lesson.Steps[s.current].Checks[i]; check.Replaced != nil {
			for _, obj := range check.objects(s.cache) {
				s.began[obj.GetUID()] = true
			}
		}
	}
}

func (s *session) observe(request api.Observed) {
	if !strings.HasPrefix(request.UserAgent, "kubectl/") || request.Code >= 400 {
		return // the page itself asks too, and a request that failed shows nothing
	}
	s.mu.Lock()
	s.asked[request.Verb+" "+request.Resource] = true
	s.mu.Unlock()
	s.wake()
}

// Check implements view.Lesson.
func (s *session) Check() []view.Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.current < len(s.steps) {
		detail, done := s.checkStep(&s.lesson.Steps[s.current])
		s.steps[s.current].Detail, s.steps[s.current].Done = detail, done
		if !done {
			break
		}
		s.current++
		s.begin()
	}
	return s.steps
}

// checkStep returns what the first check that does not hold says.
func (s *session) checkStep(step *Step) (detail string, done bool) {
	for i := range step.Checks {
		check := &step.Checks[i]
		if holds, value := s.holds(check); !holds {
			return strings.ReplaceAll(check.Says, "{value}", value), false
		}
	}
	return "", true
}

func (s *session) holds(check *Check) (holds bool, value string) {
	switch {
	case check.Replaced != nil:
		return s.replaced(check)
	case len(check.Request) > 0:
		return slices.ContainsFunc(check.Request, func(verb string) bool { return s.asked[verb+" "+check.Resource] }), ""
	}
	holds, value = check.field(s.cache)
	if value == "" && check.Equals == nil {
		value = "0"
	}
	return holds, value
}

func (s *session) replaced(check *Check) (holds bool, value string) {
	ready, left := 0, 0
	for _, obj := range check.objects(s.cache) {
		if s.began[obj.GetUID()] {
			left++
		}
		if isReady(obj.(*corev1.Pod)) {
			ready++
		}
	}
	return left < len(s.began) && ready >= *check.Replaced, strconv.Itoa(ready)
}

// Close implements view.Lesson.
func (s *session) Close() { s.remove() }
