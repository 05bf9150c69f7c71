package quota_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"tidepool.dev/tidepool/engine/api/quota"
	"tidepool.dev/tidepool/engine/store"
)

func parse[T any](t *testing.T, text string) *T {
	t.Helper()
	obj := new(T)
	if text == "" {
		return nil
	}
	if err := yaml.UnmarshalStrict([]byte(text), obj); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return obj
}

func TestChargesPods(t *testing.T) {
	const bare, small = `{spec: {containers: [{name: c}]}}`, `{spec: {containers: [{name: c, resources: {requests: {cpu: 100m, memory: 1Gi}}}]}}`
	for name, test := range map[string]struct {
		quota, old, pod string
		want            string // the error; else the new use
	}{
		"counted":      {`{status: {hard: {pods: 2}, used: {pods: 1}}}`, "", bare, "pods=2"},
		"too many":     {`{metadata: {name: q}, status: {hard: {pods: 1, count/pods: 5}, used: {pods: 1, count/pods: 1}}}`, "", bare, "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"},
		"CPU":          {`{status: {hard: {cpu: "1"}, used: {cpu: 500m}}}`, "", small, "cpu=600m"},
		"extended":     {`{status: {hard: {requests.example.com/gpu: 2}, used: {requests.example.com/gpu: 0}}}`, "", `{spec: {containers: [{name: c, resources: {requests: {example.com/gpu: 2}}}]}}`, "requests.example.com/gpu=2"},
		"must state":   {`{metadata: {name: q}, status: {hard: {limits.memory: 1Gi, cpu: 1}, used: {limits.memory: 0, cpu: 0}}}`, "", bare, "failed quota: q: must specify cpu for: c; limits.memory for: c"},
		"unknown":      {`{metadata: {name: q}, status: {hard: {pods: 1}}}`, "", bare, "status unknown for quota: q, resources: pods"},
		"not in scope": {`{spec: {scopes: [BestEffort]}, status: {hard: {pods: 1}, used: {pods: 1}}}`, "", small, ""},
		"in scope":     {`{metadata: {name: q}, spec: {scopes: [NotBestEffort]}, status: {hard: {pods: 1}, used: {pods: 1}}}`, "", small, "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"},
		"class in selector": {`{metadata: {name: q}, spec: {scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}}, status: {hard: {pods: 1}, used: {pods: 0}}}`,
			"", `{spec: {priorityClassName: high, containers: [{name: c}]}}`, "pods=1"},
		"other class": {`{spec: {scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: NotIn, values: [high]}]}}, status: {hard: {pods: 1}, used: {pods: 0}}}`,
			"", `{spec: {priorityClassName: high, containers: [{name: c}]}}`, ""},
		"ended":        {`{status: {hard: {pods: 1}, used: {pods: 1}}}`, "", `{spec: {containers: [{name: c}]}, status: {phase: Failed}}`, ""},
		"plain update": {`{status: {hard: {pods: 1}, used: {pods: 1}}}`, bare, bare, ""},
		"enters a scope": {`{spec: {scopes: [Terminating]}, status: {hard: {pods: 1}, used: {pods: 0}}}`, bare,
			`{spec: {activeDeadlineSeconds: 5, containers: [{name: c}]}}`, "pods=1"},
	} {
		t.Run(name, func(t *testing.T) {
			change := quota.Change{Resource: "pods", Object: parse[corev1.Pod](t, test.pod)}
			if test.old != "" {
				change.Old = parse[corev1.Pod](t, test.old)
			}
			charged, err := quota.Charge([]*corev1.ResourceQuota{parse[corev1.ResourceQuota](t, test.quota)}, change, time.Time{})
			got := ""
			switch {
			case err != nil:
				got = err.Error()
			case len(charged) == 1:
				for name, amount := range charged[0].Status.Used {
					got = string(name) + "=" + amount.String()
				}
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestServicesAndClaims(t *testing.T) {
	for name, test := range map[string]struct {
		resource string
		obj      store.Object
		counted  corev1.ResourceName
		want     string
	}{
		"node ports":         {"services", parse[corev1.Service](t, `{spec: {type: NodePort, ports: [{}, {}]}}`), "services.nodeports", "2"},
		"load balancer":      {"services", parse[corev1.Service](t, `{spec: {type: LoadBalancer, ports: [{}]}}`), "services.loadbalancers", "1"},
		"cluster IP":         {"services", parse[corev1.Service](t, `{spec: {ports: [{}]}}`), "services.nodeports", "0"},
		"storage":            {"persistentvolumeclaims", parse[corev1.PersistentVolumeClaim](t, `{spec: {resources: {requests: {storage: 1Gi}}}}`), "requests.storage", "1Gi"},
		"of its class":       {"persistentvolumeclaims", parse[corev1.PersistentVolumeClaim](t, `{spec: {storageClassName: fast, resources: {requests: {storage: 1Gi}}}}`), "fast.storageclass.storage.k8s.io/requests.storage", "1Gi"},
		"of another":         {"persistentvolumeclaims", parse[corev1.PersistentVolumeClaim](t, `{spec: {storageClassName: slow}}`), "fast.storageclass.storage.k8s.io/persistentvolumeclaims", "0"},
		"object of any kind": {"deployments.apps", parse[corev1.Pod](t, `{}`), "count/deployments.apps", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{test.counted: {}, "pods": {}}}
			used := quota.Use(spec, test.resource, []store.Object{test.obj}, time.Time{})
			if got := used[test.counted]; len(used) != 1 || got.String() != test.want {
				t.Errorf("got %v", used)
			}
		})
	}
}
