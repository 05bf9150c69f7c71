// Package connect finds the server that the tests of this module are run
// against; test/serve starts one and runs them.
package connect

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Kubeconfig is the path of the administrator's kubeconfig.
func Kubeconfig(t testing.TB) string {
	t.Helper()
	path := os.Getenv("TIDEPOOL_KUBECONFIG")
	if path == "" {
		t.Fatal("TIDEPOOL_KUBECONFIG is not set: start tidepool serve and set it to the kubeconfig's path, or run go test -run RealClients ./test/serve")
	}
	return path
}

// Config is the administrator's access as a program has it that asks for
// nothing in particular. Client-side rate limits would only slow tests down.
func Config(t testing.TB) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", Kubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	config.Timeout = 0
	return config
}

// Clients are the typed clients of a configuration.
func Clients(t testing.TB, config *rest.Config) kubernetes.Interface {
	t.Helper()
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

// Namespace makes a namespace of the test's own, which goes with the test.
func Namespace(t testing.TB, clients kubernetes.Interface) string {
	t.Helper()
	prefix := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	prefix = prefix[:min(len(prefix), 50)]
	ns, err := clients.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clients.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return ns.Name
}

// Long skips a test that is too slow for every run, unless TIDEPOOL_LONG is set,
// as make test-long does.
func Long(t testing.TB) {
	t.Helper()
	if os.Getenv("TIDEPOOL_LONG") == "" {
		t.Skip("takes long: runs with TIDEPOOL_LONG=1, as in make test-long")
	}
}

// Eventually polls until ready says yes; what says for what it waits.
func Eventually(t testing.TB, what string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not after a minute: " + what)
		}
	}
}
