package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"tidepool.dev/tidepool/engine/store"
)

// upstream are the objects of k8s.io/kubernetes v1.37.2,
// plugin/pkg/auth/authorizer/rbac/bootstrappolicy/testdata.
func upstream(t *testing.T) map[string]store.Object {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) != 6 {
		t.Fatalf("files %v, %v", files, err)
	}
	objects := map[string]store.Object{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list struct {
			Items []runtime.RawExtension `json:"items"`
		}
		if err := yaml.Unmarshal(data, &list); err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			var kind metav1.TypeMeta
			if err := yaml.Unmarshal(item.Raw, &kind); err != nil {
				t.Fatal(err)
			}
			obj := map[string]store.Object{
				"ClusterRole": &rbacv1.ClusterRole{}, "Role": &rbacv1.Role{},
				"ClusterRoleBinding": &rbacv1.ClusterRoleBinding{}, "RoleBinding": &rbacv1.RoleBinding{},
			}[kind.Kind]
			if err := yaml.UnmarshalStrict(item.Raw, obj); err != nil {
				t.Fatal(err)
			}
			obj.GetObjectKind().SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind(kind.Kind))
			objects[kind.Kind+" "+obj.GetNamespace()+"/"+obj.GetName()] = obj
		}
	}
	return objects
}

func TestObjectsAreUpstreams(t *testing.T) {
	want := upstream(t)
	for _, obj := range Objects() {
		kind := map[string]string{
			"clusterroles.rbac.authorization.k8s.io": "ClusterRole", "roles.rbac.authorization.k8s.io": "Role",
			"clusterrolebindings.rbac.authorization.k8s.io": "ClusterRoleBinding", "rolebindings.rbac.authorization.k8s.io": "RoleBinding",
		}[resourceOf(obj)]
		obj.GetObjectKind().SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind(kind))
		name := kind + " " + obj.GetNamespace() + "/" + obj.GetName()
		if diff := cmp.Diff(want[name], obj, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}
