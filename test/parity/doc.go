// Package parity compares what kubectl prints against tidepool serve with what
// it printed against a real control plane.
//
// testdata holds the fixtures: scenarios, which are commands of kubectl, each
// with its exit code and its output as they were recorded against Kubernetes
// v1.37.2 with three simulated nodes, normalised (see Normaliser). The test
// runs the commands again, with the same kubectl, and compares text for text.
// KNOWN.md lists the steps that are known to differ, with the reasons.
package parity
