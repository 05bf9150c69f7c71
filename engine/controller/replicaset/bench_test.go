package replicaset_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"tidepool.dev/tidepool/engine/controller/controllertest"
)

// BenchmarkTenThousand scales a ReplicaSet to 10,000 pods that are ready at
// once. Nodes and API are part of the figure.
func BenchmarkTenThousand(b *testing.B) {
	for b.Loop() {
		controllertest.Sequential(b, build, func(c *controllertest.Cluster) {
			prepare(c)
			controllertest.Create(c, web(10000))
			c.Until("ready", func() bool {
				rs, _ := controllertest.Get[*appsv1.ReplicaSet](c, "default", "web")
				return rs.Status.ReadyReplicas == 10000
			})
		})
	}
}
