package templatehash_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/controller/internal/templatehash"
)

// intro is the template of the Kubernetes introduction's Deployment.
func intro() *corev1.PodTemplateSpec {
	template := &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "nginx"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name:  "nginx",
			Image: "nginx:1.14.2",
			Ports: []corev1.ContainerPort{{ContainerPort: 80}},
		}}},
	}
	defaulting.PodSpec(&template.Spec)
	return template
}

func TestTemplateHash(t *testing.T) {
	two := int32(2)
	for _, c := range []struct {
		name       string
		collisions *int32
		want       string
	}{
		{"as recorded with Kubernetes", nil, "54fd4d6d4c"},
		{"after two collisions", &two, "5cf9b9db89"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := templatehash.Of(intro(), c.collisions); got != c.want {
				t.Errorf("hash %s, want %s", got, c.want)
			}
		})
	}
}

// TestRevisionHash: of the StatefulSet of the recorded scenario
// controller-revisions.
func TestRevisionHash(t *testing.T) {
	const data = `{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"s"}},"spec":{"containers":[{"image":"nginx:1.26","imagePullPolicy":"IfNotPresent","name":"c","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30}}}}`
	none := int32(0)
	if got, want := templatehash.OfRevision([]byte(data), &none), "66d96cd6b6"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}
