package clientgo

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"

	"tidepool.dev/tidepool/test/clients/connect"
)

// TestDynamic: the dynamic and the metadata client, and a mapper from discovery
// that is kept on disk, know every kind that is served.
func TestDynamic(t *testing.T) {
	config := connect.Config(t)
	clients := connect.Clients(t, config)
	ns := connect.Namespace(t, clients)
	cached, err := disk.NewCachedDiscoveryClientForConfig(config, t.TempDir(), t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	gvr, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: "deploy"})
	if err != nil || gvr != appsv1.SchemeGroupVersion.WithResource("deployments") {
		t.Fatalf("deploy is %v, %v", gvr, err)
	}
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil || mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		t.Fatalf("%+v, %v", mapping, err)
	}
	if _, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deploymint"}); !meta.IsNoMatchError(err) {
		t.Errorf("an unknown kind: %v", err)
	}

	dynamics, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "dynamic"},
		"data":     map[string]any{"a": "1"},
	}}
	maps := dynamics.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(ns)
	if _, err := maps.Create(t.Context(), object, metav1.CreateOptions{FieldValidation: "Strict"}); err != nil {
		t.Fatal(err)
	}
	if _, err := maps.Apply(t.Context(), "dynamic", object, metav1.ApplyOptions{FieldManager: "dynamic"}); err != nil {
		t.Error(err)
	}
	metas, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	partial, err := metas.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(ns).Get(t.Context(), "dynamic", metav1.GetOptions{})
	if err != nil || len(partial.ManagedFields) != 2 {
		t.Errorf("%+v, %v", partial, err)
	}

	lists, err := cached.ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	for _, gvr := range listable(t, lists) {
		if _, err := dynamics.Resource(gvr).List(t.Context(), metav1.ListOptions{Limit: 2}); err != nil {
			t.Errorf("listing %v: %v", gvr, err)
		}
		if _, err := metas.Resource(gvr).List(t.Context(), metav1.ListOptions{Limit: 2}); err != nil {
			t.Errorf("listing the metadata of %v: %v", gvr, err)
		}
	}
}

func listable(t *testing.T, lists []*metav1.APIResourceList) (found []schema.GroupVersionResource) {
	t.Helper()
	all, err := discovery.GroupVersionResources(discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists))
	if err != nil {
		t.Fatal(err)
	}
	for gvr := range all {
		found = append(found, gvr)
	}
	return found
}

// TestEveryKindInProtobuf: typed clients, which prefer protobuf, decode what
// they get of every kind.
func TestEveryKindInProtobuf(t *testing.T) {
	clients := connect.Clients(t, connect.Config(t))
	ctx, all := t.Context(), metav1.ListOptions{}
	for name, list := range map[string]func() (runtime.Object, error){
		"nodes":                func() (runtime.Object, error) { return clients.CoreV1().Nodes().List(ctx, all) },
		"namespaces":           func() (runtime.Object, error) { return clients.CoreV1().Namespaces().List(ctx, all) },
		"services":             func() (runtime.Object, error) { return clients.CoreV1().Services("").List(ctx, all) },
		"serviceaccounts":      func() (runtime.Object, error) { return clients.CoreV1().ServiceAccounts("").List(ctx, all) },
		"leases":               func() (runtime.Object, error) { return clients.CoordinationV1().Leases("").List(ctx, all) },
		"clusterroles":         func() (runtime.Object, error) { return clients.RbacV1().ClusterRoles().List(ctx, all) },
		"clusterrolebindings":  func() (runtime.Object, error) { return clients.RbacV1().ClusterRoleBindings().List(ctx, all) },
		"priorityclasses":      func() (runtime.Object, error) { return clients.SchedulingV1().PriorityClasses().List(ctx, all) },
		"events of both names": func() (runtime.Object, error) { return clients.EventsV1().Events("").List(ctx, all) },
	} {
		found, err := list()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if meta.LenList(found) == 0 && !strings.HasPrefix(name, "events") {
			t.Errorf("there are no %s", name)
		}
	}
}
