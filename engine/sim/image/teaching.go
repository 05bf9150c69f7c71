package image

import (
	"fmt"
	"time"
)

// The images that exist to show what can go wrong. Each says in its log what it
// does.

// oneTag is the size of an image that has no versions.
func oneTag(size int64) func(string) int64 {
	return func(tag string) int64 {
		switch tag {
		case "latest", "1", "1.0":
			return size
		}
		return 0
	}
}

// crasher works for a few seconds and then ends with exit code 1, again and
// again.
func crasher() *Image {
	return &Image{
		Name:    "docker.io/tidepool/crasher",
		Size:    oneTag(megabytes(3)),
		Command: []string{"crasher"},
		Programs: with(tools(), map[string]Program{"crasher": func(c *Call) {
			c.Print("crasher: started, all is well so far\n")
			c.OnTerminate(func() { c.Exit(143) })
			c.After(5*time.Second, func() {
				c.Complain("crasher: fatal: the connection to the database is lost\n")
				c.Exit(1)
			})
		}}),
		MilliCPU: 1,
		Memory:   megabytes(2),
	}
}

// slowStart is how long the slow starter takes to begin its service.
const slowStart = 15 * time.Second

// slowStarter runs at once but serves late, so that it must not get traffic
// before its readiness probe says so.
func slowStarter() *Image {
	return &Image{
		Name:    "docker.io/tidepool/slow-starter",
		Size:    oneTag(megabytes(12)),
		Command: []string{"slow-starter"},
		Programs: with(tools(), map[string]Program{"slow-starter": func(c *Call) {
			ready := false
			c.Print(fmt.Sprintf("slow-starter: warming up, this takes %v\n", slowStart))
			c.OnTerminate(func() { c.Exit(0) })
			serve := func(r Request) Response {
				switch {
				case r.Path == "/healthz":
					return Response{Status: 200, Body: "ok\n"}
				case !ready:
					return Response{Status: 503, Body: "warming up\n"}
				}
				return Response{Status: 200, Body: "hello from " + c.Hostname() + "\n"}
			}
			if err := c.Listen(8080, serve); err != nil {
				c.Complain("slow-starter: " + err.Error() + "\n")
				c.Exit(1)
				return
			}
			c.After(slowStart, func() {
				ready = true
				c.Print("slow-starter: ready to serve on port 8080\n")
			})
		}}),
		MilliCPU: 1,
		Memory:   megabytes(10),
	}
}

// pause does nothing until it is asked to end.
func pause() *Image {
	return &Image{
		Name: "registry.k8s.io/pause",
		Size: func(tag string) int64 {
			switch tag {
			case "latest", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10", "3.10.1":
				return 320_448
			}
			return 0
		},
		Entrypoint: []string{"/pause"},
		Programs: map[string]Program{"pause": func(c *Call) {
			c.OnTerminate(func() {
				c.Complain("Shutting down, got signal: Terminated\n")
				c.Exit(0)
			})
		}},
		MilliCPU: 1,
		Memory:   500_000,
	}
}
