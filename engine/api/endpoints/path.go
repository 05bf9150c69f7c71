package endpoints

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// target is what a path below /api/v1 or /apis/GROUP/VERSION names.
type target struct {
	gv                           schema.GroupVersion
	namespace, plural            string
	name, subresource, remainder string
	// watch: the path is of the old form that means watching (/api/v1/watch/...).
	watch bool
}

// namespaceSubresources are the only words that can't be a resource behind
// /namespaces/NAME/.
var namespaceSubresources = map[string]bool{"status": true, "finalize": true}

// parsePath reads a path that is about resources; false for all others
// (k8s.io/apiserver/pkg/endpoints/request.RequestInfoFactory upstream).
func parsePath(path string) (target, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var t target
	switch {
	case parts[0] == "api" && len(parts) > 2:
		t.gv = schema.GroupVersion{Version: parts[1]}
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		t.gv = schema.GroupVersion{Group: parts[1], Version: parts[2]}
		parts = parts[3:]
	default:
		return t, false
	}
	if parts[0] == "watch" && len(parts) > 1 {
		t.watch = true
		parts = parts[1:]
	}
	if parts[0] == "namespaces" && len(parts) > 2 && !namespaceSubresources[parts[2]] {
		t.namespace = parts[1]
		parts = parts[2:]
	}
	t.plural = parts[0]
	if len(parts) > 1 {
		t.name = parts[1]
	}
	if len(parts) > 2 {
		t.subresource = parts[2]
	}
	if len(parts) > 3 {
		t.remainder = strings.Join(parts[3:], "/")
	}
	return t, true
}
