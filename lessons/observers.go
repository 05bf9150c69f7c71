package lessons

import (
	"slices"
	"sync"

	"tidepool.dev/tidepool/engine/api"
)

// Observers are told of every request to the API: lessons notice by it what a
// learner has looked at. It is safe for concurrent use.
type Observers struct {
	mu   sync.Mutex
	list []*func(api.Observed)
}

// Observe tells all of a request; it is an api.Config's hook.
func (o *Observers) Observe(request api.Observed) {
	o.mu.Lock()
	list := slices.Clone(o.list)
	o.mu.Unlock()
	for _, f := range list {
		(*f)(request)
	}
}

// Add lets f be told too, until remove is called.
func (o *Observers) Add(f func(api.Observed)) (remove func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, &f)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.list = slices.DeleteFunc(o.list, func(other *func(api.Observed)) bool { return other == &f })
	}
}
