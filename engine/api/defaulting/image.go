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
// optional registry host followed by path components in lower case. Something
// that looks like an image's ID is not a name.
func validRepository(name string) bool {
	if len(name) == 64 && strings.Trim(name, "0123456789abcdef") == "" {
		return false
	}
	first, rest, found := strings.Cut(name, "/")
	switch {
	case !found:
		name = "library/" + name // of the default registry
	case strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first:
		if !validHost(first) {
			return false
		}
		name = rest
	}
	if len(name) > 255 {
		return false
	}
	for component := range strings.SplitSeq(name, "/") {
		if !validComponent(component) {
			return false
		}
	}
	return true
}

// validHost allows a domain name in any case, with or without a port.
func validHost(host string) bool {
	domain, port, _ := strings.Cut(host, ":")
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	for label := range strings.SplitSeq(strings.ToLower(domain), ".") {
		if strings.ContainsAny(label, "._") || !validComponent(label) {
			return false
		}
	}
	return true
}

// validComponent allows alphanumerics separated by a dot, one or two
// underscores or any number of dashes.
func validComponent(component string) bool {
	if component == "" || !lowerOrDigit(component[0]) || !lowerOrDigit(component[len(component)-1]) {
		return false
	}
	separator := 0 // where the present run of separators began
	for i := range len(component) {
		switch c := component[i]; {
		case lowerOrDigit(c):
			separator = i + 1
		case c == '-' && component[separator] == '-':
		case c == '.' && separator == i:
		case c == '_' && component[separator] == '_' && i-separator < 2:
		default:
			return false
		}
	}
	return true
}

func lowerOrDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}
