// Package validation checks objects as Kubernetes does: the same rules, the
// same field paths and words, in the same order, so that a learner who meets
// an error here can look it up anywhere. Lists and templates that several kinds
// share are checked here once; each kind's own checks are in a file of its
// name.
//
// Checks run on every write, so what is nearly always valid costs little:
// paths and messages are made only for what is wrong. Metadata is checked by
// engine/api for every kind alike; nothing here looks at other objects.
package validation
