package image

import "strings"

// Images by which Kubernetes' own documentation knows others of the catalogue.

// named is an image under another name.
func named(i *Image, name string, tags func(tag string) bool) *Image {
	size := i.Size("latest")
	i.Name = name
	i.Size = func(tag string) int64 {
		if tags(tag) {
			return size
		}
		return 0
	}
	return i
}

// documented are those of the tutorials and tasks.
func documented() []*Image {
	slim := named(nginx(), "registry.k8s.io/nginx-slim", func(tag string) bool { return strings.HasPrefix(tag, "0.") && len(tag) <= 4 })
	slim.Entrypoint = nil // it begins with the server itself
	plus := named(curlImage(), "docker.io/radial/busyboxplus", func(tag string) bool { return tag == "curl" })
	plus.Entrypoint, plus.Command = nil, []string{"/bin/sh"}
	version := func(tag string) bool { return tag == "latest" || strings.HasPrefix(tag, "1.") && len(tag) <= 8 }
	return []*Image{
		slim, plus,
		named(busybox(), "registry.k8s.io/busybox", version),
		named(busybox(), "registry.k8s.io/e2e-test-images/busybox", version),
	}
}
