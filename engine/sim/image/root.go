package image

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
)

// What the images' root file systems hold.

var rootDirs = []string{"/bin", "/dev", "/etc", "/home", "/proc", "/root", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/local", "/var", "/var/log", "/var/run", "/run", "/opt", "/mnt", "/srv"}

// lowerOf returns the layer of an image, which is made once: without the programs
// that Debian lacks, or with them.
func lowerOf(i *Image, debian bool) func() *layer {
	return sync.OnceValue(func() *layer {
		l := &layer{content: map[string]string{
			"/etc/passwd":        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
			"/etc/group":         "root:x:0:\nnogroup:x:65534:\n",
			"/proc/version":      "Linux version 6.12.0-tidepool\n",
			"/proc/uptime":       "60.00 240.00\n",
			"/etc/nsswitch.conf": "hosts: files dns\n",
		}, dirs: map[string]bool{}}
		for _, dir := range rootDirs {
			l.dirs[dir] = true
		}
		for name := range i.Programs {
			if debian && slices.Contains(busyboxOnly, name) {
				continue
			}
			l.content["/bin/"+name] = "" // what is in it, nobody can read here
		}
		for name, content := range i.Files {
			l.content[name] = content
		}
		return l
	})
}

// Root is the file system of a new container; own are the files that are made
// for it, /etc/hosts and the like, when something first looks.
func (i *Image) Root(tag string, own func() map[string]string) Files {
	if i.IsDebian(tag) {
		return Files{load: own, lower: i.slim()}
	}
	return Files{load: own, lower: i.lower()}
}

// release is /etc/os-release of a distribution.
func release(name, id, version string) map[string]string {
	return map[string]string{"/etc/os-release": "PRETTY_NAME=\"" + strings.TrimSpace(name+" "+version) + "\"\nNAME=\"" + name + "\"\n" +
		"VERSION_ID=\"" + cmp.Or(version, "1") + "\"\nID=" + id + "\n"}
}

// files joins sets of files.
func files(sets ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all
}
