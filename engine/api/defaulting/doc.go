// Package defaulting fills in the fields that a client left out of the types
// that several kinds share: pod specs, containers, volumes, probes. The values
// and their order are those of Kubernetes (pkg/apis/core/v1/defaults.go there).
//
// What one kind alone needs is in that kind's file in engine/api/kinds; nothing
// here looks at other objects or at the cluster.
package defaulting
