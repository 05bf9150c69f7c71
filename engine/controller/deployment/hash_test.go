package deployment

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/defaulting"
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
			if got := templateHash(intro(), c.collisions); got != c.want {
				t.Errorf("hash %s, want %s", got, c.want)
			}
		})
	}
}

func TestReplicaSetName(t *testing.T) {
	long := strings.Repeat("a", 253)
	for _, c := range []struct{ deployment, want string }{
		{"web", "web-54fd4d6d4c"},
		{long, long[:253-11] + "-54fd4d6d4c"},
	} {
		if got := replicaSetName(c.deployment, "54fd4d6d4c"); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
