package sim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/sim"
)

// troubles are pods that do all that the kubelet and the images know.
func troubles() map[string]corev1.PodSpec {
	probe := func(path string, port int32) *corev1.Probe {
		return &corev1.Probe{PeriodSeconds: 2, ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(port)}}}
	}
	script := func(text string) corev1.Container {
		return corev1.Container{Name: "main", Image: "busybox:1.36", Command: []string{"sh", "-c", text}}
	}
	sick := script("touch /tmp/healthy; sleep 20; rm /tmp/healthy; sleep 600")
	sick.LivenessProbe = &corev1.Probe{PeriodSeconds: 5, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"cat", "/tmp/healthy"}}}}
	phases := corev1.PodSpec{InitContainers: []corev1.Container{script("sleep 2"), script("sleep 3")}, Containers: []corev1.Container{{Name: "web", Image: "nginx:1.27", ReadinessProbe: probe("/", 80)}, script("while true; do date; sleep 7; done")}}
	phases.InitContainers[0].Name, phases.InitContainers[1].Name = "one", "two"
	return map[string]corev1.PodSpec{
		"crash":   {Containers: []corev1.Container{{Name: "main", Image: "tidepool/crasher"}}},
		"slow":    {Containers: []corev1.Container{{Name: "main", Image: "tidepool/slow-starter", ReadinessProbe: probe("/ready", 8080)}}},
		"missing": {Containers: []corev1.Container{{Name: "main", Image: "nginx:1.161"}}},
		"sick":    {Containers: []corev1.Container{sick}},
		"phases":  phases,
		"once":    {RestartPolicy: corev1.RestartPolicyOnFailure, Containers: []corev1.Container{script("sleep 1; exit $((1 - 1))")}},
		"volume": {Containers: []corev1.Container{script("sleep infinity")}, Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "none"}}}}}},
	}
}

// history runs a world for a while and returns every write, as text.
func history(t *testing.T, seed uint64) string {
	world := seeded(t, seed, 3)
	watcher, err := world.Store.Watch("", "", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Stop()
	run(t, world, "nodes ready", nodesReady(world, 3))
	apply(t, world, nginx(5))
	run(t, world, "replicas ready", available(world, 5))
	specs := troubles()
	for _, name := range []string{"crash", "missing", "once", "phases", "sick", "slow", "volume"} {
		world.Do(func() {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: specs[name]}
			if _, err := world.API.Client("learner").Create(context.Background(), "pods", pod); err != nil {
				t.Fatal(err)
			}
		})
	}
	pass := func(d time.Duration) {
		if err := world.Run(context.Background(), world.Now().Add(d), nil); err != nil {
			t.Fatal(err)
		}
	}
	pass(time.Minute)
	world.Do(func() { world.Nodes.StopKubelet("node-2") })
	pass(7 * time.Minute)
	world.Do(func() { world.Nodes.StartKubelet("node-2") })
	pass(2 * time.Minute)
	events, err := watcher.Next(nil, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, event := range events {
		object, err := json.Marshal(event.Object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%d %v %v %+v %s\n", event.Revision, event.Type, event.Key, event.Cause, object)
	}
	return text.String()
}

// TestSameSeedSameHistory: a run is a pure function of its seed and its inputs,
// down to the last byte of the last write.
func TestSameSeedSameHistory(t *testing.T) {
	first, second, other := history(t, 1), history(t, 1), history(t, 2)
	if first != second {
		a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("write %d of the same run was\n%s\nand then\n%s", i, a[i], b[i])
			}
		}
		t.Fatalf("the same run made %d writes and then %d", len(a), len(b))
	}
	if first == other {
		t.Error("another seed changes nothing")
	}
	if writes := strings.Count(first, "\n"); writes < 300 {
		t.Errorf("only %d writes", writes)
	}
}

func seeded(t *testing.T, seed uint64, nodes int) *sim.World {
	t.Helper()
	world, err := sim.New(context.Background(), sim.Config{Seed: seed, Start: start, Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	return world
}
