package clusterroleaggregation_test

import (
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/clusterroleaggregation"
	"tidepool.dev/tidepool/engine/controller/controllertest"
)

const roles = "clusterroles.rbac.authorization.k8s.io"

func role(name string, labels map[string]string, resources ...string) *rbacv1.ClusterRole {
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	for _, resource := range resources {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{resource}})
	}
	return role
}

func TestRulesAreGathered(t *testing.T) {
	controllertest.Run(t, func(c *controllertest.Cluster) []controller.Controller {
		return []controller.Controller{clusterroleaggregation.New(c.Cache, c.ClientOf(clusterroleaggregation.Name))}
	}, func(c *controllertest.Cluster) {
		create := func(role *rbacv1.ClusterRole) {
			c.Helper()
			if _, err := c.Client.Create(c.Context(), roles, role); err != nil {
				c.Fatal(err)
			}
		}
		gathered := func(name, want string) func() bool {
			return func() bool {
				role, ok := cache.Get[*rbacv1.ClusterRole](c.Cache, roles, "", name)
				if !ok {
					return false
				}
				var resources []string
				for _, rule := range role.Rules {
					resources = append(resources, rule.Resources...)
				}
				return fmt.Sprint(resources) == want
			}
		}
		part := map[string]string{"part": "view"}
		aggregated := func(name, label string) *rbacv1.ClusterRole {
			all := role(name, map[string]string{"part": "edit"})
			all.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"part": label}}}}
			return all
		}
		create(aggregated("view", "view"))
		create(aggregated("edit", "edit"))
		create(role("b", part, "services", "pods"))
		create(role("a", part, "pods"))
		create(role("other", nil, "secrets"))
		c.Until("gathered", gathered("view", "[pods services]"))
		c.Until("gathered again", gathered("edit", "[pods services]"))
		create(role("c", part, "nodes"))
		c.Until("grown", gathered("edit", "[pods services nodes]"))
		if err := c.Client.Delete(c.Context(), roles, "", "b", metav1.DeleteOptions{}); err != nil {
			c.Fatal(err)
		}
		c.Until("shrunk", gathered("edit", "[pods nodes]"))
	})
}
