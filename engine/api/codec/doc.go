// Package codec turns what clients send into objects and objects into what they
// read: JSON and YAML, strictly or leniently, with the errors that Kubernetes
// has for text that is none (k8s.io/apimachinery/pkg/runtime/serializer/json
// upstream). Nothing here knows HTTP or the store.
package codec
