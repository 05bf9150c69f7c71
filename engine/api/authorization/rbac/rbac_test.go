package rbac_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/authorization/rbac"
	"tidepool.dev/tidepool/engine/api/authorization/rbac/policy"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

type fixture struct {
	*testing.T
	client client.Client // of the engine
	policy *rbac.Policy
	ops    *rest.Operations
}

// newFixture has the default policy and a guard, as a control plane does.
func newFixture(t *testing.T) *fixture {
	memory := store.NewMemory(0)
	ops := rest.New(memory, clock.NewVirtual(time.Unix(0, 0)), rand.New(rand.NewPCG(1, 0)), kinds.All())
	p, err := rbac.New(t.Context(), memory)
	if err != nil {
		t.Fatal(err)
	}
	ops.SetGuard(rbac.Guard{Policy: p, Authorize: p.Authorize}.Check)
	f := &fixture{T: t, client: ops.Client(identity.APIServer), policy: p, ops: ops}
	if err := ops.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := policy.Ensure(t.Context(), f.client); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) create(resource string, obj store.Object) {
	f.Helper()
	if _, err := f.client.Create(f.Context(), resource, obj); err != nil {
		f.Fatal(err)
	}
}

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func ref(kind, name string) rbacv1.RoleRef { return rbacv1.RoleRef{Kind: kind, Name: name} }

func subject(kind, name string) rbacv1.Subject { return rbacv1.Subject{Kind: kind, Name: name} }

func (f *fixture) role(namespace, name string, rules ...rbacv1.PolicyRule) {
	f.create(rbac.Roles, &rbacv1.Role{ObjectMeta: named(namespace, name), Rules: rules})
}

func (f *fixture) bind(namespace, name string, role rbacv1.RoleRef, subjects ...rbacv1.Subject) {
	f.create(rbac.RoleBindings, &rbacv1.RoleBinding{ObjectMeta: named(namespace, name), RoleRef: role, Subjects: subjects})
}

func rule(verbs, group, resources string, names ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		Verbs: strings.Split(verbs, ","), APIGroups: []string{group}, Resources: strings.Split(resources, ","), ResourceNames: names,
	}
}

// wants reads "VERB RESOURCE[.GROUP][/SUBRESOURCE] [NAMESPACE[/NAME]]" or
// "VERB /PATH".
func wants(text string) authorization.Attributes {
	words := strings.Fields(text)
	a := authorization.Attributes{Verb: words[0]}
	if strings.HasPrefix(words[1], "/") {
		a.Path = words[1]
		return a
	}
	resource, sub, _ := strings.Cut(words[1], "/")
	gr := schema.ParseGroupResource(resource)
	a.GroupVersionResource, a.Subresource = gr.WithVersion("v1"), sub
	if len(words) > 2 {
		a.Namespace, a.Name, _ = strings.Cut(words[2], "/")
	}
	return a
}

