// Package determinism runs a simulated cluster through a scripted lesson and
// returns its log of events, to compare runs with each other: the same seed and
// inputs give the same bytes, natively and in WebAssembly.
package determinism

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/engine/store"
)

// Log returns every write of the run, a line each: what happened, why, and the
// object as JSON.
func Log(seed uint64) ([]byte, error) {
	ctx := context.Background()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	world, err := sim.New(ctx, sim.Config{Seed: seed, Start: start, Nodes: 5})
	if err != nil {
		return nil, err
	}
	log := &log{store: world.Store}
	revision, err := world.Store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	if log.watcher, err = world.Store.Watch("", "", revision, nil); err != nil {
		return nil, err
	}
	learner := world.API.Client("learner")
	for _, input := range []struct {
		at time.Duration
		do func() error
	}{
		{5 * time.Second, func() error { _, err := learner.Create(ctx, "deployments.apps", deployment(10)); return err }},
		{12 * time.Second, func() error { return deletePod(ctx, world, learner) }},
		{20 * time.Second, func() error {
			return change(ctx, learner, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(17)) })
		}},
		{40 * time.Second, func() error {
			return change(ctx, learner, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "nginx:1.16.1" })
		}},
		{60 * time.Second, func() error { world.Nodes.StopKubelet("node-2"); return nil }},
		{8 * time.Minute, func() error {
			return learner.Delete(ctx, "deployments.apps", "default", "web", metav1.DeleteOptions{})
		}},
		{9 * time.Minute, func() error { return nil }},
	} {
		if err := world.Run(ctx, start.Add(input.at), nil); err != nil {
			return nil, err
		}
		var failed error
		world.Do(func() { failed = input.do() })
		if failed != nil {
			return nil, fmt.Errorf("at %v: %w", input.at, failed)
		}
		if err := log.pull(); err != nil {
			return nil, err
		}
	}
	return log.text.Bytes(), nil
}

func deployment(replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "nginx", Image: "nginx:1.14.2"}}},
			},
		},
	}
}

func deletePod(ctx context.Context, world *sim.World, learner client.Client) error {
	pods := cache.List[*corev1.Pod](world.Cache, "pods", "default")
	if len(pods) == 0 {
		return fmt.Errorf("there are no pods")
	}
	return learner.Delete(ctx, "pods", "default", pods[0].Name, metav1.DeleteOptions{})
}

func change(ctx context.Context, learner client.Client, edit func(*appsv1.Deployment)) error {
	_, err := client.Modify(ctx, learner, "deployments.apps", "default", "web", learner.Update,
		func(d *appsv1.Deployment) bool { edit(d); return true })
	return err
}

type log struct {
	store   *store.Memory
	watcher store.Watcher
	text    bytes.Buffer
}

// pull appends what has been written since the last time.
func (l *log) pull() error {
	for {
		events, err := l.watcher.Next(nil, 1024)
		if err != nil || len(events) == 0 {
			return err
		}
		for i := range events {
			e := &events[i]
			object, err := json.Marshal(e.Object)
			if err != nil {
				return err
			}
			fmt.Fprintf(&l.text, "%d %s %s by %s for %s@%d %s\n",
				e.Revision, e.Type, e.Key, e.Cause.Actor, e.Cause.Trigger, e.Cause.TriggerRevision, object)
		}
	}
}
