// Package generate makes the OpenAPI documents of the served API from the
// source of its Go types: descriptions and markers are in comments, which no
// program has at run time. It follows the rules of Kubernetes' own generator
// (k8s.io/kube-openapi), so that the documents are those of a real API server
// for the served kinds.
//
// It runs when the documents are made or checked (the tests of
// engine/api/openapi) and is linked into nothing that is shipped.
package generate