func TestAuthorize(t *testing.T) {
	f := newFixture(t)
	f.role("default", "reader", rule("get,list", "", "pods,pods/log"), rule("get", "", "configmaps", "one"))
	f.bind("default", "readers", ref("Role", "reader"), subject("User", "jane"), subject("Group", "team"), subject("ServiceAccount", "bot"))
	f.bind("default", "views", ref("ClusterRole", "system:aggregate-to-view"), subject("User", "kim"))
	f.bind("default", "dangling", ref("Role", "none"), subject("User", "joe"))
	f.bind("kube-public", "dangling", ref("ClusterRole", "none"), subject("User", "joe"))
	f.create(rbac.ClusterRoleBindings, &rbacv1.ClusterRoleBinding{
		ObjectMeta: named("", "scalers"), RoleRef: ref("ClusterRole", "scaler"), Subjects: []rbacv1.Subject{subject("User", "sam")}})
	f.create(rbac.ClusterRoles, &rbacv1.ClusterRole{
		ObjectMeta: named("", "scaler"), Rules: []rbacv1.PolicyRule{rule("*", "*", "*/scale"), {Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics/*"}}}})
	user := func(name string, groups ...string) identity.User { return identity.User{Name: name, Groups: groups} }
	for _, test := range []struct {
		user   identity.User
		wants  string
		want   bool
		reason string
	}{
		{user("jane"), "list pods default", true, `RBAC: allowed by RoleBinding "readers/default" of Role "reader" to User "jane"`},
		{user("jane"), "list pods kube-system", false, ""},
		{user("jane"), "list pods", false, ""},
		{user("jane"), "delete pods default/web", false, ""},
		{user("jane"), "get pods/log default/web", true, `RBAC: allowed by RoleBinding "readers/default" of Role "reader" to User "jane"`},
		{user("jane"), "get pods/exec default/web", false, ""},
		{user("jane"), "get pods.apps default", false, ""},
		{user("jane"), "get configmaps default/one", true, `RBAC: allowed by RoleBinding "readers/default" of Role "reader" to User "jane"`},
		{user("jane"), "get configmaps default/two", false, ""},
		{user("jane"), "list configmaps default", false, ""},
		{user("ann", "team"), "get pods default/web", true, `RBAC: allowed by RoleBinding "readers/default" of Role "reader" to Group "team"`},
		{user("system:serviceaccount:default:bot"), "get pods default/web", true, `RBAC: allowed by RoleBinding "readers/default" of Role "reader" to ServiceAccount "bot/default"`},
		{user("system:serviceaccount:other:bot"), "get pods default/web", false, ""},
		{user("kim"), "watch deployments.apps default", true, `RBAC: allowed by RoleBinding "views/default" of ClusterRole "system:aggregate-to-view" to User "kim"`},
		{user("kim"), "watch secrets default", false, ""},
		{user("joe"), "list pods default", false, `RBAC: role.rbac.authorization.k8s.io "none" not found`},
		{user("joe"), "list pods kube-public", false, `RBAC: clusterrole.rbac.authorization.k8s.io "none" not found`},
		{user("joe"), "list nodes", false, ""},
		{user("sam"), "patch deployments.apps/scale default/web", true, `RBAC: allowed by ClusterRoleBinding "scalers" of ClusterRole "scaler" to User "sam"`},
		{user("sam"), "patch deployments.apps default/web", false, ""},
		{user("sam"), "get /metrics/cadvisor", true, `RBAC: allowed by ClusterRoleBinding "scalers" of ClusterRole "scaler" to User "sam"`},
		{user("sam"), "get /metrics", false, ""},
		{user("root", "system:masters"), "delete nodes", true, `RBAC: allowed by ClusterRoleBinding "cluster-admin" of ClusterRole "cluster-admin" to Group "system:masters"`},
		{identity.Nobody, "get /version", true, `RBAC: allowed by ClusterRoleBinding "system:public-info-viewer" of ClusterRole "system:public-info-viewer" to Group "system:unauthenticated"`},
		{identity.Nobody, "get /api", false, ""},
	} {
		allowed, reason := f.policy.Authorize(t.Context(), test.user, wants(test.wants))
		if allowed != test.want || reason != test.reason {
			t.Errorf("%s, %s: %v, %s; want %v, %s", test.user.Name, test.wants, allowed, reason, test.want, test.reason)
		}
	}
}

// TestChangesHoldAtOnce: who is given a role can use it, and can't once it is
// taken away.
func TestChangesHoldAtOnce(t *testing.T) {
	f := newFixture(t)
	may := func() bool {
		allowed, _ := f.policy.Authorize(t.Context(), identity.User{Name: "jane"}, wants("get pods default/web"))
		return allowed
	}
	f.bind("default", "b", ref("Role", "r"), subject("User", "jane"))
	if may() {
		t.Error("allowed by a role that does not exist")
	}
	f.role("default", "r", rule("get", "", "pods"))
	if !may() {
		t.Error("not allowed by the new role")
	}
	if err := f.client.Delete(t.Context(), rbac.RoleBindings, "default", "b", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if may() {
		t.Error("still allowed without a binding")
	}
}

func (f *fixture) createAs(user, resource string, obj store.Object) error {
	k, _ := f.ops.Kind(resource)
	ctx := identity.WithUser(context.Background(), identity.User{Name: user, Groups: []string{identity.AllAuthenticated}})
	_, err := f.ops.Create(ctx, k, obj, rest.WriteOptions{})
	return err
}

func TestNobodyGivesAwayMoreThanTheyHave(t *testing.T) {
	f := newFixture(t)
	f.role("default", "maker", rule("create,update", rbacv1.GroupName, "roles,rolebindings"), rule("get", "", "pods"))
	f.bind("default", "maker", ref("Role", "maker"), subject("User", "mia"))
	f.role("default", "free", rule("escalate", rbacv1.GroupName, "roles"), rule("bind", rbacv1.GroupName, "clusterroles", "edit"))
	f.bind("default", "free", ref("Role", "free"), subject("User", "flo"))
	f.role("default", "known", rule("get", "", "pods"))
	role := func(rules ...rbacv1.PolicyRule) store.Object {
		return &rbacv1.Role{ObjectMeta: named("default", "new"), Rules: rules}
	}
	binding := func(kind, name string) store.Object {
		return &rbacv1.RoleBinding{ObjectMeta: named("default", "new"), RoleRef: ref(kind, name), Subjects: []rbacv1.Subject{subject("User", "eve")}}
	}
	const attempt = `user %s (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:` + "\n"
	for _, test := range []struct {
		name, user, resource string
		obj                  store.Object
		want                 string
	}{
		{"what one has", "mia", rbac.Roles, role(rule("get", "", "pods")), ""},
		{"more", "mia", rbac.Roles, role(rule("delete,get", "", "secrets"), rule("get", "", "pods,nodes")),
			`roles.rbac.authorization.k8s.io "new" is forbidden: ` + strings.ReplaceAll(attempt, "%s", `"mia"`) +
				`{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}` + "\n" + `{APIGroups:[""], Resources:["secrets"], Verbs:["delete" "get"]}`},
		{"more, by who may", "flo", rbac.Roles, role(rule("delete", "", "secrets")), ""},
		{"a role of what one has", "mia", rbac.RoleBindings, binding("Role", "known"), ""},
		{"a role of more", "mia", rbac.RoleBindings, binding("Role", "free"),
			`rolebindings.rbac.authorization.k8s.io "new" is forbidden: ` + strings.ReplaceAll(attempt, "%s", `"mia"`) +
				`{APIGroups:["rbac.authorization.k8s.io"], Resources:["clusterroles"], ResourceNames:["edit"], Verbs:["bind"]}` + "\n" +
				`{APIGroups:["rbac.authorization.k8s.io"], Resources:["roles"], Verbs:["escalate"]}`},
		{"a role that is not there", "mia", rbac.RoleBindings, binding("Role", "none"), `role.rbac.authorization.k8s.io "none" not found`},
		{"a role that one may bind", "flo", rbac.RoleBindings, binding("ClusterRole", "edit"), ""},
		{"an aggregation", "mia", rbac.ClusterRoles, &rbacv1.ClusterRole{ObjectMeta: named("", "all"), AggregationRule: &rbacv1.AggregationRule{
			ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"a": "b"}}}}},
			`clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use the aggregationRule`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := f.createAs(test.user, test.resource, test.obj)
			if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if err == nil {
				if err := f.client.Delete(t.Context(), test.resource, test.obj.GetNamespace(), test.obj.GetName(), metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestEnsureRepairs(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	change := func(name string, change func(*rbacv1.ClusterRole)) {
		_, err := client.Modify(ctx, f.client, rbac.ClusterRoles, "", name, f.client.Update, func(r *rbacv1.ClusterRole) bool { change(r); return true })
		if err != nil {
			t.Fatal(err)
		}
	}
	extra := rule("get", "", "extras")
	change("system:basic-user", func(r *rbacv1.ClusterRole) { r.Rules = []rbacv1.PolicyRule{extra}; r.Labels = nil })
	change("system:discovery", func(r *rbacv1.ClusterRole) {
		r.Rules = nil
		r.Annotations[rbacv1.AutoUpdateAnnotationKey] = "false"
	})
	for resource, name := range map[string]string{rbac.ClusterRoles: "view", rbac.ClusterRoleBindings: "cluster-admin"} {
		if err := f.client.Delete(ctx, resource, "", name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	f.create(rbac.ClusterRoleBindings, &rbacv1.ClusterRoleBinding{
		ObjectMeta: named("", "cluster-admin"), RoleRef: ref("ClusterRole", "other"), Subjects: []rbacv1.Subject{subject("User", "eve")}})
	for range 2 {
		if err := policy.Ensure(ctx, f.client); err != nil {
			t.Fatal(err)
		}
	}
	role := func(name string) *rbacv1.ClusterRole {
		obj, err := f.client.Get(ctx, rbac.ClusterRoles, "", name)
		if err != nil {
			t.Fatal(err)
		}
		return obj.(*rbacv1.ClusterRole)
	}
	if r := role("system:basic-user"); len(r.Rules) != 4 || r.Rules[0].Resources[0] != "extras" || r.Labels["kubernetes.io/bootstrapping"] == "" {
		t.Errorf("%+v", r)
	}
	if r := role("system:discovery"); len(r.Rules) != 0 {
		t.Errorf("a protected role was changed: %+v", r)
	}
	if r := role("view"); r.AggregationRule == nil {
		t.Errorf("%+v", r)
	}
	binding, err := f.client.Get(ctx, rbac.ClusterRoleBindings, "", "cluster-admin")
	if err != nil || binding.(*rbacv1.ClusterRoleBinding).RoleRef.Name != "cluster-admin" {
		t.Errorf("%+v, %v", binding, err)
	}
	before, err := f.ops.Store().Revision(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := policy.Ensure(ctx, f.client); err != nil {
		t.Fatal(err)
	}
	if after, _ := f.ops.Store().Revision(ctx); after != before {
		t.Errorf("ensuring what is there wrote %d times", after-before)
	}
}
