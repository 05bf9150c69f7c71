//go:build js && wasm

package main

import (
	"slices"

	"tidepool.dev/tidepool/engine/api"
)

// observers are told of every request to the API: lessons notice by it what a
// learner has looked at.
type observers struct {
	list []*func(api.Observed)
}

func newObservers() *observers { return &observers{} }

func (o *observers) observe(request api.Observed) {
	for _, f := range o.list {
		(*f)(request)
	}
}

// add returns a function that removes the observer again.
func (o *observers) add(f func(api.Observed)) (remove func()) {
	o.list = append(o.list, &f)
	return func() {
		o.list = slices.DeleteFunc(o.list, func(other *func(api.Observed)) bool { return other == &f })
	}
}
