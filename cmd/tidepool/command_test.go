package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// tidepool runs the program and returns what it prints and its error.
func tidepool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := command()
	root.Writer, root.ErrWriter = &out, io.Discard
	err := root.Run(context.Background(), append([]string{"tidepool"}, args...))
	return out.String(), err
}

func TestHelpTeaches(t *testing.T) {
	for _, test := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"tidepool serve", "serve", "kubeconfig", "version"}},
		{[]string{"--help"}, []string{"learn Kubernetes by watching it live"}},
		{[]string{"serve", "--help"}, []string{
			"kept in memory", "export KUBECONFIG=$(tidepool kubeconfig --path)",
			`--listen ADDRESS`, `"127.0.0.1:8080"`, `"127.0.0.1:6443"`, "--nodes N", "(default: 3)", "--data-dir DIR", "TIDEPOOL_DATA_DIR"}},
		{[]string{"kubeconfig", "--help"}, []string{"--path", "--data-dir"}},
		{[]string{"version"}, []string{"Tidepool ", "Kubernetes v1.37.2"}},
	} {
		out, err := tidepool(t, test.args...)
		if err != nil {
			t.Errorf("%v: %v", test.args, err)
		}
		for _, want := range test.want {
			if !strings.Contains(out, want) {
				t.Errorf("%v: %q is missing in\n%s", test.args, want, out)
			}
		}
	}
}

func TestMistakesAreExplained(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "absent")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"sevre"}, `there is no command "sevre", maybe "serve"`},
		{[]string{"serve", "--nodse", "1"}, "tidepool serve --help"},
		{[]string{"serve", "--nodes", "many"}, `invalid value "many" for flag -nodes`},
		{[]string{"serve", "all"}, `serve takes no arguments, but got ["all"]`},
		{[]string{"serve", "--log-level", "loud"}, `--log-level must be debug, info, warn or error, not "loud"`},
		{[]string{"serve", "--log-format", "xml"}, `--log-format must be text or json, not "xml"`},
		{[]string{"version", "now"}, "version takes no arguments"},
		{[]string{"kubeconfig", "--data-dir", missing}, `start "tidepool serve" first`},
	} {
		if _, err := tidepool(t, test.args...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %q", test.args, err, test.want)
		}
	}
}

func TestDefaultDataDir(t *testing.T) {
	t.Setenv("HOME", "/home/someone")
	for _, test := range []struct{ state, want string }{
		{"", "/home/someone/.local/state/tidepool"},
		{"/var/state", "/var/state/tidepool"},
		{"relative", "/home/someone/.local/state/tidepool"},
	} {
		t.Setenv("XDG_STATE_HOME", test.state)
		if got := defaultDataDir(); got != test.want {
			t.Errorf("with XDG_STATE_HOME=%q: got %s, want %s", test.state, got, test.want)
		}
	}
}
