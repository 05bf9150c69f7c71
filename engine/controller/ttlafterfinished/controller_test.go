package ttlafterfinished_test

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/garbagecollector"
	"tidepool.dev/tidepool/engine/controller/job"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
	"tidepool.dev/tidepool/engine/controller/ttlafterfinished"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		garbagecollector.New(c.Cache, c.ClientOf(garbagecollector.Name), c.Recorder(garbagecollector.Name), c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		job.New(c.Cache, c.ClientOf(job.Name), c.Recorder(job.Name), c.Clock),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
		ttlafterfinished.New(c.Cache, c.ClientOf(ttlafterfinished.Name), c.Clock),
	}
}

func TestFinishedJobsGo(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(1)
		c.Until("has a default service account", func() bool {
			_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
			return ok
		})
		for name, ttl := range map[string]*int32{"kept": nil, "going": new(int32(100))} {
			controllertest.Create(c, &batchv1.Job{
				ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
				Spec: batchv1.JobSpec{
					TTLSecondsAfterFinished: ttl,
					Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
						RestartPolicy: corev1.RestartPolicyNever,
						Containers:    []corev1.Container{{Name: "c", Image: controllertest.Exits(0)}},
					}},
				},
			})
		}
		get := func(name string) (*batchv1.Job, bool) { return controllertest.Get[*batchv1.Job](c, "default", name) }
		c.Until("complete", func() bool {
			j, ok := get("going")
			return ok && j.Status.CompletionTime != nil
		})
		end := c.Clock.Now()
		c.Until("gone with its pod", func() bool {
			_, ok := get("going")
			return !ok && len(controllertest.List[*corev1.Pod](c, "default")) == 1
		})
		if waited := c.Clock.Now().Sub(end); waited < 95*time.Second {
			c.Errorf("gone after %s, want 100s", waited)
		}
		if _, ok := get("kept"); !ok {
			c.Error("a Job without a time to live has gone")
		}
	})
}
