package helm

import (
	"context"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"tidepool.dev/tidepool/test/clients/connect"
)

// TestHelm is a release's life: install, look, upgrade, fail to, roll back,
// test, uninstall.
func TestHelm(t *testing.T) {
	for version, open := range map[string]func(kubeconfig, namespace string) (helm, error){"v3": newV3, "v4": newV4} {
		t.Run(version, func(t *testing.T) {
			clients := connect.Clients(t, connect.Config(t))
			ns := connect.Namespace(t, clients)
			coupons(t, clients)
			h, err := open(connect.Kubeconfig(t), ns)
			if err != nil {
				t.Fatal(err)
			}
			life(t, h, clients, ns)
		})
	}
}

// coupons removes the chart's definition after the test, as Helm never does.
func coupons(t *testing.T, clients kubernetes.Interface) {
	t.Cleanup(func() {
		const definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/coupons.shop.example.com"
		if err := clients.Discovery().RESTClient().Delete().AbsPath(definition).Do(context.Background()).Error(); err != nil {
			t.Error(err)
		}
		connect.Eventually(t, "the definition is gone", func() bool {
			return apierrors.IsNotFound(clients.Discovery().RESTClient().Get().AbsPath(definition).Do(context.Background()).Error())
		})
	})
}

func life(t *testing.T, h helm, clients kubernetes.Interface, ns string) {
	ctx := t.Context()
	is := func(want []string, what func() ([]string, error)) {
		t.Helper()
		if got, err := what(); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	shows := func(image, greeting string, replicas int32) {
		t.Helper()
		deployment, err := clients.AppsV1().Deployments(ns).Get(ctx, release, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		config, err := clients.CoreV1().ConfigMaps(ns).Get(ctx, release, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := deployment.Spec.Template.Spec.Containers[0].Image; got != image || config.Data["GREETING"] != greeting || deployment.Status.ReadyReplicas != replicas {
			t.Errorf("%d ready of %s, saying %q; want %d of %s, %q", deployment.Status.ReadyReplicas, got, config.Data["GREETING"], replicas, image, greeting)
		}
	}

	notes, err := h.install(values{"replicas": 3})
	if err != nil {
		t.Fatal(err)
	}
	if want := "hello from shop in " + ns; strings.TrimSpace(notes) != want {
		t.Errorf("the notes are %q, want %q", notes, want)
	}
	shows("nginx:1.14.2", "hello", 3)
	is([]string{"1 deployed"}, h.list)
	if _, err := clients.PolicyV1().PodDisruptionBudgets(ns).Get(ctx, release, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if job, err := clients.BatchV1().Jobs(ns).Get(ctx, "shop-prepare", metav1.GetOptions{}); err != nil || job.Status.Succeeded != 1 {
		t.Errorf("the hook's job: %+v, %v", job.Status, err)
	}

	if err := h.upgrade(values{"image": "nginx:1.16.1", "greeting": "bye"}); err != nil {
		t.Fatal(err)
	}
	shows("nginx:1.16.1", "bye", 2)
	if err := h.upgrade(values{"replicas": -1}); err == nil || !strings.Contains(err.Error(), "spec.replicas: Invalid value: -1: must be greater than or equal to 0") {
		t.Errorf("a bad upgrade: %v", err)
	}
	is([]string{"1 superseded", "2 deployed", "3 failed"}, h.history)

	if err := h.rollback(1); err != nil {
		t.Fatal(err)
	}
	shows("nginx:1.14.2", "hello", 3)
	is([]string{"4 deployed"}, h.list)
	if err := h.test(); err != nil {
		t.Error(err)
	}

	if err := h.uninstall(); err != nil {
		t.Fatal(err)
	}
	is(nil, h.list)
	if left, err := clients.AppsV1().Deployments(ns).List(ctx, metav1.ListOptions{}); err != nil || len(left.Items) > 0 {
		t.Errorf("%d deployments are left, %v", len(left.Items), err)
	}
	if left, err := clients.CoreV1().Secrets(ns).List(ctx, metav1.ListOptions{LabelSelector: "owner=helm"}); err != nil || len(left.Items) > 0 {
		t.Errorf("%d records are left, %v", len(left.Items), err)
	}
}
