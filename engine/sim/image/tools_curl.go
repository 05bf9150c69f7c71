package image

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// curlOptions are those of curl that people use at a cluster.
type curlOptions struct {
	address, method, body, output, format, agent, host string
	silent, showErrors, fail, include, head, verbose   bool
	connectLimit, limit                                time.Duration
	headers                                            []string
}

// Exit codes of curl.
const (
	curlUsage     = 2
	curlBadURL    = 3
	curlNoHost    = 6
	curlNoConnect = 7
	curlHTTPError = 22
	curlWrite     = 23
	curlTimeout   = 28
	curlEmpty     = 52
)

// curlFlags are the long names of the flags.
var curlFlags = map[string]string{
	"--request": "-X", "--data": "-d", "--data-raw": "-d", "--output": "-o", "--write-out": "-w", "--user-agent": "-A", "--header": "-H",
	"--silent": "-s", "--show-error": "-S", "--fail": "-f", "--include": "-i", "--head": "-I", "--verbose": "-v",
	"--max-time": "-m", "--connect-timeout": "-Y", "--location": "-L", "--insecure": "-k", "--retry": "-R", "--http1.1": "-0",
}

func parseCurl(args []string) (curlOptions, error) {
	o := curlOptions{agent: "curl/8.5.0", connectLimit: connectLimit}
	for i := 0; i < len(args); i++ {
		arg, inline := args[i], ""
		if strings.HasPrefix(arg, "--") {
			short, known := curlFlags[arg]
			if !known {
				return o, fmt.Errorf("option %s: is unknown", arg)
			}
			arg = short
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			o.address = arg
			continue
		}
		for j := 1; j < len(arg); j++ {
			letter := arg[j]
			if strings.IndexByte("XdowAHmYRb", letter) >= 0 { // it has a value
				if inline = arg[j+1:]; inline == "" {
					if i++; i == len(args) {
						return o, fmt.Errorf("option %s: requires parameter", arg)
					}
					inline = args[i]
				}
				if err := o.set(letter, inline); err != nil {
					return o, err
				}
				break
			}
			if err := o.turnOn(letter); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

func (o *curlOptions) set(letter byte, value string) error {
	switch letter {
	case 'X':
		o.method = value
	case 'd':
		o.body = value
	case 'o':
		o.output = value
	case 'w':
		o.format = value
	case 'A':
		o.agent = value
	case 'H':
		if name, text, _ := strings.Cut(value, ":"); strings.EqualFold(name, "Host") {
			o.host = strings.TrimSpace(text)
		}
		o.headers = append(o.headers, value)
	case 'm', 'Y':
		d, ok := parseDuration(value)
		if !ok {
			return fmt.Errorf("option -%c: expected a proper numerical parameter", letter)
		}
		if letter == 'm' {
			o.limit = d
		} else {
			o.connectLimit = d
		}
	}
	return nil
}

func (o *curlOptions) turnOn(letter byte) error {
	switch letter {
	case 's':
		o.silent = true
	case 'S':
		o.showErrors = true
	case 'f':
		o.fail = true
	case 'i':
		o.include = true
	case 'I':
		o.head = true
	case 'v':
		o.verbose = true
	case 'L', 'k', '0', '4', 'N', 'g':
	default:
		return fmt.Errorf("option -%c: is unknown", letter)
	}
	return nil
}

func curl(c *Call) {
	o, err := parseCurl(c.Args[1:])
	switch {
	case err != nil:
		c.Complain(fmt.Sprintf("curl: %v\ncurl: try 'curl --help' for more information\n", err))
		c.Exit(curlUsage)
		return
	case o.address == "":
		c.Complain("curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n")
		c.Exit(curlUsage)
		return
	}
	u, t, err := parseTarget(o.address)
	switch {
	case err != nil || t.host == "":
		o.end(c, curlBadURL, "URL rejected: Malformed input to a URL function")
		return
	case u.Scheme != "http":
		o.end(c, 1, fmt.Sprintf("Protocol %q not supported: the simulated network speaks http only", u.Scheme))
		return
	}
	r := Request{Method: o.method, Path: u.RequestURI(), Host: u.Host, UserAgent: o.agent, Body: o.body}
	switch {
	case r.Method != "":
	case o.head:
		r.Method = http.MethodHead
	case o.body != "":
		r.Method = http.MethodPost
	default:
		r.Method = http.MethodGet
	}
	if o.host != "" {
		r.Host = o.host
	}
	limit := o.connectLimit
	if o.limit > 0 {
		limit = min(limit, o.limit)
	}
	began := c.Now()
	c.request(&t, r, limit, nil, func(response Response, err error) {
		took := c.Now().Sub(began).Milliseconds()
		switch {
		case errors.Is(err, errNoSuchHost):
			o.end(c, curlNoHost, "Could not resolve host: "+t.host)
		case errors.Is(err, errTimeout) && limit == o.limit:
			o.end(c, curlTimeout, fmt.Sprintf("Connection timed out after %d milliseconds", took))
		case errors.Is(err, errTimeout):
			o.end(c, curlTimeout, fmt.Sprintf("Failed to connect to %s port %d after %d ms: Couldn't connect to server", t.host, t.port, took))
		case err != nil:
			o.end(c, curlNoConnect, fmt.Sprintf("Failed to connect to %s port %d after %d ms: Couldn't connect to server", t.host, t.port, took))
		case response.Status == 0:
			o.end(c, curlEmpty, "Empty reply from server")
		default:
			o.show(c, u, t, r, response)
		}
	})
}

// end ends curl with an error.
func (o curlOptions) end(c *Call, code int, why string) {
	if !o.silent || o.showErrors {
		c.Complain(fmt.Sprintf("curl: (%d) %s\n", code, why))
	}
	if o.format != "" {
		c.Print(o.formatted(Response{}, ""))
	}
	c.Exit(code)
}

// show prints the answer.
func (o curlOptions) show(c *Call, u *url.URL, t target, r Request, response Response) {
	head := response.Head(c.Now(), "keep-alive")
	if o.verbose {
		c.Complain(fmt.Sprintf("*   Trying %s:%d...\n* Connected to %s (%s) port %d\n", t.address, t.port, t.host, t.address, t.port))
		c.Complain(fmt.Sprintf("> %s %s HTTP/1.1\n> Host: %s\n> User-Agent: %s\n> Accept: */*\n> \n", r.Method, r.Path, r.Host, r.UserAgent))
		for line := range strings.Lines(head) {
			c.Complain("< " + strings.ReplaceAll(line, "\r", ""))
		}
	}
	if o.fail && response.Status >= 400 {
		o.end(c, curlHTTPError, fmt.Sprintf("The requested URL returned error: %d", response.Status))
		return
	}
	text := response.Body
	if r.Method == http.MethodHead {
		text = ""
	}
	if o.include || o.head {
		text = head + text
	}
	if !o.silent && o.output != "" {
		c.Complain(progress(len(response.Body)))
	}
	switch o.output {
	case "", "-":
		c.Print(text)
	case "/dev/null":
	default:
		if err := c.Dir().Write(o.output, text, false); err != nil {
			o.end(c, curlWrite, "Failure writing output to destination")
			return
		}
	}
	if o.format != "" {
		c.Print(o.formatted(response, u.String()))
	}
	c.Exit(0)
}

// formatted is what -w prints.
func (o curlOptions) formatted(response Response, effective string) string {
	return strings.NewReplacer(
		"%{http_code}", fmt.Sprintf("%03d", response.Status), "%{response_code}", fmt.Sprintf("%03d", response.Status),
		"%{size_download}", strconv.Itoa(len(response.Body)), "%{content_type}", response.ContentType, "%{url_effective}", effective,
		`\n`, "\n", `\t`, "\t", "%%", "%",
	).Replace(o.format)
}

// progress is the meter that curl shows when it writes to a file.
func progress(size int) string {
	return "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n" +
		"                                 Dload  Upload   Total   Spent    Left  Speed\n" +
		fmt.Sprintf("100 %5d  100 %5d    0     0   300k      0 --:--:-- --:--:-- --:--:--  300k\n", size, size)
}
