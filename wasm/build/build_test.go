package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func TestFilterSource(t *testing.T) {
	const source = `// Package x has a comment.
package x

import (
	apps "k8s.io/api/apps/v1"
	old "k8s.io/api/apps/v1beta1"
	builders "k8s.io/client-go/applyconfigurations/apps/v1"
	gentype "k8s.io/client-go/gentype"
	fmt "fmt"
)

type Interface interface {
	New() *apps.Deployment
	Old() *old.Deployment
	Apply(*builders.DeploymentApplyConfiguration)
}

type client struct {
	*gentype.ClientWithListAndApply[*apps.Deployment, *apps.DeploymentList, *builders.DeploymentApplyConfiguration]
	old *old.Deployment
}

func newClient() *client {
	c := &client{gentype.NewClientWithListAndApply[*apps.Deployment, *apps.DeploymentList, *builders.DeploymentApplyConfiguration]("x"), nil}
	c.old = &old.Deployment{}
	return c
}

func (c *client) Old() *old.Deployment { fmt.Println(); return c.old }

var all = []any{apps.AddToScheme, old.AddToScheme}
`
	const want = `package x

import (
	apps "k8s.io/api/apps/v1"

	gentype "k8s.io/client-go/gentype"
)

type Interface interface {
	New() *apps.Deployment
}

type client struct {
	*gentype.ClientWithList[*apps.Deployment, *apps.DeploymentList]
}

func newClient() *client {
	c := &client{gentype.NewClientWithList[*apps.Deployment, *apps.DeploymentList]("x"), nil}

	return c
}

var all = []any{apps.AddToScheme}
`
	got, err := filterSource("kubernetes/typed/apps/v1/x.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFilterSourceLeavesAlone(t *testing.T) {
	for name, source := range map[string]string{
		"without unwanted imports": "// A comment.\npackage x\n\nimport apps \"k8s.io/api/apps/v1\"\n\nvar _ apps.Deployment\n",
		"an unwanted client":       "package v1beta1\n\nimport old \"k8s.io/api/apps/v1beta1\"\n\nvar _ old.Deployment\n",
	} {
		file := "kubernetes/scheme/register.go"
		if strings.Contains(source, "v1beta1\n") {
			file = "kubernetes/typed/apps/v1beta1/x.go"
		}
		got, err := filterSource(file, []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != source {
			t.Errorf("%s: got:\n%s", name, got)
		}
	}
	if _, err := filterSource("x.go", []byte("no Go")); err == nil {
		t.Error("a file that is not Go was accepted")
	}
}

func TestWithoutRegistration(t *testing.T) {
	const source = `package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var SchemeGroupVersion = schema.GroupVersion{Group: "apps", Version: "v1"}

var (
	SchemeBuilder      = runtime.NewSchemeBuilder(addKnownTypes)
	localSchemeBuilder = &SchemeBuilder
)

func addKnownTypes(scheme *runtime.Scheme) error {
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
`
	const want = `package v1

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var SchemeGroupVersion = schema.GroupVersion{Group: "apps", Version: "v1"}
`
	got, err := withoutRegistration("register.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"generated.pb.go", "core/v1/generated.pb.go", true},
		{"generated.pb.go", "core/v1/types.go", false},
		{"pkg/scheme/install.go", "pkg/scheme/install.go", true},
		{"pkg/scheme/install.go", "other/pkg/scheme/install.go", false},
		{"kubernetes/typed/*/*/*.go", "kubernetes/typed/apps/v1/deployment.go", true},
		{"windows/*", "windows/x.go", true},
	} {
		if got := matches([]string{test.pattern}, test.name); got != test.want {
			t.Errorf("matches(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}

func TestCompress(t *testing.T) {
	dir := t.TempDir()
	cache, path := filepath.Join(dir, "cache"), filepath.Join(dir, "x.wasm")
	content := bytes.Repeat([]byte("Tidepool "), 1000)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	build := func(fast bool) size {
		t.Helper()
		s, err := compress(path, cache, fast)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}

	quick := build(true)
	if !quick.Fast || quick.Raw != len(content) || quick.Brotli == 0 || quick.Gzip == 0 {
		t.Errorf("a fast build: %+v", quick)
	}
	best := build(false)
	if best.Fast || best.Gzip > quick.Gzip || best.SHA256 != quick.SHA256 {
		t.Errorf("a build after the fast one %+v: %+v", quick, best)
	}
	if again := build(true); again != best {
		t.Errorf("a fast build does not use the cached best one: %+v, want %+v", again, best)
	}

	compressed, err := os.Open(path + ".br")
	if err != nil {
		t.Fatal(err)
	}
	defer compressed.Close()
	var decoded bytes.Buffer
	if _, err := decoded.ReadFrom(brotli.NewReader(compressed)); err != nil || !bytes.Equal(decoded.Bytes(), content) {
		t.Errorf("decompressing: %v, %d bytes", err, decoded.Len())
	}
}

func TestMethodLookup(t *testing.T) {
	source := string(methodLookup())
	if !strings.Contains(source, "case \"UseLine\":\n\t\treturn v.MethodByName(\"UseLine\")\n") {
		t.Errorf("no lookup of UseLine in:\n%s", source)
	}
}
