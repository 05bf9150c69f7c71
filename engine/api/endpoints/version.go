package endpoints

import "k8s.io/apimachinery/pkg/version"

// Version is what the server says of itself: the Kubernetes whose API this is.
var Version = version.Info{
	Major:        "1",
	Minor:        "37",
	GitVersion:   "v1.37.2",
	GitCommit:    "",
	GitTreeState: "clean",
	BuildDate:    "1970-01-01T00:00:00Z",
	GoVersion:    "go1.26",
	Compiler:     "gc",
	Platform:     "linux/amd64",
}
