package rest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/rest"
)

func names(list rest.List) string {
	var names []string
	for _, obj := range list.Items {
		names = append(names, obj.GetName())
	}
	return strings.Join(names, " ")
}

func (f *fixture) configMaps(names ...string) {
	for _, name := range names {
		f.create("configmaps", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}})
	}
}

// TestPagesAreOfOneState: what is written between two pages of a list is not in
// it; when that state is gone, the client can go on with the present one.
func TestPagesAreOfOneState(t *testing.T) {
	f := newFixture(t)
	maps, _ := f.Kind("configmaps")
	f.configMaps("a", "b", "d")
	first, err := f.List(f.ctx, maps, "default", rest.ListOptions{Limit: 1})
	if err != nil || names(first) != "a" || *first.Remaining != 2 {
		t.Fatal(names(first), err)
	}
	f.configMaps("c")
	second, err := f.List(f.ctx, maps, "default", rest.ListOptions{Continue: first.Continue})
	if err != nil || names(second) != "b d" || second.Revision != first.Revision {
		t.Error(names(second), err)
	}
	newest, _ := f.Store().Revision(f.ctx)
	if err := f.Store().Compact(f.ctx, newest); err != nil {
		t.Fatal(err)
	}
	_, err = f.List(f.ctx, maps, "default", rest.ListOptions{Continue: first.Continue})
	if !apierrors.IsResourceExpired(err) {
		t.Fatal(err)
	}
	var status apierrors.APIStatus
	errors.As(err, &status)
	rest, err := f.List(f.ctx, maps, "default", rest.ListOptions{Continue: status.Status().Continue})
	if err != nil || names(rest) != "b c d" {
		t.Error(names(rest), err)
	}
}

func TestListsThatCannotBe(t *testing.T) {
	f := newFixture(t)
	maps, _ := f.Kind("configmaps")
	f.configMaps("a", "b")
	newest, _ := f.Store().Revision(f.ctx)
	token := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, test := range []struct {
		opts rest.ListOptions
		want string
	}{
		{rest.ListOptions{Continue: "?"}, "invalid continue token: continue key is not valid: illegal base64 data"},
		{rest.ListOptions{Continue: token(`{`)}, "invalid continue token: continue key is not valid: unexpected end of JSON input"},
		{rest.ListOptions{Continue: token(`{"v":"x"}`)}, "server does not recognize this encoded version x"},
		{rest.ListOptions{Continue: token(`{"v":"meta.k8s.io/v1"}`)}, "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"},
		{rest.ListOptions{Continue: token(`{"v":"meta.k8s.io/v1","rv":1}`)}, "encoded start key empty (version meta.k8s.io/v1)"},
		{rest.ListOptions{Continue: token(`{"v":"meta.k8s.io/v1","rv":1,"start":"../x"}`)}, "continue key is not valid: ../x"},
		{rest.ListOptions{Continue: token(`{"v":"meta.k8s.io/v1","rv":5,"start":"a\u0000"}`), ResourceVersion: "5"},
			"specifying resource version is not allowed when using continue"},
		{rest.ListOptions{ResourceVersion: "x"}, `invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax`},
		{rest.ListOptions{ResourceVersion: "99999"}, fmt.Sprintf("Too large resource version: 99999, current: %d", newest)},
		{rest.ListOptions{ResourceVersion: "99999", Match: metav1.ResourceVersionMatchExact}, "Too large resource version: 99999"},
	} {
		if _, err := f.List(f.ctx, maps, "default", test.opts); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got %v, want %s", test.opts, err, test.want)
		}
	}
	for _, opts := range []rest.ListOptions{{Limit: 1, ResourceVersion: "0"}, {Limit: -1}} { // Kubernetes ignores these limits
		if list, err := f.List(f.ctx, maps, "default", opts); err != nil || names(list) != "a b" {
			t.Errorf("%+v: got %s, %v", opts, names(list), err)
		}
	}
}
