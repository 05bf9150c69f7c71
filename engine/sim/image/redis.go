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
		Debian:     unlessAlpine,
		Programs: with(with(tools(), networkTools()), map[string]Program{
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
	config := ""
	for _, name := range c.Args[1:] {
		if !strings.HasPrefix(name, "-") {
			config, _ = c.Dir().Read(name)
			break
		}
	}
	data := newRedisData(config)
	err := c.Listen(6379, func(r Request) Response {
		if r.Method != redisMethod {
			return Response{} // it does not speak HTTP: to a web client it hangs up
		}
		return Response{Status: 200, Body: data.do(strings.Split(r.Body, redisSeparator))}
	})
	if err != nil {
		c.Complain("Warning: Could not create server TCP listening socket *:6379: bind: Address already in use\n")
		c.Exit(1)
		return
	}
	say("Ready to accept connections tcp")
}
