package defaulting

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func decode[T any](t *testing.T, text string) *T {
	t.Helper()
	value := new(T)
	if err := json.Unmarshal([]byte(text), value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestPodSpec(t *testing.T) {
	const defaults = `"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","securityContext":{},"schedulerName":"default-scheduler"`
	for _, test := range []struct{ name, spec, want string }{
		{"container", `{"containers":[{"name":"c","image":"nginx:1.14.2","ports":[{"containerPort":80}]}]}`,
			`{"containers":[{"name":"c","image":"nginx:1.14.2","ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{},
				"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],` + defaults + `}`},
		{"probe", `{"containers":[{"name":"c","image":"nginx","livenessProbe":{"httpGet":{"port":80}},"readinessProbe":{"grpc":{"port":1}}}]}`,
			`{"containers":[{"name":"c","image":"nginx","resources":{},
				"livenessProbe":{"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},
				"readinessProbe":{"grpc":{"port":1,"service":""},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},
				"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"Always"}],` + defaults + `}`},
		{"volumes", `{"volumes":[{"name":"a"},{"name":"b","configMap":{"name":"x"}},{"name":"c","hostPath":{"path":"/"}},
				{"name":"d","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}],"containers":null}`,
			`{"volumes":[{"name":"a","emptyDir":{}},{"name":"b","configMap":{"name":"x","defaultMode":420}},{"name":"c","hostPath":{"path":"/","type":""}},
				{"name":"d","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3600,"path":"t"}}]}}],"containers":null,` + defaults + `}`},
		{"environment", `{"containers":[{"name":"c","image":"a@sha256:00","env":[{"name":"N","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],"resources":{"limits":{"cpu":"0.0001"}}}]}`,
			`{"containers":[{"name":"c","image":"a@sha256:00","env":[{"name":"N","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}}],"resources":{"limits":{"cpu":"1m"}},
				"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],` + defaults + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := decode[corev1.PodSpec](t, test.spec)
			PodSpec(spec)
			if diff := cmp.Diff(decode[corev1.PodSpec](t, test.want), spec); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestImageTag(t *testing.T) {
	for image, want := range map[string]string{
		"nginx":                              "latest",
		"nginx:latest":                       "latest",
		"nginx:1.14.2":                       "1.14.2",
		"registry.example.com:5000/a/b":      "latest",
		"registry.example.com:5000/a/b:1":    "1",
		"nginx@sha256:0123":                  "",
		"nginx:1@sha256:0123":                "1",
		"Nginx":                              "",
		"localhost/Nginx":                    "",
		"nginx:-":                            "",
		"":                                   "",
		"../a":                               "",
		"..:5000/a":                          "",
		"Example.com/a":                      "latest",
		"a..b":                               "",
		"a__b":                               "latest",
		"a---b.c":                            "latest",
		"a___b":                              "",
		"a-.b":                               "",
		strings.Repeat("a", 64):              "",
		strings.Repeat("a", 256):             "",
		"nginx:" + string(make([]byte, 129)): "",
	} {
		if got := imageTag(image); got != want {
			t.Errorf("imageTag(%q) = %q, want %q", image, got, want)
		}
	}
}

// A pod made from a template shares its containers: what the pod alone has by
// default must not show in the template.
func TestTemplatesAreNotWrittenTo(t *testing.T) {
	template := decode[corev1.PodSpec](t, `{"hostNetwork":true,"containers":[{"name":"c","image":"a:1","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"1"},"requests":{"memory":"1Gi"}}}]}`)
	PodSpec(template)
	before := template.DeepCopy()
	pod := *template
	ContainerRequests(&pod)
	HostNetworkPorts(&pod)
	PodSpec(&pod)
	if diff := cmp.Diff(before, template); diff != "" {
		t.Errorf("the template changed: %s", diff)
	}
	requests := pod.Containers[0].Resources.Requests
	if cpu := requests[corev1.ResourceCPU]; cpu.Cmp(resource.MustParse("1")) != 0 || len(requests) != 2 {
		t.Errorf("requests are %v", requests)
	}
	if port := pod.Containers[0].Ports[0].HostPort; port != 80 {
		t.Errorf("host port is %d", port)
	}
}

func TestQOSClass(t *testing.T) {
	for _, test := range []struct {
		spec string
		want corev1.PodQOSClass
	}{
		{`{"containers":[{}]}`, corev1.PodQOSBestEffort},
		{`{"containers":[{"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}}}]}`, corev1.PodQOSGuaranteed},
		{`{"containers":[{"resources":{"limits":{"cpu":"1"},"requests":{"cpu":"1"}}}]}`, corev1.PodQOSBurstable},
		{`{"containers":[{"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}}},{}]}`, corev1.PodQOSBurstable},
		{`{"containers":[{"resources":{"requests":{"nvidia.com/gpu":"1"}}}]}`, corev1.PodQOSBestEffort},
		{`{"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}},"containers":[{}]}`, corev1.PodQOSGuaranteed},
	} {
		if got := QOSClass(decode[corev1.PodSpec](t, test.spec)); got != test.want {
			t.Errorf("%s is %s, want %s", test.spec, got, test.want)
		}
	}
}

func TestPodLevelResources(t *testing.T) {
	for _, test := range []struct{ name, pod, want string }{
		{"none", `{"containers":[{"resources":{"limits":{"cpu":"1"}}}]}`, `null`},
		{"requests from containers", `{"resources":{"limits":{"cpu":"2","memory":"1Gi"}},"containers":[{"resources":{"requests":{"cpu":"500m"}}},{"resources":{"requests":{"cpu":"250m"}}}]}`,
			`{"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"750m","memory":"1Gi"}}`},
		{"limits from containers", `{"resources":{"requests":{"cpu":"1"}},"containers":[{"resources":{"limits":{"cpu":"2"},"requests":{"cpu":"1"}}}]}`,
			`{"limits":{"cpu":"2"},"requests":{"cpu":"1"}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: *decode[corev1.PodSpec](t, test.pod)}
			PodLevelResources(pod)
			got, err := json.Marshal(pod.Spec.Resources)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
		})
	}
}
