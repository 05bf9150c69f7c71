package kinds

import (
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func role() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         rbacv1.SchemeGroupVersion.WithKind("Role"),
		Plural:                   "roles",
		Singular:                 "role",
		Namespaced:               true,
		New:                      func() store.Object { return &rbacv1.Role{} },
		NewList:                  func() runtime.Object { return &rbacv1.RoleList{} },
		ValidateName:             rbacName,
		Validate:                 validate(validation.Role),
		ValidateUpdate:           validateUpdate(func(r, _ *rbacv1.Role) field.ErrorList { return validation.Role(r) }),
		AllowCreateOnUpdate:      true,
		AllowUnconditionalUpdate: true,
		Columns:                  roleColumns,
		Row:                      roleRow,
	}
}

func clusterRole() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         rbacv1.SchemeGroupVersion.WithKind("ClusterRole"),
		Plural:                   "clusterroles",
		Singular:                 "clusterrole",
		New:                      func() store.Object { return &rbacv1.ClusterRole{} },
		NewList:                  func() runtime.Object { return &rbacv1.ClusterRoleList{} },
		ValidateName:             rbacName,
		Validate:                 validate(validation.ClusterRole),
		ValidateUpdate:           validateUpdate(func(r, _ *rbacv1.ClusterRole) field.ErrorList { return validation.ClusterRole(r) }),
		AllowCreateOnUpdate:      true,
		AllowUnconditionalUpdate: true,
		Columns:                  roleColumns,
		Row:                      roleRow,
	}
}

// rbacName allows all that can stand in a path: "system:controller:x".
func rbacName(name string, _ bool) []string { return content.IsPathSegmentName(name) }

// roleColumns are those of kinds that have no printer of their own upstream.
var roleColumns = []metav1.TableColumnDefinition{
	nameColumn(),
	{Name: "Created At", Type: "date", Description: ageDescription},
}

func roleRow(obj store.Object, _ time.Time) []any {
	return []any{obj.GetName(), obj.GetCreationTimestamp().UTC().Format(time.RFC3339)}
}
