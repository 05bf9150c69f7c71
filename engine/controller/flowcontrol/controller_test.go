package flowcontrol_test

import (
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/flowcontrol"
	"tidepool.dev/tidepool/engine/store"
)

const (
	schemas = "flowschemas.flowcontrol.apiserver.k8s.io"
	levels  = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return flowcontrol.New(c.Cache, c.ClientOf(flowcontrol.Name), c.Clock)
}

func dangling(c *controllertest.Cluster, name string) (reason, message string) {
	obj, err := c.Operations.Store().Get(c.Context(), store.Key{Resource: schemas, Name: name})
	if err != nil {
		return "", ""
	}
	for _, condition := range obj.(*flowcontrolv1.FlowSchema).Status.Conditions {
		if condition.Type == flowcontrolv1.FlowSchemaConditionDangling {
			return condition.Reason, condition.Message
		}
	}
	return "", ""
}

// TestBootstrap: every cluster has the same schemas and levels, which come back
// as they were.
func TestBootstrap(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		all := append(bootstrap.SuggestedFlowSchemas, bootstrap.MandatoryFlowSchemas...)
		c.Until("all found", func() bool {
			for _, s := range all {
				if reason, _ := dangling(c, s.Name); reason != "Found" {
					return false
				}
			}
			return true
		})
		current, err := c.Client.Get(c.Context(), schemas, "", "global-default")
		if err != nil {
			t.Fatal(err)
		}
		changed := current.(*flowcontrolv1.FlowSchema).DeepCopy()
		changed.Spec.MatchingPrecedence = 77
		if _, err := c.Client.Update(c.Context(), schemas, changed); err != nil {
			t.Fatal(err)
		}
		if err := c.Client.Delete(c.Context(), levels, "", "workload-low", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Until("as it was", func() bool {
			obj, err := c.Client.Get(c.Context(), schemas, "", "global-default")
			_, gone := c.Client.Get(c.Context(), levels, "", "workload-low")
			return err == nil && gone == nil && obj.(*flowcontrolv1.FlowSchema).Spec.MatchingPrecedence == 9900
		})
	})
}

// TestDangling: a schema tells whether its level exists.
func TestDangling(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, &flowcontrolv1.FlowSchema{
			ObjectMeta: metav1.ObjectMeta{Name: "mine"},
			Spec:       flowcontrolv1.FlowSchemaSpec{PriorityLevelConfiguration: flowcontrolv1.PriorityLevelConfigurationReference{Name: "mine"}},
		})
		c.Until("dangling", func() bool { reason, _ := dangling(c, "mine"); return reason == "NotFound" })
		if _, got := dangling(c, "mine"); got != `This FlowSchema references the PriorityLevelConfiguration object named "mine" but there is no such object` {
			t.Errorf("got %q", got)
		}
		controllertest.Create(c, &flowcontrolv1.PriorityLevelConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: "mine"},
			Spec: flowcontrolv1.PriorityLevelConfigurationSpec{
				Type:    flowcontrolv1.PriorityLevelEnablementLimited,
				Limited: &flowcontrolv1.LimitedPriorityLevelConfiguration{LimitResponse: flowcontrolv1.LimitResponse{Type: flowcontrolv1.LimitResponseTypeReject}},
			},
		})
		c.Until("found", func() bool { reason, _ := dangling(c, "mine"); return reason == "Found" })
	})
}
