package resourcequota_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/resourcequota"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{resourcequota.New(c.Cache, c.ClientOf(resourcequota.Name), nil, c.Clock, kinds.All())}
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
}

func TestUseFollowsWhatIsThere(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		used := func(name corev1.ResourceName, want int64) func() bool {
			return func() bool {
				q, _ := controllertest.Get[*corev1.ResourceQuota](c, "default", "q")
				got, known := q.Status.Used[name]
				return known && got.Value() == want
			}
		}
		controllertest.Create(c, configMap("before"))
		controllertest.Create(c, &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "q"},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"configmaps": resource.MustParse("2"), "count/secrets": resource.MustParse("1")}},
		})
		c.Until("found what was there before", used("configmaps", 1))
		c.Until("counted what there is none of", used("count/secrets", 0))
		controllertest.Create(c, configMap("second"))
		if !used("configmaps", 2)() {
			t.Error("admission did not charge the quota")
		}
		_, err := c.Client.Create(c.Context(), "configmaps", configMap("third"))
		const want = `configmaps "third" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2`
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
		controllertest.Delete[*corev1.ConfigMap](c, "default", "before", metav1.DeleteOptions{})
		c.Until("gave back what is gone", used("configmaps", 1))
		controllertest.Change(c, "default", "q", func(q *corev1.ResourceQuota) { delete(q.Spec.Hard, "count/secrets") })
		c.Until("took over the new spec", func() bool {
			q, _ := controllertest.Get[*corev1.ResourceQuota](c, "default", "q")
			return len(q.Status.Hard) == 1 && len(q.Status.Used) == 1
		})
	})
}
