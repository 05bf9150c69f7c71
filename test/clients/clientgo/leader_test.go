package clientgo

import (
	"context"
	"fmt"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"

	"tidepool.dev/tidepool/test/clients/connect"
)

// candidate runs for the leadership until stop is called; leads is told its name
// when it leads.
type candidate struct {
	name string
	wire *wire
	stop context.CancelFunc
	done chan struct{}
}

func stand(t *testing.T, ns, name string, recorder record.EventRecorder, leads chan<- string) candidate {
	t.Helper()
	c := candidate{name: name, wire: &wire{}, done: make(chan struct{})}
	config := rest.CopyConfig(connect.Config(t))
	config.Wrap(c.wire.over)
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, ns, "leader",
		connect.Clients(t, config).CoreV1(), connect.Clients(t, config).CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: name, EventRecorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	c.stop = stop
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   2 * time.Second,
		RenewDeadline:   time.Second,
		RetryPeriod:     100 * time.Millisecond,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { leads <- name },
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.done)
		elector.Run(ctx)
	}()
	return c
}

// TestLeaderElection: of two candidates one leads; it hands over when it leaves,
// and loses the lease when it vanishes.
func TestLeaderElection(t *testing.T) {
	clients := connect.Clients(t, connect.Config(t))
	ns := connect.Namespace(t, clients)
	broadcaster := record.NewBroadcaster()
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: clients.CoreV1().Events(ns)})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "election"})
	leads := make(chan string)

	first := stand(t, ns, "first", recorder, leads)
	defer first.stop()
	expect(t, leads, "first")
	second := stand(t, ns, "second", recorder, leads)
	defer second.stop()
	before := lease(t, clients, ns)
	if *before.Spec.HolderIdentity != "first" || *before.Spec.LeaseTransitions != 0 || *before.Spec.LeaseDurationSeconds != 2 {
		t.Errorf("the lease is %+v", before.Spec)
	}

	first.stop()
	<-first.done
	expect(t, leads, "second")
	after := lease(t, clients, ns)
	if *after.Spec.HolderIdentity != "second" || *after.Spec.LeaseTransitions <= *before.Spec.LeaseTransitions || !before.Spec.AcquireTime.Before(after.Spec.AcquireTime) {
		t.Errorf("handed over, the lease is %+v", after.Spec)
	}

	third := stand(t, ns, "third", recorder, leads)
	second.wire.cut(true)
	<-second.done // it notices that it can't renew
	expect(t, leads, "third")
	third.stop()
	<-third.done
	connect.Eventually(t, "each leader's event is there", func() bool {
		events, err := clients.CoreV1().Events(ns).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=LeaderElection,involvedObject.name=leader"})
		if err != nil {
			t.Fatal(err)
		}
		messages := map[string]bool{}
		for _, event := range events.Items {
			messages[event.Message] = true
		}
		for _, name := range []string{"first", "second", "third"} {
			if !messages[fmt.Sprintf("%s became leader", name)] {
				return false
			}
		}
		return true
	})
}

func expect(t *testing.T, leads <-chan string, name string) {
	t.Helper()
	select {
	case leader := <-leads:
		if leader != name {
			t.Fatalf("%s leads, not %s", leader, name)
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody leads")
	}
}

func lease(t *testing.T, clients kubernetes.Interface, ns string) *coordinationv1.Lease {
	t.Helper()
	found, err := clients.CoordinationV1().Leases(ns).Get(t.Context(), "leader", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
