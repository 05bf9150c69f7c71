package clientgo

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"

	"tidepool.dev/tidepool/test/clients/connect"
)

var webLabels = map[string]string{"app": "web"}

// web is what is wanted of a Deployment of that name.
func web(ns string, replicas int32) *appsapply.DeploymentApplyConfiguration {
	return appsapply.Deployment("web", ns).WithSpec(appsapply.DeploymentSpec().
		WithReplicas(replicas).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(webLabels)).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(webLabels).WithSpec(coreapply.PodSpec().
			WithContainers(coreapply.Container().WithName("web").WithImage("nginx:1.14.2")))))
}

// TestApply: typed apply configurations, ownership, conflicts, extraction.
func TestApply(t *testing.T) {
	clients := connect.Clients(t, connect.Config(t))
	ns := connect.Namespace(t, clients)
	deployments := clients.AppsV1().Deployments(ns)
	ctx := t.Context()
	if _, err := deployments.Apply(ctx, web(ns, 1), metav1.ApplyOptions{FieldManager: "first"}); err != nil {
		t.Fatal(err)
	}
	_, err := deployments.Apply(ctx, web(ns, 2), metav1.ApplyOptions{FieldManager: "second"})
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "first": .spec.replicas`) {
		t.Errorf("a conflict: %v", err)
	}
	forced, err := deployments.Apply(ctx, web(ns, 2), metav1.ApplyOptions{FieldManager: "second", Force: true})
	if err != nil || *forced.Spec.Replicas != 2 {
		t.Fatalf("%v, %v", forced, err)
	}
	for manager, replicas := range map[string]bool{"first": false, "second": true} {
		extracted, err := appsapply.ExtractDeployment(forced, manager)
		if err != nil {
			t.Fatal(err)
		}
		if extracted.Spec == nil || extracted.Spec.Template == nil || (extracted.Spec.Replicas != nil) != replicas {
			t.Errorf("%s has applied %+v", manager, extracted.Spec)
		}
	}
	scale, err := deployments.ApplyScale(ctx, "web", nil, metav1.ApplyOptions{})
	if err == nil {
		t.Errorf("a scale of nil: %v", scale)
	}
}
