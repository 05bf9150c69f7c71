package kinds

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// TestRows shows objects as "kubectl get -o wide" does.
func TestRows(t *testing.T) {
	const meta = `"metadata":{"name":"x","creationTimestamp":"2026-01-01T11:55:00Z"}`
	for _, test := range []struct {
		name, kind, text string
		want             []string
	}{
		{"new pod", "Pod", `{` + meta + `,"spec":{"containers":[{}]},"status":{"phase":"Pending"}}`,
			[]string{"x", "0/1", "Pending", "0", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"running pod", "Pod", `{` + meta + `,"spec":{"nodeName":"node-1","containers":[{},{}]},"status":{"phase":"Running","podIPs":[{"ip":"10.1.0.2"}],
			"containerStatuses":[{"ready":true,"state":{"running":{}}},{"state":{"running":{}}}]}}`,
			[]string{"x", "1/2", "Running", "0", "5m", "10.1.0.2", "node-1", "<none>", "<none>"}},
		{"crashing pod", "Pod", `{` + meta + `,"spec":{"containers":[{}]},"status":{"phase":"Running","containerStatuses":[
			{"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"finishedAt":"2026-01-01T11:59:55Z"}}}]}}`,
			[]string{"x", "0/1", "CrashLoopBackOff", "3 (5s ago)", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"initializing pod", "Pod", `{` + meta + `,"spec":{"initContainers":[{"name":"a"},{"name":"b"}],"containers":[{}]},"status":{"phase":"Pending",
			"initContainerStatuses":[{"name":"a","state":{"terminated":{"exitCode":0}}},{"name":"b","state":{"running":{}}}],
			"containerStatuses":[{"state":{"waiting":{"reason":"PodInitializing"}}}]}}`,
			[]string{"x", "0/1", "Init:1/2", "0", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"pod whose init container failed", "Pod", `{` + meta + `,"spec":{"initContainers":[{"name":"a"}],"containers":[{}]},"status":{"phase":"Pending",
			"initContainerStatuses":[{"name":"a","restartCount":1,"state":{"terminated":{"exitCode":2}}}]}}`,
			[]string{"x", "0/1", "Init:ExitCode:2", "1", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"pod with sidecar", "Pod", `{` + meta + `,"spec":{"initContainers":[{"name":"a","restartPolicy":"Always"}],"containers":[{}]},"status":{"phase":"Running",
			"initContainerStatuses":[{"name":"a","started":true,"ready":true,"restartCount":2,"state":{"running":{}}}],
			"containerStatuses":[{"ready":true,"state":{"running":{}}}]}}`,
			[]string{"x", "2/2", "Running", "2", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"completed pod", "Pod", `{` + meta + `,"spec":{"containers":[{}]},"status":{"phase":"Succeeded","containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}}]}}`,
			[]string{"x", "0/1", "Completed", "0", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"half completed pod", "Pod", `{` + meta + `,"spec":{"containers":[{},{}]},"status":{"phase":"Running","containerStatuses":[
			{"state":{"terminated":{"reason":"Completed"}}},{"ready":true,"state":{"running":{}}}]}}`,
			[]string{"x", "1/2", "NotReady", "0", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"evicted pod", "Pod", `{` + meta + `,"spec":{"containers":[{}]},"status":{"phase":"Failed","reason":"Evicted"}}`,
			[]string{"x", "0/1", "Evicted", "0", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"deleted pod", "Pod", `{"metadata":{"name":"x","creationTimestamp":"2026-01-01T11:55:00Z","deletionTimestamp":"2026-01-01T12:00:00Z"},"spec":{"containers":[{}]},"status":{"phase":"Running"}}`,
			[]string{"x", "0/1", "Terminating", "0", "5m", "<none>", "<none>", "<none>", "<none>"}},
		{"gated pod", "Pod", `{` + meta + `,"spec":{"containers":[{}],"readinessGates":[{"conditionType":"a"},{"conditionType":"b"}]},"status":{"phase":"Pending","conditions":[
			{"type":"PodScheduled","status":"False","reason":"SchedulingGated"},{"type":"a","status":"True"}]}}`,
			[]string{"x", "0/1", "SchedulingGated", "0", "5m", "<none>", "<none>", "<none>", "1/2"}},
		{"ready node", "Node", `{"metadata":{"name":"x","creationTimestamp":"2026-01-01T11:55:00Z","labels":{"node-role.kubernetes.io/control-plane":""}},
			"spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"True"}],"addresses":[{"type":"InternalIP","address":"10.0.0.1"}],
			"nodeInfo":{"kubeletVersion":"v1.37.2","kernelVersion":"6.1","architecture":"amd64"}}}`,
			[]string{"x", "Ready,SchedulingDisabled", "control-plane", "5m", "v1.37.2", "10.0.0.1", "<none>", "<unknown>", "6.1 (amd64)", "<unknown>"}},
		{"lost node", "Node", `{` + meta + `,"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}`,
			[]string{"x", "NotReady", "<none>", "5m", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"}},
		{"service", "Service", `{` + meta + `,"spec":{"type":"NodePort","clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9"],"ports":[{"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}],"selector":{"a":"b"}}}`,
			[]string{"x", "NodePort", "10.96.0.9", "<none>", "80:30080/TCP,53/UDP", "5m", "a=b"}},
		{"pending load balancer", "Service", `{` + meta + `,"spec":{"type":"LoadBalancer","clusterIPs":["10.96.0.9"],"ports":[]}}`,
			[]string{"x", "LoadBalancer", "10.96.0.9", "<pending>", "<none>", "5m", "<none>"}},
		{"external name", "Service", `{` + meta + `,"spec":{"type":"ExternalName","externalName":"example.com"}}`,
			[]string{"x", "ExternalName", "<none>", "example.com", "<none>", "5m", "<none>"}},
		{"endpoints", "EndpointSlice", `{` + meta + `,"addressType":"IPv4","ports":[{"port":80}],"endpoints":[{"addresses":["1.1.1.1"]},{"addresses":["1.1.1.2"]},{"addresses":["1.1.1.3"]},{"addresses":["1.1.1.4"]}]}`,
			[]string{"x", "IPv4", "80", "1.1.1.1,1.1.1.2,1.1.1.3 + 1 more...", "5m"}},
		{"no endpoints", "EndpointSlice", `{` + meta + `,"addressType":"IPv4"}`, []string{"x", "IPv4", "<unset>", "<unset>", "5m"}},
		{"deployment", "Deployment", `{` + meta + `,"spec":{"replicas":3,` + selector + `,` + template + `},"status":{"readyReplicas":2,"updatedReplicas":3,"availableReplicas":1}}`,
			[]string{"x", "2/3", "3", "1", "5m", "c", "nginx", "a=b"}},
		{"replica set", "ReplicaSet", `{` + meta + `,"spec":{"replicas":3,` + selector + `,` + template + `},"status":{"replicas":2,"readyReplicas":1}}`,
			[]string{"x", "3", "2", "1", "5m", "c", "nginx", "a=b"}},
		{"event", "Event", `{` + meta + `,"type":"Normal","reason":"Pulled","message":"done\n","involvedObject":{"kind":"Pod","name":"p","fieldPath":"spec.containers{c}"},
			"source":{"component":"kubelet","host":"node-1"},"firstTimestamp":"2026-01-01T11:00:00Z","lastTimestamp":"2026-01-01T11:59:00Z","count":4}`,
			[]string{"60s", "Normal", "Pulled", "pod/p", "spec.containers{c}", "kubelet, node-1", "done", "60m", "4", "x"}},
		{"new event", "Event", `{` + meta + `,"type":"Normal","reason":"Scheduled","involvedObject":{"kind":"Pod","name":"p"},"eventTime":"2026-01-01T11:59:58.000000Z","reportingComponent":"default-scheduler"}`,
			[]string{"2s", "Normal", "Scheduled", "pod/p", "", "default-scheduler", "", "2s", "1", "x"}},
		{"lease", "Lease", `{` + meta + `,"spec":{"holderIdentity":"node-1"}}`, []string{"x", "node-1", "5m"}},
		{"namespace", "Namespace", `{` + meta + `,"status":{"phase":"Active"}}`, []string{"x", "Active", "5m"}},
		{"secret", "Secret", `{` + meta + `,"type":"Opaque","data":{"a":"YQ==","b":"Yg=="}}`, []string{"x", "Opaque", "2", "5m"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := kindNamed(t, test.kind)
			var got []string
			for _, cell := range k.Row(decodeOnly(t, k, test.text), now) {
				got = append(got, fmt.Sprint(cell))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestGracePeriod(t *testing.T) {
	for _, test := range []struct {
		name, text string
		requested  *int64
		want       int64
	}{
		{"running", `{"spec":{"nodeName":"n","terminationGracePeriodSeconds":30}}`, nil, 30},
		{"as the client wishes", `{"spec":{"nodeName":"n","terminationGracePeriodSeconds":30}}`, new(int64(5)), 5},
		{"negative", `{"spec":{"nodeName":"n"}}`, new(int64(-1)), 1},
		{"not scheduled", `{"spec":{"terminationGracePeriodSeconds":30}}`, nil, 0},
		{"over", `{"spec":{"nodeName":"n","terminationGracePeriodSeconds":30},"status":{"phase":"Succeeded"}}`, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := kindNamed(t, "Pod")
			if got := k.GracePeriodSeconds(decodeOnly(t, k, test.text), test.requested); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
