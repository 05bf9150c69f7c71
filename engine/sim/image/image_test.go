package image

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestNormalize(t *testing.T) {
	for name, want := range map[string]string{
		"nginx":                         "docker.io/library/nginx:latest",
		"nginx:1.14.2":                  "docker.io/library/nginx:1.14.2",
		"library/nginx":                 "docker.io/library/nginx:latest",
		"docker.io/nginx":               "docker.io/library/nginx:latest",
		"docker.io/library/nginx:1":     "docker.io/library/nginx:1",
		"tidepool/crasher":              "docker.io/tidepool/crasher:latest",
		"registry.k8s.io/pause:3.10":    "registry.k8s.io/pause:3.10",
		"localhost:5000/web":            "localhost:5000/web:latest",
		"localhost/web:2":               "localhost/web:2",
		"nginx@sha256:0123456789abcdef": "docker.io/library/nginx@sha256:0123456789abcdef",
	} {
		if got := Normalize(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestTags(t *testing.T) {
	for name, there := range map[string]bool{
		"nginx": true, "nginx:1.14.2": true, "nginx:1.16.1": true, "nginx:1.27": true, "nginx:1": true,
		"nginx:stable-alpine": true, "nginx:1.25.3-alpine": true, "nginx:mainline": true,
		"nginx:1.161": false, "nginx:1.14.x": false, "nginx:2": false, "nginx:1.014.2": false, "nginx:lates": false,
		"busybox": true, "busybox:1.36": true, "busybox:1.28.4": true, "busybox:9": false,
		"redis": true, "redis:7.2-alpine": true, "redis:99": false,
		"registry.k8s.io/busybox:1.27.2": true, "registry.k8s.io/nginx-slim:0.24": true, "registry.k8s.io/nginx-slim:1.27": false,
		"radial/busyboxplus:curl": true, "radial/busyboxplus": false, "alpine:3.20": true, "alpine:bookworm": false, "curlimages/curl:8.5.0": true,
		"tidepool/crasher": true, "tidepool/crasher:2": false, "tidepool/slow-starter": true,
		"registry.k8s.io/pause:3.10": true, "ngnix": false, "postgres": false,
	} {
		found, size, err := Find(Normalize(name))
		if (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (found == nil || size <= 0) {
			t.Errorf("%s has the size %d", name, size)
		}
	}
}

func TestMissingImagesSayWhatThereIs(t *testing.T) {
	_, _, err := Find("docker.io/library/nginx:1.161")
	want := `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.161": ` +
		`failed to resolve reference "docker.io/library/nginx:1.161": docker.io/library/nginx:1.161: not found`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	_, _, err = Find("docker.io/library/nope:latest")
	if err == nil || !strings.HasSuffix(err.Error(), "not found (the simulated registry has: alpine, busybox, curlimages/curl, nginx, perl, radial/busyboxplus, redis, registry.k8s.io/busybox, registry.k8s.io/e2e-test-images/busybox, registry.k8s.io/nginx-slim, registry.k8s.io/pause, tidepool/crasher, tidepool/slow-starter)") {
		t.Errorf("got %v", err)
	}
}

// box is a container without a runtime: its time passes at once.
type box struct {
	image     *Image
	tag       string
	now       time.Time
	later     []func()
	files     Files
	serve     map[int]func(Request) Response
	terminate func()
	processes []Process
	ends      []func(int)
}

func (b *box) Now() time.Time     { return b.now }
func (b *box) Random() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
func (b *box) Hostname() string   { return "web-0" }
func (b *box) IP() string         { return "10.244.1.2" }
func (b *box) Tag() string        { return b.tag }
func (b *box) Files() *Files      { return &b.files }
func (b *box) WorkingDir() string { return "/" }
func (b *box) Fork(args []string, end func(int)) func() {
	b.processes = append(b.processes, Process{len(b.processes) + 2, strings.Join(args, " ")})
	b.ends = append(b.ends, end)
	at := len(b.ends) - 1
	return func() { b.ends[at] = nil }
}

func (b *box) Processes() []Process {
	list := []Process{{1, "main"}}
	for i, end := range b.ends {
		if end != nil {
			list = append(list, b.processes[i])
		}
	}
	return list
}

func (b *box) Signal(pid, signal int) bool {
	if pid < 2 || pid-2 >= len(b.ends) || b.ends[pid-2] == nil {
		return false
	}
	b.ends[pid-2](128 + signal)
	return true
}

func (b *box) OnTerminate(f func()) {
	b.terminate = f
}
func (b *box) After(d time.Duration, f func()) {
	b.later = append(b.later, func() { b.now = b.now.Add(d); f() })
}
func (b *box) Listen(port int, serve func(Request) Response) error {
	if b.serve[port] != nil {
		return errors.New("address already in use")
	}
	b.serve[port] = serve
	return nil
}
func (b *box) Program(name string) (Program, bool) {
	return b.image.Program(b.tag, name)
}
func (b *box) IsDebian() bool { return b.image.IsDebian(b.tag) }

// Lookup knows the name "web", which is the box itself, and "lost".
func (b *box) Lookup(name string, done func(Answer)) {
	switch name {
	case "web":
		done(Answer{Server: "10.96.0.10", Name: name + ".default.svc.cluster.local", Addresses: []string{"10.244.1.2"}})
	case "lost":
		done(Answer{Addresses: []string{"10.244.9.9"}})
	default:
		done(Answer{Server: "10.96.0.10", Missing: []string{name + ".default.svc.cluster.local", name}})
	}
}

func (b *box) Send(address string, port int, request Request, done func(Response, error)) {
	serve := b.serve[port]
	switch {
	case address != "10.244.1.2" && address != "127.0.0.1":
	case serve == nil:
		done(Response{}, ErrRefused)
	default:
		done(serve(request), nil)
	}
}

// result of a run; code is -1 while it goes on.
type result struct {
	out  strings.Builder
	code int
}

func newBox(t *testing.T, name string) *box {
	t.Helper()
	whole := Normalize(name)
	found, _, err := Find(whole)
	if err != nil {
		t.Fatal(err)
	}
	_, tag := split(whole)
	return &box{image: found, tag: tag, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), files: found.Root(tag, nil), serve: map[int]func(Request) Response{}}
}

func (b *box) run(main bool, args ...string) *result {
	r := &result{code: -1}
	if len(args) == 0 {
		args = append(append(args, b.image.Entrypoint...), b.image.Command...)
	}
	write := func(text string) { r.out.WriteString(text) }
	Exec(&Call{System: b, Args: nil, Env: []string{"HOME=/root", "COLOR=blue"}, Print: write, Complain: write, Main: main,
		Exit: func(code int) { r.code = code }}, args)
	return r
}

// pass lets n rests of programs end.
func (b *box) pass(n int) {
	for ; n > 0 && len(b.later) > 0; n-- {
		next := b.later[0]
		b.later = b.later[1:]
		next()
	}
}

func TestTools(t *testing.T) {
	b := newBox(t, "busybox")
	for _, test := range []struct {
		script, out string
		code        int
	}{
		{"echo -n a; echo -e 'b\\tc'", "ab\tc\n", 0},
		{"printf '%s is %d%%\\n' a 1 b 2", "a is 1%\nb is 2%\n", 0},
		{"date; date +%Y-%m-%dT%H:%M:%S; date +%s", "Fri Jan  2 03:04:05 UTC 2026\n2026-01-02T03:04:05\n1767323045\n", 0},
		{"hostname; hostname -i; uname; pwd", "web-0\n10.244.1.2\nLinux\n/\n", 0},
		{"touch /tmp/a; cat /tmp/a && rm /tmp/a; cat /tmp/a", "cat: can't open '/tmp/a': No such file or directory\n", 1},
		{"rm /tmp/none; rm -f /tmp/none; echo $?", "rm: can't remove '/tmp/none': No such file or directory\n0\n", 0},
		{"mkdir /data; echo x > /data/f; echo y > /data/g; ls /data; rm /data; rm -r /data; ls /data", "f\ng\nrm: '/data' is a directory\nls: /data: No such file or directory\n", 1},
		{"echo x > /new/f; mkdir /new/a; mkdir -p /new/a/b; ls /new; mkdir /new", "sh: can't create /new/f: No such file or directory\nmkdir: can't create directory '/new/a': No such file or directory\na\nmkdir: can't create directory '/new': File exists\n", 1},
		{"cd /tmp; echo x > a; pwd; cp a b; mv b c; ls; cat ./c; ls -l c; cd none", "/tmp\na\nc\nx\n-rw-r--r--    1 root     root             2 Jan  2 03:04 c\nsh: cd: can't cd to none: No such file or directory\n", 2},
		{"mkdir -p /t/in; echo 1 > /t/in/f; tar cf /t.tar /t; rm -r /t; tar xf /t.tar -C /; cat /t/in/f; tar tf /t.tar; tar cf - /none | tar tf -", "1\nt/\nt/in/\nt/in/f\ntar: /none: No such file or directory\ntar: error exit delayed from previous errors\n", 0},
		{"which sh none; whoami; kill 77; kill -X 1", "/bin/sh\nroot\nkill: can't kill pid 77: No such process\nkill: bad signal name 'X'\n", 1},
		{"[ -f /none ] || echo no; test 3 -gt 2 && echo yes; [ a = b ]", "no\nyes\n", 1},
		{"[ ! -e /none ] && [ -z '' ] && [ -n x ] && [ 1 -ne 2 ] && echo all", "all\n", 0},
		{"seq 3; seq 2 3; seq 1 2 5 | wc -l", "1\n2\n3\n2\n3\n3\n", 0},
		{"seq 20 | head -n 2; seq 20 | tail -1; seq 3 | grep 2; seq 3 | grep -v 2 | head -1; echo x | grep -q y", "1\n2\n20\n2\n1\n", 1},
		{"echo $COLOR; printenv COLOR; env | grep COLOR; id", "blue\nblue\nCOLOR=blue\nuid=0(root) gid=0(root) groups=0(root)\n", 0},
		{"sleep x", "sleep: invalid number 'x'\n", 1},
		{"echo 'echo inside $1' > /run.sh; sh /run.sh word; sh /none", "inside word\nsh: can't open '/none': No such file or directory\n", 2},
		{"i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done", "1\n2\n3\n", 0},
		{"printf 'b\\na\\nb\\n' | sort; printf '10\\n9\\n' | sort -rn; printf 'a\\na\\nb\\n' | uniq -c", "a\nb\nb\n10\n9\n      2 a\n      1 b\n", 0},
		{"echo x | tee /tmp/t | tr a-z A-Z; cat /tmp/t; echo hello | tr -d l; echo a:b:c:d | cut -d: -f2-3", "X\nx\nheo\nb:c\n", 0},
		{"echo -n secret | base64; echo c2VjcmV0 | base64 -d; basename /a/b.txt .txt; dirname /a/b", "c2VjcmV0\nsecretb\n/a\n", 0},
		{"echo one one | sed s/one/two/; echo one one > /tmp/s; sed -i s/one/two/g /tmp/s; cat /tmp/s; sed 's/a*/b/' /tmp/s", "two one\ntwo two\nsed: the simulated sed replaces words, not regular expressions: 's/a*/b/'\n", 1},
		{"ls /etc/host*; ip addr | grep eth0 | wc -l; chmod +x /none", "ls: /etc/host*: No such file or directory\n2\nchmod: /none: No such file or directory\n", 1},
		{"echo to the log > /proc/1/fd/1", "to the log\n", 0},
	} {
		r := b.run(true, "sh", "-c", test.script)
		b.pass(100)
		if r.out.String() != test.out || r.code != test.code {
			t.Errorf("%s: got %q and exit code %d, want %q and %d", test.script, r.out.String(), r.code, test.out, test.code)
		}
	}
}

func TestSleep(t *testing.T) {
	b := newBox(t, "busybox")
	began := b.now
	r := b.run(true, "sleep", "1m", "30")
	if r.code != -1 || b.terminate != nil {
		t.Error("it does not sleep, or heeds signals")
	}
	b.pass(1)
	if slept := b.now.Sub(began); r.code != 0 || slept != 90*time.Second {
		t.Errorf("it ended with %d after %v", r.code, slept)
	}
}

func TestDefaultShellEndsAtOnce(t *testing.T) {
	if r := newBox(t, "busybox").run(true); r.code != 0 || r.out.Len() > 0 {
		t.Errorf("exit code %d, %q", r.code, r.out.String())
	}
}

func TestNginx(t *testing.T) {
	b := newBox(t, "nginx:1.14.2")
	r := b.run(true)
	if r.out.Len() > 0 {
		t.Errorf("1.14.2 says nothing when it starts, but: %q", r.out.String())
	}
	get := func(path string) Response {
		return b.serve[80](Request{Method: "GET", Path: path, Host: "10.244.1.2", UserAgent: "kube-probe/1.37", From: "10.244.1.1"})
	}
	if got := get("/"); got.Status != 200 || !strings.Contains(got.Body, "Welcome to nginx!") {
		t.Errorf("got %+v", got)
	}
	if got := get("/none"); got.Status != 404 {
		t.Errorf("got %+v", got)
	}
	if e := b.run(false, "sh", "-c", "echo hello > /usr/share/nginx/html/index.html"); e.code != 0 {
		t.Error(e.out.String())
	}
	if got := get("/"); got.Body != "hello\n" {
		t.Errorf("got %+v", got)
	}
	want := `10.244.1.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 6 "-" "kube-probe/1.37" "-"`
	if !strings.HasSuffix(r.out.String(), want+"\n") {
		t.Errorf("log: %s", r.out.String())
	}
	if other := b.run(false, "nginx"); other.code != 1 || !strings.Contains(other.out.String(), "Address already in use") {
		t.Errorf("a second one: %d %s", other.code, other.out.String())
	}
	b = newBox(t, "nginx:1.27")
	r = b.run(true)
	if !strings.Contains(r.out.String(), "ready for start up") {
		t.Errorf("1.27 says %q", r.out.String())
	}
	b.terminate()
	if r.code != 0 {
		t.Errorf("exit code %d", r.code)
	}
}

func TestRedis(t *testing.T) {
	b := newBox(t, "redis:7")
	r := b.run(true)
	if b.serve[6379] == nil || !strings.Contains(r.out.String(), "Ready to accept connections") {
		t.Errorf("it says %q", r.out.String())
	}
	if c := b.run(false, "redis-cli", "-p", "6379", "ping"); c.code != 0 || c.out.String() != "PONG\n" {
		t.Errorf("ping: %d %q", c.code, c.out.String())
	}
	for _, test := range []struct{ command, want string }{
		{"set a 1", "OK\n"}, {"get a", "1\n"}, {"incr a", "2\n"}, {"get b", "\n"}, {"del a b", "1\n"},
		{"rpush q x y z", "3\n"}, {"lrange q 0 -1", "x\ny\nz\n"}, {"lpop q", "x\n"}, {"rpop q", "z\n"}, {"llen q", "1\n"}, {"get q", "\n"},
		{"keys *", "q\n"}, {"config get maxmemory", "maxmemory\n0\n"},
		{"set a", "ERR wrong number of arguments for 'set' command\n"}, {"nope", "ERR unknown command 'nope', with args beginning with: \n"},
		{"-h none ping", "Could not connect to Redis at none:6379: Name or service not known\n"},
		{"-p 1 ping", "Could not connect to Redis at 127.0.0.1:1: Connection refused\n"},
	} {
		if c := b.run(false, append([]string{"redis-cli"}, strings.Fields(test.command)...)...); c.out.String() != test.want {
			t.Errorf("%s: %q", test.command, c.out.String())
		}
	}
	if c := b.run(false, "wget", "-q", "http://web:6379"); c.code == 0 {
		t.Error("it speaks HTTP")
	}
	c := b.run(false, "sh", "-c", "printf 'set name \"two words\"\\nget name\\nquit\\nget name\\n' | redis-cli")
	b.pass(10)
	if c.out.String() != "OK\ntwo words\n" {
		t.Errorf("what it reads: %q", c.out.String())
	}
	b.terminate()
	if r.code != 0 || !strings.HasSuffix(r.out.String(), "bye bye...\n") {
		t.Errorf("exit code %d, %q", r.code, r.out.String())
	}
}

func TestTeachingImages(t *testing.T) {
	b := newBox(t, "tidepool/crasher")
	began := b.now
	r := b.run(true)
	b.pass(1)
	if r.code != 1 || b.now.Sub(began) != 5*time.Second {
		t.Errorf("the crasher ended with %d after %v", r.code, b.now.Sub(began))
	}
	b = newBox(t, "tidepool/slow-starter")
	b.run(true)
	if got := b.serve[8080](Request{Path: "/ready"}); got.Status != 503 {
		t.Errorf("before: %+v", got)
	}
	if got := b.serve[8080](Request{Path: "/healthz"}); got.Status != 200 {
		t.Errorf("before: %+v", got)
	}
	b.pass(1)
	if got := b.serve[8080](Request{Path: "/ready"}); got.Status != 200 {
		t.Errorf("after: %+v", got)
	}
	b = newBox(t, "registry.k8s.io/pause:3.10")
	r = b.run(true)
	b.terminate()
	if r.code != 0 {
		t.Errorf("pause ended with %d", r.code)
	}
}

func TestProcesses(t *testing.T) {
	r := newBox(t, "busybox").run(true, "sh", "-c", "sleep 9 & ps; kill 2; kill -0 2 || echo gone")
	want := "PID   USER     TIME  COMMAND\n    1 root      0:00 main\n    2 root      0:00 sleep 9\n    3 root      0:00 ps\nkill: can't kill pid 2: No such process\ngone\n"
	if got := r.out.String(); got != want {
		t.Errorf("got %q, not %q", got, want)
	}
}

func TestFiles(t *testing.T) {
	loaded := 0
	config := NewFiles(func() map[string]string {
		loaded++
		return map[string]string{"color": "blue", "deep/size": "big"}
	})
	shared := NewFiles(nil)
	var f Files
	f.Mount("/etc/config", "", true, config)
	f.Mount("/etc/config/data", "", false, shared)
	f.Mount("/color", "color", true, config)
	if loaded != 0 {
		t.Error("the files were loaded too early")
	}
	for name, want := range map[string]string{"/etc/config/color": "blue", "etc/config/deep/../deep/size": "big", "/color": "blue"} {
		if got, err := f.Read(name); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if err := f.Write("/etc/config/color", "red", false); !errors.Is(err, errReadOnly) {
		t.Errorf("a read-only file was written: %v", err)
	}
	if err := f.Remove("/etc/config/color"); !errors.Is(err, errReadOnly) {
		t.Errorf("a read-only file was removed: %v", err)
	}
	if err := f.Write("/etc/config/data/x", "1", false); err != nil {
		t.Error(err)
	}
	if got, _ := shared.Read("/x"); got != "1" {
		t.Errorf("the shared file holds %q", got)
	}
	if err := f.Write("/etc/configuration", "own", true); err != nil {
		t.Error(err)
	}
	for dir, want := range map[string]string{"/": "color etc", "/etc": "config configuration", "/etc/config": "color data deep", "/none": ""} {
		if got := strings.Join(f.List(dir), " "); got != want {
			t.Errorf("%s holds %q, want %q", dir, got, want)
		}
	}
	for name, want := range map[string]bool{"/etc": true, "/etc/config": true, "/etc/config/deep": true, "/color": false, "/etc/config/color": false, "/none": false} {
		if got := f.IsDir(name); got != want {
			t.Errorf("%s is a directory: %v", name, got)
		}
	}
	if _, err := f.Read("/etc/config"); !errors.Is(err, errIsDir) || loaded != 1 {
		t.Errorf("got %v, loaded %d times", err, loaded)
	}
}

// TestClients asks a server by the clients that images bring.
func TestClients(t *testing.T) {
	b := newBox(t, "nginx:1.27-alpine")
	b.run(true)
	const date = "Fri, 02 Jan 2026 03:04:05 GMT"
	if len(welcome) != 615 { // as everybody has seen it
		t.Errorf("the welcome page has %d bytes", len(welcome))
	}
	if err := b.files.Write("/usr/share/nginx/html/hi", "hello\n", false); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command, out string
		code         int
	}{
		{"curl web/hi", "hello\n", 0},
		{"curl -s -o /dev/null -w %{http_code} http://web/none", "404", 0},
		{"curl -sf http://web/none", "", 22},
		{"curl -I web/hi", "HTTP/1.1 200 OK\r\nServer: nginx/1.27\r\nDate: " + date + "\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\n", 0},
		{"curl none", "curl: (6) Could not resolve host: none\n", 6},
		{"curl web:81", "curl: (7) Failed to connect to web port 81 after 0 ms: Couldn't connect to server\n", 7},
		{"curl -m 3 lost", "curl: (28) Connection timed out after 3000 milliseconds\n", 28},
		{"curl --connect-timeout 2 lost", "curl: (28) Failed to connect to lost port 80 after 2000 ms: Couldn't connect to server\n", 28},
		{"curl", "curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n", 2},
		{"curl --wat web", "curl: option --wat: is unknown\ncurl: try 'curl --help' for more information\n", 2},
		{"wget -qO- web/hi", "hello\n", 0},
		{"wget -q -O - http://web/hi", "hello\n", 0},
		{"wget -O /tmp/x web/hi", "Connecting to web (10.244.1.2:80)\nsaving to '/tmp/x'\nx                    100% |********************************|     6  0:00:00 ETA\n'/tmp/x' saved\n", 0},
		{"wget --spider --timeout=1 web", "Connecting to web (10.244.1.2:80)\nremote file exists\n", 0},
		{"wget --spider --timeout=1 lost", "Connecting to lost (10.244.9.9:80)\nwget: download timed out\n", 1},
		{"wget -qO- web/none", "wget: server returned error: HTTP/1.1 404 Not Found\n", 1},
		{"wget -q -O- none:80", "wget: bad address 'none:80'\n", 1},
		{"wget -qT1 web:81", "wget: can't connect to remote host (10.244.1.2): Connection refused\n", 1},
		{"nslookup web", "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tweb.default.svc.cluster.local\nAddress: 10.244.1.2\n\n", 0},
		{"nslookup none", "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n** server can't find none.default.svc.cluster.local: NXDOMAIN\n\n** server can't find none: NXDOMAIN\n\n", 1},
		{"nc -zv web 80", "web (10.244.1.2:80) open\n", 0},
		{"nc -z web 81", "nc: web (10.244.1.2:81): Connection refused\n", 1},
		{"nginx -v", "nginx version: nginx/1.27\n", 0},
		{"nginx -t", "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n", 0},
	} {
		b.later, b.now = nil, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		r := b.run(false, strings.Fields(test.command)...)
		b.pass(10)
		if r.out.String() != test.out || r.code != test.code {
			t.Errorf("%s: got %q and exit code %d, want %q and %d", test.command, r.out.String(), r.code, test.out, test.code)
		}
	}
}

// TestDebian: images that are built on it have fewer programs, and other words.
func TestDebian(t *testing.T) {
	b := newBox(t, "nginx:1.14.2")
	for _, test := range []struct {
		script, out string
		code        int
	}{
		{"curl web || ps || wget web", "sh: 1: curl: not found\nsh: 1: ps: not found\nsh: 1: wget: not found\n", 127},
		{"cat /none; ls /none", "cat: /none: No such file or directory\nls: cannot access '/none': No such file or directory\n", 2},
		{"rm /none; mkdir /etc; touch /a/b", "rm: cannot remove '/none': No such file or directory\nmkdir: cannot create directory '/etc': File exists\ntouch: cannot touch '/a/b': No such file or directory\n", 1},
		{"kill -0 99", "kill: can't kill pid 99: No such process\n", 1}, // the shell does it itself
	} {
		r := b.run(true, "sh", "-c", test.script)
		b.pass(100)
		if r.out.String() != test.out || r.code != test.code {
			t.Errorf("%s: got %q and exit code %d, want %q and %d", test.script, r.out.String(), r.code, test.out, test.code)
		}
	}
	if _, ok := newBox(t, "nginx:1.27").Program("curl"); !ok {
		t.Error("nginx:1.27 has no curl")
	}
}
