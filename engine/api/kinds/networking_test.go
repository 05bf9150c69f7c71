package kinds

import (
	"encoding/json"
	"fmt"
	"testing"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"tidepool.dev/tidepool/engine/store"
)

// The errors are mostly those that a Kubernetes 1.37 API server gave.
func TestNetworkingCreate(t *testing.T) {
	const path = `{"spec":{"rules":[{"host":"%s","http":{"paths":[{"path":"%s",%s"backend":{"service":{"name":"s","port":{%s}}}}]}}]}}`
	for _, test := range []struct {
		kind, body string
		want       []string
	}{
		{"Ingress", `{"spec":{}}`, []string{"spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"}},
		{"Ingress", fmt.Sprintf(path, "*.example.com", "/", `"pathType":"Prefix",`, `"number":80`), nil},
		{"Ingress", fmt.Sprintf(path, "a.b", "/", "", `"number":80`), []string{"spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"}},
		{"Ingress", fmt.Sprintf(path, "1.2.3.4", "x//y/.", `"pathType":"Exact",`, ""), []string{
			`spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address`,
			`spec.rules[0].http.paths[0].path: Invalid value: "x//y/.": must be an absolute path`,
			`spec.rules[0].http.paths[0].path: Invalid value: "x//y/.": must not contain '//'`,
			`spec.rules[0].http.paths[0].path: Invalid value: "x//y/.": cannot end with '/.'`,
			"spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
		}},
		{"IngressClass", `{"spec":{"controller":"example.com/c","parameters":{"kind":"K","name":"n","namespace":"a"}}}`,
			[]string{"spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"}},
		{"NetworkPolicy", `{"spec":{"podSelector":{},"policyTypes":["Up"],"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0"}}]}]}}`, []string{
			`spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
			`spec.policyTypes[0]: Unsupported value: "Up": supported values: "Ingress", "Egress"`,
		}},
		{"NetworkPolicy", `{"spec":{"egress":[{"to":[{"ipBlock":{"cidr":"10.0.0.0/24","except":["10.1.0.0/28"]}},{}],"ports":[{"port":80,"endPort":70},{"port":"http","endPort":90}]}]}}`, []string{
			"spec.egress[0].ports[0].endPort: Invalid value: 70: must be greater than or equal to `port`",
			"spec.egress[0].ports[1].endPort: Invalid value: 90: may not be specified when `port` is non-numeric",
			`spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "10.1.0.0/28": must be a strict subset of ` + "`cidr`",
			"spec.egress[0].to[1]: Required value: must specify a peer",
		}},
		{"IPAddress", `{"spec":{"parentRef":{"resource":"services"}}}`, []string{"spec.parentRef.name: Required value"}},
		{"ServiceCIDR", `{"spec":{"cidrs":["10.0.0.0/24","10.1.0.0/24"]}}`,
			[]string{`spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64`}},
		{"Endpoints", `{"subsets":[{"ports":[{"port":80},{"port":0}]}]}`, []string{
			"subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
			"subsets[0].ports[0].name: Required value",
			"subsets[0].ports[1].name: Required value",
			"subsets[0].ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive",
		}},
		{"PodDisruptionBudget", `{"spec":{"minAvailable":1,"maxUnavailable":1,"selector":{"matchLabels":{"a":"b"}}}}`,
			[]string{`spec: Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"a":"b"}},"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set`}},
		{"PodDisruptionBudget", `{"spec":{"minAvailable":"110%"}}`, []string{`spec.minAvailable: Invalid value: "110%": must not be greater than 100%`}},
		{"RuntimeClass", `{"handler":""}`, []string{"handler: Required value"}},
		{"HorizontalPodAutoscaler", `{"spec":{"minReplicas":0,"maxReplicas":0,"scaleTargetRef":{"kind":"Deployment"}}}`, []string{
			"spec.scaleTargetRef.name: Required value",
			`spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group`,
			"spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
			"spec.maxReplicas: Required value",
		}},
		{"HorizontalPodAutoscaler", `{"spec":{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"x"},
			"metrics":[{"type":"Pods","resource":{"name":"cpu","target":{"type":"Utilization"}}}],
			"behavior":{"scaleDown":{"stabilizationWindowSeconds":4000,"policies":[{"type":"Pods","value":0,"periodSeconds":10}]}}}}`, []string{
			"spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
			"spec.metrics[0].pods: Required value: must populate information for the given metric source",
			"spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600",
			"spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero",
		}},
	} {
		k := kindNamed(t, test.kind)
		wantErrors(t, k.Validate(created(t, k, test.body)), test.want)
	}
}

