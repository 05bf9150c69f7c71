package image

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// nginx answers on port 80 with its welcome page and logs each request.
func nginx() *Image {
	return &Image{
		Name:       "docker.io/library/nginx",
		Size:       nginxSize,
		Entrypoint: []string{"/docker-entrypoint.sh"},
		Command:    []string{"nginx", "-g", "daemon off;"},
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Programs:   with(with(tools(), networkTools()), map[string]Program{"docker-entrypoint.sh": entrypoint, "nginx": runNginx, "curl": curl}),
		Debian:     unlessAlpine,
		Lacks:      func(tag, name string) bool { return name == "curl" && !talkative(tag) }, // it came along with the script
		Files: files(release("Debian GNU/Linux", "debian", "12"), map[string]string{
			"/usr/share/nginx/html/index.html": welcome,
			"/etc/nginx/nginx.conf":            nginxConfig,
			"/etc/nginx/conf.d/default.conf":   nginxSite,
		}),
		Memory:    megabytes(3.5),
		StartTime: 20 * time.Millisecond,
		MilliCPU:  1,
	}
}

// A tag is a version that nginx has had, or a name that moves along with them.
func nginxSize(tag string) int64 {
	tag = strings.TrimSuffix(tag, "-perl")
	base, variant, _ := strings.Cut(tag, "-")
	switch base {
	case "latest", "stable", "mainline":
	case "alpine":
		return megabytes(21)
	default:
		if !isNginxVersion(base) {
			return 0
		}
	}
	switch variant {
	case "":
	case "alpine", "slim":
		return megabytes(21)
	case "bookworm", "bullseye", "trixie":
	default:
		return 0
	}
	if strings.HasPrefix(base, "1.14") || strings.HasPrefix(base, "1.16") {
		return 44_710_204
	}
	return 71_985_210
}

// isNginxVersion knows 1, 1.27 and 1.27.3.
func isNginxVersion(tag string) bool {
	if tag == "1" {
		return true
	}
	minor, patch, ok := nginxVersion(tag)
	return ok && minor >= 7 && minor <= 31 && patch <= 15
}

// nginxVersion takes a version 1.minor or 1.minor.patch apart.
func nginxVersion(tag string) (minor, patch int, ok bool) {
	rest, ok := strings.CutPrefix(tag, "1.")
	if !ok {
		return 0, 0, false
	}
	first, second, more := strings.Cut(rest, ".")
	minor, err := strconv.Atoi(first)
	if err != nil || strconv.Itoa(minor) != first {
		return 0, 0, false
	}
	if more {
		if patch, err = strconv.Atoi(second); err != nil || strconv.Itoa(patch) != second {
			return 0, 0, false
		}
	}
	return minor, patch, true
}

const welcome = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
`

// entrypoint is the script that images since 1.19 begin with; it says what it
// does, then the command takes its place.
func entrypoint(c *Call) {
	if len(c.Args) > 1 && c.Args[1] == "nginx" && talkative(c.Tag()) {
		c.Print(entrypointLog)
	}
	Exec(c, c.Args[1:])
}

const entrypointLog = `/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/
/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh
10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf
10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf
/docker-entrypoint.sh: Sourcing /docker-entrypoint.d/15-local-resolvers.envsh
/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh
/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh
/docker-entrypoint.sh: Configuration complete; ready for start up
`

// talkative: images before 1.19 say nothing when they start.
func talkative(tag string) bool {
	base, _, _ := strings.Cut(tag, "-")
	minor, _, ok := nginxVersion(base)
	return !ok || minor >= 19
}

// runNginx is the server, or a person's question to it.
func runNginx(c *Call) {
	switch args := strings.Join(c.Args[1:], " "); {
	case args == "-v" || args == "-V":
		c.Complain("nginx version: " + nginxServer(c.Tag()) + "\n")
		c.Exit(0)
	case args == "-t":
		c.Complain("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n")
		c.Exit(0)
	case args == "-s reload" || args == "-s reopen":
		c.Complain(c.Now().UTC().Format("2006/01/02 15:04:05") + " [notice] 31#31: signal process started\n")
		c.Exit(0)
	case args == "-s quit" || args == "-s stop":
		c.Signal(1, signals["QUIT"])
		c.Exit(0)
	default:
		serveNginx(c)
	}
}

// nginxServer is how the server calls itself.
func nginxServer(tag string) string {
	base, _, _ := strings.Cut(tag, "-")
	switch {
	case base == "stable":
		base = "1.28.0"
	case !isNginxVersion(base):
		base = "1.29.3"
	}
	return "nginx/" + base
}

func serveNginx(c *Call) {
	notice := func(text string) {
		c.Complain(c.Now().UTC().Format("2006/01/02 15:04:05") + " [notice] 1#1: " + text + "\n")
	}
	loud := talkative(c.Tag())
	if loud {
		notice(`using the "epoll" event method`)
		notice("start worker processes")
	}
	c.OnTerminate(func() {
		if loud {
			notice("signal 3 (SIGQUIT) received, shutting down")
			notice("exit")
		}
		c.Exit(0)
	})
	server := nginxServer(c.Tag())
	err := c.Listen(80, func(r Request) Response {
		response := Response{Status: 404, Server: server, ContentType: "text/html", Body: "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n" +
			"<center><h1>404 Not Found</h1></center>\r\n<hr><center>" + server + "</center>\r\n</body>\r\n</html>\r\n"}
		switch {
		case c.Files().Exists(nginxFile(r.Path)):
			response.Status = 200
			response.Body, _ = c.Files().Read(nginxFile(r.Path))
		default:
			c.Complain(fmt.Sprintf("%s [error] 29#29: *1 open() \"/usr/share/nginx/html%s\" failed (2: No such file or directory), client: %s, server: localhost, request: \"%s %s HTTP/1.1\", host: \"%s\"\n",
				c.Now().UTC().Format("2006/01/02 15:04:05"), r.Path, r.From, r.Method, r.Path, r.Host))
		}
		c.Print(fmt.Sprintf("%s - - [%s] \"%s %s HTTP/1.1\" %d %d \"-\" \"%s\" \"-\"\n",
			r.From, c.Now().UTC().Format("02/Jan/2006:15:04:05 -0700"), r.Method, r.Path, response.Status, len(response.Body), r.UserAgent))
		return response
	})
	if err != nil {
		c.Complain("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\n")
		c.Exit(1)
	}
}

// nginxFile is the file that a path asks for.
func nginxFile(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if strings.HasSuffix(path, "/") {
		path += "index.html"
	}
	return "/usr/share/nginx/html" + path
}

const nginxConfig = `user  nginx;
worker_processes  auto;

events {
    worker_connections  1024;
}

http {
    include       /etc/nginx/mime.types;
    include       /etc/nginx/conf.d/*.conf;
}
`

const nginxSite = `server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }
}
`
