package runtime_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/kubelet"
	"tidepool.dev/tidepool/engine/kubelet/kubelettest"
	"tidepool.dev/tidepool/engine/sim/runtime"
)

func newRuntime(_ testing.TB, clock clock.Clock) kubelet.Runtime {
	return runtime.New(runtime.Config{
		Clock:   clock,
		Random:  rand.New(rand.NewPCG(1, 1)),
		PodCIDR: netip.MustParsePrefix("10.244.1.0/24"),
		HostIP:  "172.18.0.2",
	})
}

func TestKubelet(t *testing.T) { kubelettest.Run(t, newRuntime) }
