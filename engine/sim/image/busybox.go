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
		Programs: tools(),
		Files:    release("BusyBox", "busybox", ""),
		MilliCPU: 1,
		Memory:   megabytes(0.5),
	}
}