func TestNetworkingRows(t *testing.T) {
	const meta = `"metadata":{"name":"x","creationTimestamp":"2026-01-01T11:55:00Z"}`
	for _, test := range []struct{ kind, body, want string }{
		{"Ingress", `{` + meta + `,"spec":{"rules":[{"host":"a"},{"host":"b"},{"host":"c"},{"host":"d"}],"tls":[{}]},"status":{"loadBalancer":{"ingress":[{"ip":"10.0.0.1"}]}}}`,
			"[x <none> a,b,c + 1 more... 10.0.0.1 80, 443 5m]"},
		{"IngressClass", `{"metadata":{"name":"x","creationTimestamp":"2026-01-01T11:55:00Z","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"a/b"}}`,
			"[x (default) a/b <none> 5m]"},
		{"NetworkPolicy", `{` + meta + `,"spec":{"podSelector":{"matchLabels":{"role":"db"}}}}`, "[x role=db 5m]"},
		{"IPAddress", `{` + meta + `,"spec":{"parentRef":{"resource":"services","namespace":"a","name":"b"}}}`, "[x services/a/b]"},
		{"Endpoints", `{` + meta + `,"subsets":[{"addresses":[{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}],"ports":[{"port":80},{"name":"b","port":81}]}]}`,
			"[x 10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more... 5m]"},
		{"PodDisruptionBudget", `{` + meta + `,"spec":{"minAvailable":"50%"},"status":{"disruptionsAllowed":1}}`, "[x 50% N/A 1 5m]"},
		{"HorizontalPodAutoscaler", `{` + meta + `,"spec":{"maxReplicas":5,"scaleTargetRef":{"kind":"Deployment","name":"web"}},"status":{"currentReplicas":2}}`,
			"[x Deployment/web cpu: <unknown>/80% 1 5 2 5m]"},
		{"HorizontalPodAutoscaler", `{` + meta + `,"spec":{"maxReplicas":5,"scaleTargetRef":{"kind":"Deployment","name":"web"},
			"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}},
			{"type":"Pods","pods":{"metric":{"name":"rps"},"target":{"type":"AverageValue","averageValue":"10"}}},
			{"type":"External","external":{"metric":{"name":"q"},"target":{"type":"Value","value":"30"}}}]},
			"status":{"currentReplicas":2,"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":70}}}]}}`,
			"[x Deployment/web cpu: 70%/50%, <unknown>/10 + 1 more... 1 5 2 5m]"},
		{"RuntimeClass", `{` + meta + `,"handler":"h"}`, "[x h 5m]"},
	} {
		k := kindNamed(t, test.kind)
		if got := fmt.Sprint(k.Row(decode(t, k, test.body), now)); got != test.want {
			t.Errorf("%s: %s, want %s", test.kind, got, test.want)
		}
	}
}

func TestNetworkingColumnsAreDescribedByTheirFields(t *testing.T) {
	autoscaler := autoscalingv2.HorizontalPodAutoscalerSpec{}.SwaggerDoc()
	wantDescriptions(t, map[string]map[string]string{
		"NetworkPolicy": {"Pod-Selector": networkingv1.NetworkPolicySpec{}.SwaggerDoc()["podSelector"]},
		"IPAddress":     {"ParentRef": networkingv1.IPAddressSpec{}.SwaggerDoc()["parentRef"]},
		"ServiceCIDR":   {"CIDRs": networkingv1.ServiceCIDRSpec{}.SwaggerDoc()["cidrs"]},
		//lint:ignore SA1019 it is served
		"Endpoints": {"Endpoints": corev1.Endpoints{}.SwaggerDoc()["subsets"]},
		"HorizontalPodAutoscaler": {
			"Reference": autoscaler["scaleTargetRef"], "Targets": autoscaler["metrics"], "MinPods": autoscaler["minReplicas"], "MaxPods": autoscaler["maxReplicas"],
			"Replicas": autoscalingv2.HorizontalPodAutoscalerStatus{}.SwaggerDoc()["currentReplicas"],
		},
	})
}

// TestAutoscalerSurvivesItsOldVersion: what autoscaling/v1 can't express is
// kept in annotations while an object is read and written in it.
func TestAutoscalerSurvivesItsOldVersion(t *testing.T) {
	k := kindNamed(t, "HorizontalPodAutoscaler")
	const body = `{"metadata":{"name":"x","annotations":{"a":"b"}},"spec":{"maxReplicas":5,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},
		"metrics":[
			{"type":"Pods","pods":{"metric":{"name":"rps"},"target":{"type":"AverageValue","averageValue":"10"}}},
			{"type":"Object","object":{"describedObject":{"kind":"Service","name":"s"},"metric":{"name":"m"},"target":{"type":"Value","value":"3"}}},
			{"type":"External","external":{"metric":{"name":"q"},"target":{"type":"AverageValue","averageValue":"30"}}},
			{"type":"ContainerResource","containerResource":{"name":"memory","container":"c","target":{"type":"AverageValue","averageValue":"1Gi"}}},
			{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}],
		"behavior":{"scaleDown":{"stabilizationWindowSeconds":60,"tolerance":"100m"}}},
		"status":{"currentReplicas":2,"desiredReplicas":3,
			"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageValue":"20m","averageUtilization":70}}}],
			"conditions":[{"type":"AbleToScale","status":"True","reason":"ReadyForNewScale"}]}}`
	original := decode(t, k, body)
	original.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
	before, _ := json.Marshal(original)
	shown := oldAutoscaler.Show(original).(*autoscalingv1.HorizontalPodAutoscaler)
	if got := shown.Spec.TargetCPUUtilizationPercentage; got == nil || *got != 50 || len(shown.Annotations) != 5 {
		t.Errorf("shown as %v with %v", got, shown.Annotations)
	}
	text, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	sent := oldAutoscaler.New()
	if err := json.Unmarshal(text, sent); err != nil {
		t.Fatal(err)
	}
	stored := oldAutoscaler.Read(sent)
	if !equality.Semantic.DeepEqual(stored, original) {
		after, _ := json.Marshal(stored)
		t.Errorf("got\n%s\nwant\n%s", after, before)
	}
	if after, _ := json.Marshal(original); string(after) != string(before) {
		t.Errorf("showing changed the object to\n%s", after)
	}
}

func TestOldAutoscalerHasADefaultMetric(t *testing.T) {
	k := kindNamed(t, "HorizontalPodAutoscaler")
	var stored store.Object = oldAutoscaler.Read(&autoscalingv1.HorizontalPodAutoscaler{})
	k.Default(stored)
	if metrics := stored.(*autoscalingv2.HorizontalPodAutoscaler).Spec.Metrics; len(metrics) != 1 || *utilizationOf(&metrics[0]) != 80 {
		t.Errorf("metrics %v", metrics)
	}
}
