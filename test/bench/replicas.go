package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/chromedp/chromedp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/sim"
)

// size is a Deployment of replicas on nodes.
type size struct {
	replicas, nodes int
	runs            int
	// budgets in seconds; 0 is none.
	native, browser float64
}

var sizes = []size{
	{replicas: 1, nodes: 3, runs: 5},
	{replicas: 100, nodes: 10, runs: 5},
	{replicas: 1000, nodes: 100, runs: 5, native: 0.3, browser: 1},
	{replicas: 10000, nodes: 1000, runs: 3},
}

// peerLimit is how long a peer may take for one size.
const peerLimit = 2 * time.Minute

func deployment(replicas int) *appsv1.Deployment {
	labels := map[string]string{"app": "nginx"}
	count := int32(replicas)
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "nginx-deployment"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &count,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "nginx", Image: "nginx:1.14.2", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
				}}},
			},
		},
	}
}

// measureReplicas measures from the creation of a Deployment to all its replicas
// being Ready, natively and in Chromium, beside webernetes.
func measureReplicas(ctx context.Context, site, peer string) ([]record, error) {
	var records []record
	webernetesWorks := true
	for _, s := range sizes {
		native, err := medianOf(s.runs, func() (float64, error) { return nativeReplicas(ctx, s) })
		if err != nil {
			return nil, err
		}
		browser, err := medianOf(s.runs, func() (float64, error) { return browserReplicas(ctx, site, s) })
		if err != nil {
			return nil, err
		}
		where := fmt.Sprintf("%d nodes, simulated, virtual time as fast as possible, median of %d", s.nodes, s.runs)
		ours := []record{
			{Name: fmt.Sprintf("%d replicas Ready, native", s.replicas), Value: native, Unit: "s", Conditions: where + ", one goroutine"},
			{Name: fmt.Sprintf("%d replicas Ready, Chromium", s.replicas), Value: browser, Unit: "s", Conditions: where + ", in a Web Worker, request to frame in the page"},
		}
		for i, budget := range []float64{s.native, s.browser} {
			if budget > 0 {
				ours[i].Budget = under(budget)
			}
		}
		if webernetesWorks {
			milliseconds, err := inTab(ctx, func(tab context.Context) (float64, error) {
				limited, cancel := context.WithTimeout(tab, peerLimit)
				defer cancel()
				return measureWebernetes(limited, peer, s.nodes, s.replicas)
			})
			if err != nil {
				webernetesWorks = false
				ours[1].Conditions += fmt.Sprintf("; webernetes not Ready after %v (%v)", peerLimit, err)
			} else {
				ours[1] = ours[1].beside("webernetes 0.3.5, same Chromium, real time", milliseconds/1000)
			}
		}
		print(os.Stderr, ours)
		records = append(records, ours...)
	}
	return records, nil
}

func medianOf(runs int, measure func() (float64, error)) (float64, error) {
	var values []float64
	for range runs {
		value, err := measure()
		if err != nil {
			return 0, err
		}
		values = append(values, value)
	}
	return median(values), nil
}

func nativeReplicas(ctx context.Context, s size) (float64, error) {
	world, err := sim.New(ctx, sim.Config{Seed: 1, Start: time.Now(), Nodes: s.nodes})
	if err != nil {
		return 0, err
	}
	if err := world.Run(ctx, world.Now().Add(time.Minute), func() bool { return readyNodes(world) == s.nodes }); err != nil {
		return 0, err
	}
	start := time.Now()
	world.Do(func() {
		_, err = world.API.Client("bench").Create(ctx, "deployments.apps", deployment(s.replicas))
	})
	if err != nil {
		return 0, err
	}
	ready := func() bool {
		d, ok := cache.Get[*appsv1.Deployment](world.Cache, "deployments.apps", "default", "nginx-deployment")
		return ok && int(d.Status.ReadyReplicas) == s.replicas
	}
	if err := world.Run(ctx, world.Now().Add(time.Hour), ready); err != nil {
		return 0, err
	}
	if !ready() {
		return 0, fmt.Errorf("%d replicas were not Ready after a virtual hour", s.replicas)
	}
	return time.Since(start).Seconds(), nil
}

func readyNodes(world *sim.World) (count int) {
	for _, node := range cache.List[*corev1.Node](world.Cache, "nodes", "") {
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && len(node.Spec.Taints) == 0 {
				count++
			}
		}
	}
	return count
}

// applyInPage lets the page's cluster run flat out, creates a Deployment and
// resolves with the seconds until the page's model shows it Ready.
const applyInPage = `(async (deployment, replicas) => {
  const { model, cluster } = tidepoolPage;
  const start = performance.now();
  const ready = new Promise((resolve) => {
    const stop = model.subscribe(() => {
      const d = [...model.objects.values()].find((o) => o.kind === "Deployment" && o.name === "nginx-deployment");
      if (d?.ready === replicas) { stop(); resolve((performance.now() - start) / 1000); }
    });
  });
  cluster().setSpeed(Infinity);
  const response = await cluster().fetch("/apis/apps/v1/namespaces/default/deployments",
    { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(deployment) });
  if (!response.ok) throw new Error(await response.text());
  return ready;
})(%s, %d)`

func browserReplicas(ctx context.Context, site string, s size) (float64, error) {
	body, err := json.Marshal(deployment(s.replicas))
	if err != nil {
		return 0, err
	}
	return inTab(ctx, func(tab context.Context) (float64, error) {
		if err := chromedp.Do(tab, chromedp.Navigate(fmt.Sprintf("%s/sandbox?seed=1&nodes=%d", site, s.nodes))); err != nil {
			return 0, err
		}
		// kubectl and the editor have been loaded too, or their compilation would be measured.
		shown := fmt.Sprintf(`globalThis.tidepoolPage?.model.nodes.filter((n) => n.ready).length === %d && `+everythingLoaded, s.nodes)
		if _, err := chromedp.Run(tab, chromedp.Poll[bool](shown)); err != nil {
			return 0, err
		}
		return chromedp.Run(tab, chromedp.Evaluate[float64](fmt.Sprintf(applyInPage, body, s.replicas), chromedp.EvalAwaitPromise))
	})
}
