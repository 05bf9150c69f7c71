package image

import (
	"fmt"
	"strings"
	"time"
)

// redis listens on port 6379.
func redis() *Image {
	return &Image{
		Name: "docker.io/library/redis",
		Size: func(tag string) int64 {
			base, _, _ := strings.Cut(tag, "-")
			major, _, _ := strings.Cut(base, ".")
			switch major {
			case "latest", "4", "5", "6", "7", "8":
				return 53_400_000
			case "alpine":
				return 21_700_000
			}
			return 0
		},
		Entrypoint: []string{"docker-entrypoint.sh"},
		Command:    []string{"redis-server"},
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Programs: with(tools(), map[string]Program{
			"docker-entrypoint.sh": func(c *Call) { Exec(c, c.Args[1:]) },
			"redis-server":         serveRedis,
			"redis-cli":            redisClient,
		}),
		Files:     files(release("Debian GNU/Linux", "debian", "12"), map[string]string{"/data/.keep": ""}),
		MilliCPU:  3,
		Memory:    megabytes(8),
		StartTime: 40 * time.Millisecond,
	}
}

func serveRedis(c *Call) {
	say := func(format string, args ...any) {
		c.Print(fmt.Sprintf("1:M %s * ", c.Now().UTC().Format("02 Jan 2006 15:04:05.000")) + fmt.Sprintf(format, args...) + "\n")
	}
	say("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo")
	say("Running mode=standalone, port=6379.")
	say("Server initialized")
	c.OnTerminate(func() {
		say("User requested shutdown...")
		say("Redis is now ready to exit, bye bye...")
		c.Exit(0)
	})
	err := c.Listen(6379, func(Request) Response {
		// It does not speak HTTP: to a web client it hangs up.
		return Response{}
	})
	if err != nil {
		c.Complain("Warning: Could not create server TCP listening socket *:6379: bind: Address already in use\n")
		c.Exit(1)
		return
	}
	say("Ready to accept connections tcp")
}

// redisClient knows what probes ask.
func redisClient(c *Call) {
	words := c.Args[1:]
	for len(words) > 1 && strings.HasPrefix(words[0], "-") {
		words = words[2:]
	}
	if len(words) == 1 && strings.EqualFold(words[0], "ping") {
		c.Print("PONG\n")
		c.Exit(0)
		return
	}
	c.Complain("the simulated redis-cli knows ping only\n")
	c.Exit(1)
}
