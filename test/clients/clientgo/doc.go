// Package clientgo has Kubernetes' own client library do what programs do with
// it, in its default configuration.
package clientgo
