package server

import (
	"net"
	"reflect"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	good := Config{Listen: "127.0.0.1:8080", APIListen: "[::1]:6443", Nodes: 3}
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string // empty: valid
	}{
		{"the defaults", func(*Config) {}, ""},
		{"no nodes", func(c *Config) { c.Nodes = 0 }, ""},
		{"localhost", func(c *Config) { c.Listen = "localhost:0" }, ""},
		{"hosts", func(c *Config) { c.Hosts = []string{"classroom.example", "192.0.2.1", "2001:db8::1"} }, ""},
		{"remote, allowed", func(c *Config) { c.Listen, c.AllowRemote = "0.0.0.0:80", true }, ""},
		{"fewer than no nodes", func(c *Config) { c.Nodes = -1 }, "--nodes must be from 0 to 5000, not -1"},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, `--listen "127.0.0.1" is not an address such as`},
		{"every interface", func(c *Config) { c.Listen = ":8080" }, "--listen :8080 would let other machines in; add --allow-remote"},
		{"another interface", func(c *Config) { c.APIListen = "192.0.2.1:6443" }, "--api-listen 192.0.2.1:6443 would let other machines in"},
		{"a name, which may be anywhere", func(c *Config) { c.Listen = "example.org:80" }, "would let other machines in"},
		{"a URL as host", func(c *Config) { c.Hosts = []string{"https://x.example"} }, `--host "https://x.example" is neither`},
		{"an empty host", func(c *Config) { c.Hosts = []string{""} }, `--host "" is neither`},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := good
			test.change(&config)
			err := config.validate()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	config := Config{Listen: "192.0.2.1:80", APIListen: "0.0.0.0:6443", Hosts: []string{"classroom.example"}}
	if got, want := config.names(), []string{"classroom.example", "192.0.2.1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReachable(t *testing.T) {
	for _, test := range []struct {
		ip    string
		hosts []string
		want  string
	}{
		{"127.0.0.1", []string{"x.example"}, "127.0.0.1:80"},
		{"192.0.2.1", nil, "192.0.2.1:80"},
		{"0.0.0.0", nil, "127.0.0.1:80"},
		{"::", []string{"x.example", "y.example"}, "x.example:80"},
	} {
		if got := reachable(&net.TCPAddr{IP: net.ParseIP(test.ip), Port: 80}, test.hosts); got != test.want {
			t.Errorf("%s with %v: got %s, want %s", test.ip, test.hosts, got, test.want)
		}
	}
}
