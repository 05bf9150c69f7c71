package validation

import (
	"encoding/json"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func decode[T any](t *testing.T, text string) *T {
	t.Helper()
	value := new(T)
	if err := json.Unmarshal([]byte(text), value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestPodWarnings(t *testing.T) {
	for _, test := range []struct {
		name, pod string
		want      []string
	}{
		{"plain", `{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`, nil},
		{"dotted name", `{"metadata":{"name":"p.q"}}`, []string{
			"metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: " +
				"[must not contain dots]"}},
		{"old label", `{"metadata":{"name":"p"},"spec":{"nodeSelector":{"beta.kubernetes.io/os":"linux"}}}`,
			[]string{`spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead`}},
		{"parts of bytes", `{"metadata":{"name":"p"},"spec":{"containers":[{"resources":{"limits":{"memory":"100m"}}}]}}`,
			[]string{`spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer`}},
		{"hidden variable", `{"metadata":{"name":"p"},"spec":{"containers":[{"env":[{"name":"A","value":"1"},{"name":"A","value":"2"},{"name":"A","value":"$(A)3"}]}]}}`,
			[]string{`spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply`}},
		{"same port twice", `{"metadata":{"name":"p"},"spec":{"containers":[{"ports":[{"name":"a","containerPort":80,"protocol":"TCP"}]},{"ports":[{"name":"a","containerPort":80,"protocol":"TCP"}]}]}}`,
			[]string{
				"spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
				`spec.containers[1].ports[0]: duplicate port name "a" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]`,
			}},
		{"overlapping files", `{"metadata":{"name":"p"},"spec":{"volumes":[{"name":"v","configMap":{"name":"m","items":[{"path":"a"},{"path":"a/b"}]}}]}}`,
			[]string{`volume "v" (ConfigMap "m"): overlapping paths: "a/b" with "a"`}},
		{"selects nothing", `{"metadata":{"name":"p"},"spec":{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"t"}]}}}}`,
			[]string{"spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := PodWarnings(decode[corev1.Pod](t, test.pod)); !slices.Equal(got, test.want) {
				t.Errorf("got\n%q\nwant\n%q", got, test.want)
			}
		})
	}
}

func TestServiceWarnings(t *testing.T) {
	for _, test := range []struct {
		spec string
		want []string
	}{
		{`{"type":"ClusterIP","sessionAffinity":"None"}`, nil},
		{`{"type":"ClusterIP","clusterIP":"None","sessionAffinity":"ClientIP"}`, []string{"spec.SessionAffinity is ignored for headless services"}},
		{`{"type":"ClusterIP","externalName":"a.b","sessionAffinity":"None"}`, []string{`spec.externalName is ignored when spec.type is not "ExternalName"`}},
		{`{"type":"ClusterIP","externalIPs":["1.2.3.4"],"sessionAffinity":"None"}`,
			[]string{"spec.externalIPs is deprecated and may no longer be implemented in some clusters"}},
	} {
		if got := ServiceWarnings(&corev1.Service{Spec: *decode[corev1.ServiceSpec](t, test.spec)}); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.spec, got, test.want)
		}
	}
}

func TestPodStatusUpdate(t *testing.T) {
	const bound = `"spec":{"nodeName":"node-1","restartPolicy":"Never"}`
	for _, test := range []struct {
		name, old, updated string
		want               []string
	}{
		{"report", `{` + bound + `,"status":{"qosClass":"BestEffort"}}`,
			`{` + bound + `,"status":{"qosClass":"BestEffort","podIP":"10.1.0.1","podIPs":[{"ip":"10.1.0.1"}],"hostIP":"10.0.0.1","hostIPs":[{"ip":"10.0.0.1"}],"conditions":[{"type":"Ready"}]}}`, nil},
		{"other quality", `{` + bound + `,"status":{"qosClass":"BestEffort"}}`, `{` + bound + `,"status":{"qosClass":"Guaranteed"}}`,
			[]string{`status.qosClass: Invalid value: "Guaranteed": field is immutable`}},
		{"revived container", `{` + bound + `,"status":{"containerStatuses":[{"name":"c","state":{"terminated":{}}}]}}`,
			`{` + bound + `,"status":{"containerStatuses":[{"name":"c","state":{"running":{}}}]}}`,
			[]string{"status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"}},
		{"restarted container", `{"spec":{"restartPolicy":"Always"},"status":{"containerStatuses":[{"name":"c","state":{"terminated":{}}}]}}`,
			`{"spec":{"restartPolicy":"Always"},"status":{"containerStatuses":[{"name":"c","state":{"running":{}}}]}}`, nil},
		{"addresses that differ", `{` + bound + `}`, `{` + bound + `,"status":{"podIP":"10.1.0.1","podIPs":[{"ip":"10.1.0.2"}]}}`,
			[]string{"status.podIPs[0].ip: Invalid value: \"10.1.0.2\": must be equal to `podIP`"}},
		{"nominated though bound", `{` + bound + `}`, `{` + bound + `,"status":{"nominatedNodeName":"node-2"}}`,
			[]string{"status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, err := range PodStatusUpdate(decode[corev1.Pod](t, test.updated), decode[corev1.Pod](t, test.old)) {
				got = append(got, err.Error())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}

// What the quick checks let through must be what apimachinery lets through.
func FuzzTextIsCheckedAlike(f *testing.F) {
	for _, seed := range []string{"", "a", "a.b", "A_b", "a-", "-a", "a..b", "example.com/name", "a/", "/a", "a/b/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, check := range textChecks {
			if quick, slow := check.quick(value) == nil, check.slow(value) == nil; quick != slow {
				t.Errorf("%s(%q): valid is %v, want %v", check.name, value, quick, slow)
			}
		}
	})
}
