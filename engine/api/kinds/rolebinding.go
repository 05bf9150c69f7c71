package kinds

import (
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func roleBinding() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: rbacv1.SchemeGroupVersion.WithKind("RoleBinding"),
		Plural:           "rolebindings",
		Singular:         "rolebinding",
		Namespaced:       true,
		New:              func() store.Object { return &rbacv1.RoleBinding{} },
		NewList:          func() runtime.Object { return &rbacv1.RoleBindingList{} },
		Default: on(func(b *rbacv1.RoleBinding) {
			defaultRoleRef(&b.RoleRef)
			defaultSubjects(b.Subjects)
		}),
		ValidateName:             rbacName,
		Validate:                 validate(validation.RoleBinding),
		ValidateUpdate:           validateUpdate(validation.RoleBindingUpdate),
		AllowCreateOnUpdate:      true,
		AllowUnconditionalUpdate: true,
		Columns: roleBindingColumns("roleBinding",
			"RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error."),
		Row: row(func(b *rbacv1.RoleBinding, now time.Time) []any {
			return roleBindingRow(&b.ObjectMeta, b.RoleRef, b.Subjects, now)
		}),
	}
}

func clusterRoleBinding() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: rbacv1.SchemeGroupVersion.WithKind("ClusterRoleBinding"),
		Plural:           "clusterrolebindings",
		Singular:         "clusterrolebinding",
		New:              func() store.Object { return &rbacv1.ClusterRoleBinding{} },
		NewList:          func() runtime.Object { return &rbacv1.ClusterRoleBindingList{} },
		Default: on(func(b *rbacv1.ClusterRoleBinding) {
			defaultRoleRef(&b.RoleRef)
			defaultSubjects(b.Subjects)
		}),
		ValidateName:             rbacName,
		Validate:                 validate(validation.ClusterRoleBinding),
		ValidateUpdate:           validateUpdate(validation.ClusterRoleBindingUpdate),
		AllowCreateOnUpdate:      true,
		AllowUnconditionalUpdate: true,
		Columns: roleBindingColumns("clusterRoleBinding",
			"RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error."),
		Row: row(func(b *rbacv1.ClusterRoleBinding, now time.Time) []any {
			return roleBindingRow(&b.ObjectMeta, b.RoleRef, b.Subjects, now)
		}),
	}
}

func defaultRoleRef(ref *rbacv1.RoleRef) {
	if ref.APIGroup == "" {
		ref.APIGroup = rbacv1.GroupName
	}
}

func defaultSubjects(subjects []rbacv1.Subject) {
	for i := range subjects {
		if s := &subjects[i]; s.APIGroup == "" && (s.Kind == rbacv1.UserKind || s.Kind == rbacv1.GroupKind) {
			s.APIGroup = rbacv1.GroupName
		}
	}
}

func roleBindingColumns(kind, roleRef string) []metav1.TableColumnDefinition {
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		textColumn("Role", roleRef),
		ageColumn(),
	}, wide(
		textColumn("Users", "Users in the "+kind),
		textColumn("Groups", "Groups in the "+kind),
		textColumn("ServiceAccounts", "ServiceAccounts in the "+kind),
	)...)
}

func roleBindingRow(meta *metav1.ObjectMeta, ref rbacv1.RoleRef, subjects []rbacv1.Subject, now time.Time) []any {
	var users, groups, accounts []string
	for _, s := range subjects {
		switch {
		case s.Kind == rbacv1.ServiceAccountKind:
			accounts = append(accounts, s.Namespace+"/"+s.Name)
		case s.Kind == rbacv1.UserKind:
			users = append(users, s.Name)
		case s.Kind == rbacv1.GroupKind:
			groups = append(groups, s.Name)
		}
	}
	return []any{
		meta.Name, ref.Kind + "/" + ref.Name, age(meta.CreationTimestamp, now),
		strings.Join(users, ", "), strings.Join(groups, ", "), strings.Join(accounts, ", "),
	}
}
