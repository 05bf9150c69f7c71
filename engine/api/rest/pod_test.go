package rest_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/rest"
)

func TestPriority(t *testing.T) {
	tests := map[string]struct {
		class     string
		priority  *int32
		want      int32
		forbidden string
	}{
		"none":     {"", nil, 0, ""},
		"system":   {"system-node-critical", nil, 2000001000, ""},
		"the same": {"", new(int32(0)), 0, ""},
		"its own":  {"", new(int32(7)), 0, "the integer value of priority (7) must not be provided in pod spec"},
		"unknown":  {"fast", nil, 0, "no PriorityClass with name fast was found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			pods, _ := f.Kind("pods")
			pod := newPod("p")
			pod.Spec.PriorityClassName, pod.Spec.Priority = test.class, test.priority
			created, err := f.Create(f.ctx, pods, pod, rest.WriteOptions{})
			switch {
			case test.forbidden != "":
				if err == nil || !strings.Contains(err.Error(), test.forbidden) {
					t.Errorf("got %v", err)
				}
			case err != nil:
				t.Error(err)
			case *created.(*corev1.Pod).Spec.Priority != test.want:
				t.Errorf("got %d", *created.(*corev1.Pod).Spec.Priority)
			}
		})
	}
}

func TestEvictTellsTheReason(t *testing.T) {
	f := newFixture(t)
	pods, _ := f.Kind("pods")
	pod := newPod("p")
	pod.Spec.NodeName = "node-1"
	created := f.create("pods", pod)
	before := created.GetResourceVersion()
	evict := func(preconditions *metav1.Preconditions, dryRun ...string) error {
		return f.Evict(f.ctx, &policyv1.Eviction{
			ObjectMeta:    metav1.ObjectMeta{Namespace: "default", Name: "p"},
			DeleteOptions: &metav1.DeleteOptions{Preconditions: preconditions, DryRun: dryRun},
		})
	}
	if err := evict(nil, metav1.DryRunAll); err != nil {
		t.Fatal(err)
	}
	if err := evict(&metav1.Preconditions{ResourceVersion: new("1")}); err == nil {
		t.Error("evicted in another state than the one that was meant")
	}
	if now, _ := f.Get(f.ctx, pods, "default", "p"); now.GetResourceVersion() != before {
		t.Fatal("a dry run, or a failure, has written")
	}
	if err := evict(&metav1.Preconditions{ResourceVersion: &before}); err != nil {
		t.Fatal(err)
	}
	obj, err := f.Get(f.ctx, pods, "default", "p")
	if err != nil {
		t.Fatal(err)
	}
	evicted := obj.(*corev1.Pod)
	last := evicted.Status.Conditions[len(evicted.Status.Conditions)-1]
	if last.Type != corev1.DisruptionTarget || last.Reason != "EvictionByEvictionAPI" || evicted.DeletionTimestamp == nil {
		t.Errorf("%+v", evicted)
	}
}
