package operator

import (
	"context"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"tidepool.dev/tidepool/test/clients/connect"
)

// run installs the definition and runs the operator, which is elected first, for
// one namespace, until the test ends.
func run(t *testing.T, config *rest.Config, ns string) client.Client {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	known := runtime.NewScheme()
	if err := scheme.AddToScheme(known); err != nil {
		t.Fatal(err)
	}
	addToScheme(known)
	environment := &envtest.Environment{
		UseExistingCluster: new(true),
		Config:             config,
		CRDInstallOptions:  envtest.CRDInstallOptions{Paths: []string{"testdata"}, ErrorIfPathMissing: true, CleanUpAfterUse: true},
	}
	if _, err := environment.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        known,
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{ns: {}}},
		Metrics:                       server.Options{BindAddress: "0"},
		LeaderElection:                true,
		LeaderElectionID:              "websites.example.com",
		LeaderElectionNamespace:       ns,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	operator := &reconciler{Client: manager.GetClient(), recorder: manager.GetEventRecorder("websites")}
	if err := operator.setup(manager); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-manager.Elected()
	direct, err := client.New(config, client.Options{Scheme: known})
	if err != nil {
		t.Fatal(err)
	}
	return direct
}

// TestOperator is a Website's life.
func TestOperator(t *testing.T) {
	config := connect.Config(t)
	ns := connect.Namespace(t, connect.Clients(t, config))
	c := run(t, config, ns)
	ctx := t.Context()

	website := &Website{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: ns}, Spec: WebsiteSpec{Image: "nginx:1.14.2"}}
	if err := c.Create(ctx, website); err != nil {
		t.Fatal(err)
	}
	if website.Generation != 1 || website.Spec.Replicas == nil || *website.Spec.Replicas != 2 {
		t.Errorf("created: %+v", website)
	}
	key := client.ObjectKeyFromObject(website)
	deployment := &appsv1.Deployment{}
	isReady := func(replicas int32) {
		t.Helper()
		connect.Eventually(t, "the website is ready", func() bool {
			if err := c.Get(ctx, key, website); err != nil {
				t.Fatal(err)
			}
			return website.Status.ReadyReplicas == replicas && meta.IsStatusConditionTrue(website.Status.Conditions, ready) &&
				website.Status.ObservedGeneration == website.Generation
		})
	}
	isReady(2)
	if website.Generation != 1 || len(website.Finalizers) != 1 {
		t.Errorf("reconciled: %+v", website.ObjectMeta)
	}
	if err := c.Get(ctx, key, deployment); err != nil || !metav1.IsControlledBy(deployment, website) {
		t.Fatalf("%v, %v", deployment.OwnerReferences, err)
	}
	connect.Eventually(t, "the operator's event is there", func() bool {
		var events eventsv1.EventList
		if err := c.List(ctx, &events, client.InNamespace(ns), client.MatchingFields{"reason": "Created"}); err != nil {
			t.Fatal(err)
		}
		for _, event := range events.Items {
			if event.Regarding.Kind == "Website" && event.Note == "Created deployment shop" && event.ReportingController == "websites" {
				return true
			}
		}
		return false
	})

	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 3}}
	if err := c.SubResource("scale").Update(ctx, website, client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	isReady(3)

	first := deployment.UID
	if err := c.Delete(ctx, deployment, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		t.Fatal(err)
	}
	connect.Eventually(t, "the deployment is made anew", func() bool {
		again := &appsv1.Deployment{}
		return c.Get(ctx, key, again) == nil && again.UID != first
	})
	isReady(3)

	if err := c.Delete(ctx, website); err != nil {
		t.Fatal(err)
	}
	connect.Eventually(t, "the website, its domain and its pods are gone", func() bool {
		var pods corev1.PodList
		if err := c.List(ctx, &pods, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		domain := client.ObjectKey{Namespace: ns, Name: "domain-of-shop"}
		return apierrors.IsNotFound(c.Get(ctx, key, &Website{})) && apierrors.IsNotFound(c.Get(ctx, domain, &corev1.ConfigMap{})) &&
			apierrors.IsNotFound(c.Get(ctx, key, &appsv1.Deployment{})) && len(pods.Items) == 0
	})
	refused(t, c, ns)
}

// refused: the definition's schema is kept to, for objects and for their status.
func refused(t *testing.T, c client.Client, ns string) {
	t.Helper()
	bad := func(spec WebsiteSpec, want string) {
		t.Helper()
		err := c.Create(t.Context(), &Website{ObjectMeta: metav1.ObjectMeta{Name: "bad", Namespace: ns}, Spec: spec})
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	bad(WebsiteSpec{Image: "httpd"}, `spec.image: Invalid value: "httpd": spec.image in body should match '^nginx:'`)
	bad(WebsiteSpec{Image: "nginx:1", Replicas: new(int32(11))}, "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10")
}
