package defaulting

import "strings"

// imageTag returns the tag of an image reference: "latest" if it has neither
// tag nor digest, and nothing if it has only a digest or is malformed.
func imageTag(image string) string {
	name, digest, digested := strings.Cut(image, "@")
	tag := ""
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name, tag = name[:colon], name[colon+1:]
		if !validTag(tag) {
			return ""
		}
	}
	if !validRepository(name) || digested && !strings.Contains(digest, ":") {
		return ""
	}
	if tag == "" && !digested {
		return "latest"
	}
	return tag
}

// validTag follows the reference grammar of OCI registries: up to 128 word
// characters, dots and dashes, not beginning with a dot or dash.
func validTag(tag string) bool {
	if tag == "" || len(tag) > 128 || tag[0] == '.' || tag[0] == '-' {
		return false
	}
	for i := range len(tag) {
		c := tag[i]
		if !lowerOrDigit(c) && !(c >= 'A' && c <= 'Z') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// validRepository reports whether the name without tag and digest is an
// optional registry host followed by path components in lower case.
func validRepository(name string) bool {
	if first, rest, found := strings.Cut(name, "/"); found && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		name = rest
	}
	for component := range strings.SplitSeq(name, "/") {
		if component == "" || !lowerOrDigit(component[0]) || !lowerOrDigit(component[len(component)-1]) {
			return false
		}
		for i := range len(component) {
			if c := component[i]; !lowerOrDigit(c) && c != '.' && c != '_' && c != '-' {
				return false
			}
		}
	}
	return true
}

func lowerOrDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}
