package disruption_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/deployment"
	"tidepool.dev/tidepool/engine/controller/disruption"
	"tidepool.dev/tidepool/engine/controller/replicaset"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		disruption.New(c.Cache, c.ClientOf(disruption.Name), c.Recorder(disruption.Component), c.Clock, kinds.All()),
		deployment.New(c.Cache, c.ClientOf(deployment.Name), c.Recorder(deployment.Name), c.Clock),
		replicaset.New(c.Cache, c.ClientOf(replicaset.Name), c.Recorder(replicaset.Name), c.Clock),
	}
}

var web = map[string]string{"app": "web"}

func start(c *controllertest.Cluster, replicas int32) {
	c.Helper()
	c.AddNodes(3)
	controllertest.Create(c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
	controllertest.Create(c, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: web},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: web}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}},
		},
	})
	c.Until("all pods run", func() bool {
		d, _ := controllertest.Get[*appsv1.Deployment](c, "default", "web")
		return d.Status.ReadyReplicas == replicas
	})
}

func budget(c *controllertest.Cluster, spec policyv1.PodDisruptionBudgetSpec) {
	c.Helper()
	spec.Selector = &metav1.LabelSelector{MatchLabels: web}
	controllertest.Create(c, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}, Spec: spec})
}

// counts are allowed, healthy, desired and expected pods, and the reason.
func counts(c *controllertest.Cluster) string {
	b, _ := controllertest.Get[*policyv1.PodDisruptionBudget](c, "default", "web")
	reason := ""
	for _, condition := range b.Status.Conditions {
		reason = string(condition.Status) + " " + condition.Reason
	}
	return fmt.Sprintf("%d: %d of %d, %d expected: %s", b.Status.DisruptionsAllowed, b.Status.CurrentHealthy, b.Status.DesiredHealthy, b.Status.ExpectedPods, reason)
}

func until(c *controllertest.Cluster, want string) {
	c.Helper()
	c.Until(want, func() bool { return counts(c) == want })
}

func number(n int) *intstr.IntOrString { v := intstr.FromInt(n); return &v }

func percent(s string) *intstr.IntOrString { v := intstr.FromString(s); return &v }

func TestCounts(t *testing.T) {
	for _, test := range []struct {
		name string
		spec policyv1.PodDisruptionBudgetSpec
		want string
	}{
		{"a minimum", policyv1.PodDisruptionBudgetSpec{MinAvailable: number(2)}, "1: 3 of 2, 3 expected: True SufficientPods"},
		{"all", policyv1.PodDisruptionBudgetSpec{MinAvailable: percent("100%")}, "0: 3 of 3, 3 expected: False InsufficientPods"},
		{"a share, rounded up", policyv1.PodDisruptionBudgetSpec{MinAvailable: percent("50%")}, "1: 3 of 2, 3 expected: True SufficientPods"},
		{"a maximum", policyv1.PodDisruptionBudgetSpec{MaxUnavailable: number(1)}, "1: 3 of 2, 3 expected: True SufficientPods"},
		{"more than there are", policyv1.PodDisruptionBudgetSpec{MaxUnavailable: number(9)}, "3: 3 of 0, 3 expected: True SufficientPods"},
		{"a share that may be away, rounded up", policyv1.PodDisruptionBudgetSpec{MaxUnavailable: percent("40%")}, "2: 3 of 1, 3 expected: True SufficientPods"},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				start(c, 3)
				budget(c, test.spec)
				until(c, test.want)
			})
		})
	}
}

// TestEvictionsAreRefused: a budget is used up, and filled again once the
// Deployment has replaced the pod.
func TestEvictionsAreRefused(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 2)
		budget(c, policyv1.PodDisruptionBudgetSpec{MinAvailable: number(2)})
		until(c, "0: 2 of 2, 2 expected: False InsufficientPods")
		pod := controllertest.List[*corev1.Pod](c, "default")[0].Name
		evict := func() error {
			return c.Client.Evict(c.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: pod}})
		}
		err := evict()
		status, ok := err.(errors.APIStatus) //nolint:errorlint // it is returned as it is
		if !ok || status.Status().Code != 429 || status.Status().Message != "Cannot evict pod as it would violate the pod's disruption budget." {
			c.Fatalf("evicting: %v", err)
		}
		if cause := status.Status().Details.Causes[0]; cause.Message != "The disruption budget web needs 2 healthy pods and has 2 currently" {
			c.Errorf("cause %v", cause)
		}
		controllertest.Change(c, "default", "web", func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(3)) })
		until(c, "1: 3 of 2, 3 expected: True SufficientPods")
		if err := evict(); err != nil {
			c.Fatalf("evicting: %v", err)
		}
		c.Until("replaced", func() bool {
			_, ok := controllertest.Get[*corev1.Pod](c, "default", pod)
			return !ok && counts(c) == "1: 3 of 2, 3 expected: True SufficientPods"
		})
	})
}

func TestEvents(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(1)
		controllertest.Create(c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
		budget(c, policyv1.PodDisruptionBudgetSpec{MaxUnavailable: number(1)})
		c.Until("says that there are no pods", func() bool {
			return slices.Equal(c.Events("PodDisruptionBudget", "web"), []string{"Normal NoPods: No matching pods found"})
		})
		controllertest.Create(c, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "alone", Labels: web},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}})
		c.Until("says that it is unmanaged", func() bool {
			return slices.ContainsFunc(c.Events("PodDisruptionBudget", "web"), func(text string) bool {
				return strings.HasPrefix(text, "Warning UnmanagedPods: Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged.")
			})
		})
		controllertest.Create(c, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owned", Labels: web,
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: "Robot", Name: "r", UID: "1", Controller: new(true)}}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "nginx"}}}})
		c.Until("allows nothing", func() bool {
			return strings.HasPrefix(counts(c), "0: ") && strings.HasSuffix(counts(c), "False SyncFailed")
		})
		if got := c.Events("PodDisruptionBudget", "web"); !slices.Contains(got,
			`Warning CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: found no controllers for pod "owned"`) {
			c.Errorf("events %q", got)
		}
	})
}

// TestMarkIsTakenBack: a pod that was to be disrupted, and lives on, loses its
// mark.
func TestMarkIsTakenBack(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, 1)
		pod := controllertest.List[*corev1.Pod](c, "default")[0].Name
		controllertest.ChangeStatus(c, "default", pod, func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
				Reason: "PreemptionByScheduler", LastTransitionTime: metav1.NewTime(c.Clock.Now().Truncate(time.Second))})
		})
		began := c.Clock.Now()
		c.Until("taken back", func() bool {
			p, _ := controllertest.Get[*corev1.Pod](c, "default", pod)
			last := p.Status.Conditions[len(p.Status.Conditions)-1]
			return last.Type == corev1.DisruptionTarget && last.Status == corev1.ConditionFalse && last.Reason == ""
		})
		if waited := c.Clock.Now().Sub(began); waited < 119*time.Second {
			c.Errorf("after %s", waited)
		}
	})
}
