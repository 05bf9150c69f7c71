package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/sim"
)

// measureMemory measures what 10,000 running pods add to a simulated cluster.
func measureMemory(ctx context.Context) ([]record, error) {
	const pods, nodes = 10_000, 100
	world, err := sim.New(ctx, sim.Config{Seed: 1, Start: time.Now(), Nodes: nodes})
	if err != nil {
		return nil, err
	}
	if err := world.Run(ctx, world.Now().Add(time.Minute), func() bool { return readyNodes(world) == nodes }); err != nil {
		return nil, err
	}
	before := heap()
	world.Do(func() {
		_, err = world.API.Client("bench").Create(ctx, "deployments.apps", deployment(pods))
	})
	if err != nil {
		return nil, err
	}
	ready := func() bool {
		d, ok := cache.Get[*appsv1.Deployment](world.Cache, "deployments.apps", "default", "nginx-deployment")
		return ok && int(d.Status.ReadyReplicas) == pods
	}
	if err := world.Run(ctx, world.Now().Add(time.Hour), ready); err != nil {
		return nil, err
	}
	if !ready() {
		return nil, fmt.Errorf("%d pods were not Ready after a virtual hour", pods)
	}
	used := float64(heap()-before) / 1e6
	runtime.KeepAlive(world)
	records := []record{{
		Name: "memory per 10,000 pods, native", Value: used, Unit: "MB",
		Conditions: fmt.Sprintf("heap after collection, all Ready on %d nodes, with their events and history", nodes),
	}}
	print(os.Stderr, records)
	return records, nil
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
