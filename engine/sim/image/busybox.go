package image

import "strings"

// busybox runs the shell and the small tools. By default the shell has nothing
// to read and ends at once.
func busybox() *Image {
	return &Image{
		Name: "docker.io/library/busybox",
		Size: func(tag string) int64 {
			base, _, _ := strings.Cut(tag, "-")
			switch {
			case base == "latest", base == "stable", base == "unstable", base == "glibc", base == "musl", base == "uclibc", base == "1":
			case strings.HasPrefix(base, "1.") && len(base) >= 4 && len(base) <= 6:
			default:
				return 0
			}
			return 2_223_686
		},
		Command:  []string{"sh"},
		Env:      []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Programs: with(tools(), networkTools()),
		Files:    release("BusyBox", "busybox", ""),
		MilliCPU: 1,
		Memory:   megabytes(0.5),
	}
}

// networkTools are those that busybox has.
func networkTools() map[string]Program {
	return map[string]Program{"wget": wget, "nslookup": nslookup, "nc": nc}
}

// alpine is busybox with another name.
func alpine() *Image {
	i := busybox()
	i.Name = "docker.io/library/alpine"
	i.Size = func(tag string) int64 {
		if tag == "latest" || tag == "edge" || tag == "3" || strings.HasPrefix(tag, "3.") && len(tag) <= 7 {
			return 3_800_000
		}
		return 0
	}
	i.Command = []string{"/bin/sh"}
	i.Files = release("Alpine Linux", "alpine", "3.22")
	return i
}

// curlImage is what people run to try out a service.
func curlImage() *Image {
	i := alpine()
	i.Name = "docker.io/curlimages/curl"
	i.Size = func(tag string) int64 {
		if tag == "latest" || strings.HasPrefix(tag, "8.") || strings.HasPrefix(tag, "7.") {
			return 9_300_000
		}
		return 0
	}
	i.Entrypoint, i.Command = []string{"/entrypoint.sh"}, []string{"curl"}
	i.Programs = with(i.Programs, map[string]Program{"curl": curl, "entrypoint.sh": func(c *Call) {
		if args := c.Args[1:]; len(args) > 0 && strings.HasPrefix(args[0], "-") {
			Exec(c, append([]string{"curl"}, args...))
		} else {
			Exec(c, args)
		}
	}})
	return i
}
