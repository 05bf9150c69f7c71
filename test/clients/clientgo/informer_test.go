package clientgo

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"tidepool.dev/tidepool/test/clients/connect"
)

// informer runs one of a namespace's ConfigMaps whose connection is w.
func informer(t *testing.T, ns string) (cache.SharedIndexInformer, *wire) {
	t.Helper()
	w := &wire{}
	config := rest.CopyConfig(connect.Config(t))
	config.Wrap(w.over)
	factory := informers.NewSharedInformerFactoryWithOptions(connect.Clients(t, config), 0, informers.WithNamespace(ns),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = "informed" }))
	found := factory.Core().V1().ConfigMaps().Informer()
	factory.Start(t.Context().Done())
	t.Cleanup(factory.Shutdown)
	for kind, synced := range factory.WaitForCacheSync(t.Context().Done()) {
		if !synced {
			t.Fatalf("the informer of %v has not synced", kind)
		}
	}
	return found, w
}

func informed(t *testing.T, clients kubernetes.Interface, ns, name string) {
	t.Helper()
	object := configMap(name, nil)
	object.Labels = map[string]string{"informed": "yes"}
	if _, err := clients.CoreV1().ConfigMaps(ns).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// holds waits until the informer's cache has exactly the objects of these names.
func holds(t *testing.T, informer cache.SharedIndexInformer, ns string, names ...string) {
	t.Helper()
	connect.Eventually(t, fmt.Sprintf("the cache holds %v", names), func() bool {
		for _, name := range names {
			if _, exists, err := informer.GetStore().GetByKey(ns + "/" + name); !exists || err != nil {
				return false
			}
		}
		return len(informer.GetStore().ListKeys()) == len(names)
	})
}

// TestInformer: an informer's cache follows its objects through both ways to
// begin, resumes where its connection was cut without listing again, and misses
// nothing.
func TestInformer(t *testing.T) {
	for name, streaming := range map[string]bool{"by list and watch": false, "by a streamed list": true} {
		t.Run(name, func(t *testing.T) {
			featurestesting.SetFeatureDuringTest(t, features.WatchListClient, streaming)
			clients := connect.Clients(t, connect.Config(t))
			ns := connect.Namespace(t, clients)
			maps := clients.CoreV1().ConfigMaps(ns)
			informed(t, clients, ns, "early")
			if _, err := maps.Create(t.Context(), configMap("other", nil), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			informer, w := informer(t, ns)
			holds(t, informer, ns, "early")
			wantLists, wantStreams := 1, 0
			if streaming {
				wantLists, wantStreams = 0, 1
			}
			if lists, streams, _ := w.requests(); lists != wantLists || streams != wantStreams {
				t.Errorf("%d lists, %d streamed ones", lists, streams)
			}

			informed(t, clients, ns, "late")
			holds(t, informer, ns, "early", "late")
			unlabel := []byte(`{"metadata":{"labels":null}}`)
			if _, err := maps.Patch(t.Context(), "early", types.MergePatchType, unlabel, metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
			holds(t, informer, ns, "late")

			_, _, before := w.requests()
			w.cut(true)
			informed(t, clients, ns, "while-down")
			if err := maps.Delete(t.Context(), "late", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			w.cut(false)
			holds(t, informer, ns, "while-down")
			if lists, streams, watches := w.requests(); lists != wantLists || streams != wantStreams || watches == before {
				t.Errorf("after the cut: %d lists, %d streamed ones, %d watches (%d before)", lists, streams, watches, before)
			}
		})
	}
}

// TestInformerAfterGone: an informer that was away for longer than the server
// remembers is told so (410), lists again, and knows what it has missed.
func TestInformerAfterGone(t *testing.T) {
	connect.Long(t) // it has to outlast 50,000 writes
	clients := connect.Clients(t, connect.Config(t))
	ns := connect.Namespace(t, clients)
	maps := clients.CoreV1().ConfigMaps(ns)
	informed(t, clients, ns, "gone")
	informer, w := informer(t, ns)
	holds(t, informer, ns, "gone")
	w.cut(true)
	if err := maps.Delete(t.Context(), "gone", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	informed(t, clients, ns, "new")
	churn(t, clients, ns, 51_000)
	lists, streams, _ := w.requests()
	w.cut(false)
	holds(t, informer, ns, "new")
	afterLists, afterStreams, _ := w.requests()
	if afterLists+afterStreams == lists+streams {
		t.Error("the informer did not list again")
	}
}

// churn makes writes, many at once, to objects that nobody looks at.
func churn(t *testing.T, clients kubernetes.Interface, ns string, writes int) {
	t.Helper()
	const writers = 32
	failed := make(chan error, writers)
	maps := clients.CoreV1().ConfigMaps(ns)
	for writer := range writers {
		go func() {
			name := fmt.Sprint("churn-", writer)
			_, err := maps.Create(t.Context(), configMap(name, nil), metav1.CreateOptions{})
			for i := 0; err == nil && i < writes/writers; i++ {
				_, err = maps.Patch(t.Context(), name, types.MergePatchType, fmt.Appendf(nil, `{"data":{"n":"%d"}}`, i), metav1.PatchOptions{})
			}
			failed <- err
		}()
	}
	for range writers {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// TestListersSeeControllers: listers over several kinds see what the control
// loops make of a Deployment, owners and all.
func TestListersSeeControllers(t *testing.T) {
	clients := connect.Clients(t, connect.Config(t))
	ns := connect.Namespace(t, clients)
	factory := informers.NewSharedInformerFactoryWithOptions(clients, 0, informers.WithNamespace(ns))
	pods, sets, slices := factory.Core().V1().Pods().Lister(), factory.Apps().V1().ReplicaSets().Lister(), factory.Discovery().V1().EndpointSlices().Lister()
	factory.Start(t.Context().Done())
	t.Cleanup(factory.Shutdown)
	factory.WaitForCacheSync(t.Context().Done())
	if _, err := clients.AppsV1().Deployments(ns).Apply(t.Context(), web(ns, 3), metav1.ApplyOptions{FieldManager: "test"}); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec:       corev1.ServiceSpec{Selector: webLabels, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	if _, err := clients.CoreV1().Services(ns).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	connect.Eventually(t, "three pods are ready, in the slice too", func() bool {
		ready := 0
		found, _ := slices.List(labels.SelectorFromSet(labels.Set{"kubernetes.io/service-name": "web"}))
		for _, slice := range found {
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready != nil && *endpoint.Conditions.Ready {
					ready++
				}
			}
		}
		return ready == 3
	})
	found, err := pods.Pods(ns).List(labels.SelectorFromSet(webLabels))
	if err != nil || len(found) != 3 {
		t.Fatalf("%d pods, %v", len(found), err)
	}
	for _, pod := range found {
		owner := metav1.GetControllerOf(pod)
		if owner == nil || !strings.HasPrefix(pod.Name, owner.Name+"-") {
			t.Fatalf("%s is owned by %v", pod.Name, owner)
		}
		if set, err := sets.ReplicaSets(ns).Get(owner.Name); err != nil || set.UID != owner.UID {
			t.Errorf("the owner: %v, %v", set, err)
		}
	}
}
