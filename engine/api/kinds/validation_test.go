package kinds

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

func kindNamed(t testing.TB, name string) *kind.Kind {
	t.Helper()
	for _, k := range All() {
		if k.Kind == name {
			return k
		}
	}
	t.Fatalf("no kind %s", name)
	return nil
}

func decodeOnly(t testing.TB, k *kind.Kind, text string) store.Object {
	t.Helper()
	obj := k.New()
	if err := json.Unmarshal([]byte(text), obj); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return obj
}

// decode makes an object as engine/api has it before it prepares it.
func decode(t testing.TB, k *kind.Kind, text string) store.Object {
	t.Helper()
	obj := decodeOnly(t, k, text)
	if k.Default != nil {
		k.Default(obj)
	}
	return obj
}

// created makes an object as engine/api has it before it validates it.
func created(t testing.TB, k *kind.Kind, text string) store.Object {
	t.Helper()
	obj := decode(t, k, text)
	if k.PrepareForCreate != nil {
		k.PrepareForCreate(obj)
	}
	return obj
}

func texts(errs field.ErrorList) []string {
	list := []string{}
	for _, err := range errs {
		list = append(list, err.Error())
	}
	return list
}

func wantErrors(t *testing.T, got field.ErrorList, want []string) {
	t.Helper()
	if list := texts(got); !slices.Equal(list, append([]string{}, want...)) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(list, "\n\t"), strings.Join(want, "\n\t"))
	}
}

const (
	container = `{"name":"c","image":"nginx"}`
	template  = `"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[` + container + `]}}`
	selector  = `"selector":{"matchLabels":{"a":"b"}}`
	labelRule = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`
)

// The errors of TestCreate are those that a Kubernetes 1.37 API server gave.
func TestCreate(t *testing.T) {
	for _, test := range []struct {
		kind, spec string
		want       []string
	}{
		{"Pod", `{"containers":[` + container + `]}`, nil},
		{"Pod", `{"containers":[]}`, []string{"spec.containers: Required value"}},
		{"Pod", `{"containers":[{"name":"c"}]}`, []string{"spec.containers[0].image: Required value"}},
		{"Pod", `{"containers":[{"image":"nginx"}]}`, []string{"spec.containers[0].name: Required value"}},
		{"Pod", `{"containers":[{"name":"C_1","image":"nginx"}]}`, []string{`spec.containers[0].name: Invalid value: "C_1": ` + labelRule}},
		{"Pod", `{"containers":[` + container + `,` + container + `]}`, []string{`spec.containers[1].name: Duplicate value: "c"`}},
		{"Pod", `{"containers":[{"name":"c","image":" nginx"}]}`,
			[]string{`spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace`}},
		{"Pod", `{"restartPolicy":"Sometimes","containers":[` + container + `]}`,
			[]string{`spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"`}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","ports":[{"containerPort":70000}]}]}`,
			[]string{"spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","ports":[{"name":"http","containerPort":80},{"name":"http","containerPort":81}]}]}`,
			[]string{`spec.containers[0].ports[1].name: Duplicate value: "http"`}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","ports":[{"name":"waytoolongportname","containerPort":80,"protocol":"ICMP"}]}]}`,
			[]string{
				`spec.containers[0].ports[0].name: Invalid value: "waytoolongportname": must be no more than 15 characters`,
				`spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
			}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","imagePullPolicy":"Maybe"}]}`,
			[]string{`spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"`}},
		{"Pod", `{"dnsPolicy":"None","containers":[` + container + `]}`,
			[]string{"spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"}},
		{"Pod", `{"activeDeadlineSeconds":-1,"terminationGracePeriodSeconds":-1,"containers":[` + container + `]}`,
			[]string{"spec.activeDeadlineSeconds: Invalid value: -1: must be between 1 and 2147483647, inclusive"}},
		{"Pod", `{"hostname":"A.B","containers":[` + container + `]}`, []string{`spec.hostname: Invalid value: "A.B": ` + labelRule}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}]}`,
			[]string{`spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","resources":{"requests":{"memory":"-1Gi"}}}]}`,
			[]string{`spec.containers[0].resources.requests[memory]: Invalid value: "-1Gi": must be greater than or equal to 0`}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","resources":{"requests":{"bananas":"1"}}}]}`,
			[]string{
				`spec.containers[0].resources.requests[bananas]: Invalid value: "bananas": must be a standard resource type or fully qualified`,
				`spec.containers[0].resources.requests[bananas]: Invalid value: "bananas": must be a standard resource for containers`,
			}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","volumeMounts":[{"name":"v","mountPath":"/a"}]}]}`,
			[]string{`spec.containers[0].volumeMounts[0].name: Not found: "v"`}},
		{"Pod", `{"volumes":[{"name":"v"},{"name":"v","emptyDir":{}}],"containers":[` + container + `]}`,
			[]string{`spec.volumes[1].name: Duplicate value: "v"`}},
		{"Pod", `{"volumes":[{"name":"v","emptyDir":{},"hostPath":{"path":"/x"}}],"containers":[{"name":"c","image":"nginx","volumeMounts":[{"name":"v","mountPath":""}]}]}`,
			[]string{
				"spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
				`spec.containers[0].volumeMounts[0].name: Not found: "v"`,
				"spec.containers[0].volumeMounts[0].mountPath: Required value",
			}},
		{"Pod", `{"volumes":[{"name":"v","hostPath":{"path":"../x"}}],"containers":[` + container + `]}`,
			[]string{`spec.volumes[0].hostPath.path: Invalid value: "../x": must not contain '..'`}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","env":[{"name":"","value":"x"}]}]}`,
			[]string{"spec.containers[0].env[0].name: Required value"}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","env":[{"name":"A","value":"x","valueFrom":{"fieldRef":{"fieldPath":"spec.none"}}}]}]}`,
			[]string{
				`spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.none": error converting fieldPath: field label not supported: spec.none`,
				"spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
			}},
		{"Pod", `{"containers":[{"name":"c","image":"nginx","securityContext":{"privileged":true,"allowPrivilegeEscalation":false}}]}`,
			[]string{"spec.containers[0].securityContext: Invalid value: " +
				`{"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}` +
				": cannot set `allowPrivilegeEscalation` to false and `privileged` to true"}},

		{"Service", `{"ports":[]}`, []string{"spec.ports: Required value"}},
		{"Service", `{"ports":[{"port":80}]}`, nil},
		{"Service", `{"ports":[{"port":0}]}`, []string{
			"spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
			"spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
		}},
		{"Service", `{"ports":[{"port":80},{"port":81}]}`, []string{"spec.ports[0].name: Required value", "spec.ports[1].name: Required value"}},
		{"Service", `{"ports":[{"name":"a","port":80},{"name":"a","port":81}]}`, []string{`spec.ports[1].name: Duplicate value: "a"`}},
		{"Service", `{"ports":[{"name":"a","port":80},{"name":"b","port":80}]}`,
			[]string{`spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}`}},
		{"Service", `{"type":"Magic","ports":[{"port":80}]}`,
			[]string{`spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"`}},
		{"Service", `{"type":"ExternalName","ports":[{"port":80}]}`, []string{"spec.externalName: Required value"}},
		{"Service", `{"clusterIP":"None","clusterIPs":["None"],"type":"NodePort","ports":[{"port":80}]}`,
			[]string{`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`}},
		{"Service", `{"ports":[{"port":80,"nodePort":30500}]}`,
			[]string{"spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"}},
		{"Service", `{"sessionAffinity":"Cookie","ports":[{"port":80,"protocol":"HTTP"}]}`, []string{
			`spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"`,
			`spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"`,
		}},
		{"Service", `{"selector":{"bad key":"v"},"ports":[{"port":80,"targetPort":"Web_"}]}`, []string{
			`spec.ports[0].targetPort: Invalid value: "Web_": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
			`spec.selector: Invalid value: "bad key": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
		}},

		{"Deployment", `{` + selector + `,` + template + `}`, nil},
		{"Deployment", `{` + template + `}`, []string{
			"spec.selector: Required value",
			"spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`",
		}},
		{"Deployment", `{"selector":{"matchLabels":{"a":"x"}},` + template + `}`,
			[]string{"spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"}},
		{"Deployment", `{"replicas":-1,` + selector + `,` + template + `}`,
			[]string{"spec.replicas: Invalid value: -1: must be greater than or equal to 0"}},
		{"Deployment", `{"selector":{},` + template + `}`, []string{"spec.selector: Invalid value: {}: empty selector is invalid for deployment"}},
		{"Deployment", `{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":0}},` + selector + `,` + template + `}`,
			[]string{"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"}},
		{"Deployment", `{"strategy":{"type":"Recreate","rollingUpdate":{"maxSurge":1}},` + selector + `,` + template + `}`,
			[]string{"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"}},
		{"Deployment", `{` + selector + `,"template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never","containers":[` + container + `]}}}`,
			[]string{`spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"`}},
		{"Deployment", `{"minReadySeconds":600,"progressDeadlineSeconds":600,` + selector + `,` + template + `}`,
			[]string{"spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"}},
		{"ReplicaSet", `{` + selector + `}`, []string{
			"spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
			"spec.template.spec.containers: Required value",
		}},

		{"Namespace", `{"finalizers":["bad"]}`,
			[]string{`spec.finalizers: Invalid value: "bad": name is neither a standard finalizer name nor is it fully qualified`}},
		{"Node", `{"taints":[{"key":"a","effect":"Sometimes"},{"key":"b","effect":"NoSchedule"},{"key":"b","effect":"NoSchedule"}]}`, []string{
			`metadata.taints[0].effect: Unsupported value: "Sometimes": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`,
			`metadata.taints[2]: Duplicate value: {"Key":"b","Value":"","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair`,
		}},
		{"Lease", `{"leaseDurationSeconds":0}`, []string{"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"}},
	} {
		t.Run(test.kind+test.spec, func(t *testing.T) {
			k := kindNamed(t, test.kind)
			wantErrors(t, k.Validate(created(t, k, `{"metadata":{"name":"x","namespace":"default"},"spec":`+test.spec+`}`)), test.want)
		})
	}
}

func TestCreateData(t *testing.T) {
	for _, test := range []struct {
		kind, text string
		want       []string
	}{
		{"ConfigMap", `{"data":{"a b":"c"}}`,
			[]string{`data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`}},
		{"ConfigMap", `{"data":{"a":"c"},"binaryData":{"a":"Yg=="}}`, []string{`data[a]: Invalid value: "a": duplicate of key present in binaryData`}},
		{"Secret", `{"type":"kubernetes.io/tls","data":{"a":"Yg=="}}`, []string{"data[tls.crt]: Required value", "data[tls.key]: Required value"}},
		{"Secret", `{"stringData":{"a":"b"}}`, nil},
		{"Event", `{"metadata":{"namespace":"a"},"involvedObject":{"namespace":"b"}}`,
			[]string{`involvedObject.namespace: Invalid value: "b": does not match event.namespace`}},
		{"EndpointSlice", `{"addressType":"IPv4","endpoints":[{"addresses":["10.1.2.3"]},{"addresses":["127.0.0.1"]}],"ports":[{"port":80},{"port":81}]}`,
			[]string{
				`ports[1].name: Duplicate value: ""`,
				`endpoints[1].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`,
			}},
	} {
		t.Run(test.kind+test.text, func(t *testing.T) {
			k := kindNamed(t, test.kind)
			wantErrors(t, k.Validate(created(t, k, test.text)), test.want)
		})
	}
}

func TestUpdate(t *testing.T) {
	for _, test := range []struct {
		kind, old, updated string
		want               []string
	}{
		{"Deployment", `{"spec":{` + selector + `,` + template + `}}`,
			`{"spec":{"selector":{"matchLabels":{"a":"x"}},` + template + `}}`, []string{
				"spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`",
				`spec.selector: Invalid value: {"matchLabels":{"a":"x"}}: field is immutable`,
			}},
		{"Service", `{"spec":{"clusterIP":"10.96.0.7","clusterIPs":["10.96.0.7"],"ports":[{"port":80}]}}`,
			`{"spec":{"clusterIP":"10.96.9.9","clusterIPs":["10.96.9.9"],"ports":[{"port":80}]}}`,
			[]string{`spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set`}},
		{"ConfigMap", `{"immutable":true,"data":{"a":"1"}}`, `{"immutable":true,"data":{"a":"2"}}`,
			[]string{"data: Forbidden: field is immutable when `immutable` is set"}},
		{"ConfigMap", `{"immutable":true,"data":{"a":"1"}}`, `{"immutable":false,"data":{"a":"1"}}`,
			[]string{"immutable: Forbidden: field is immutable when `immutable` is set"}},
		{"Secret", `{"type":"Opaque"}`, `{"type":"kubernetes.io/tls"}`, []string{
			`type: Invalid value: "kubernetes.io/tls": field is immutable`,
			"data[tls.crt]: Required value", "data[tls.key]: Required value",
		}},
		{"Pod", `{"spec":{"containers":[` + container + `]}}`, `{"spec":{"containers":[{"name":"c","image":"nginx:1.26"}],"activeDeadlineSeconds":5}}`, []string{
			"spec: Forbidden: " + updatable + `@@ -27,7 +27,7 @@
    "Lifecycle": null,
    "TerminationMessagePath": "/dev/termination-log",
    "TerminationMessagePolicy": "File",
-   "ImagePullPolicy": "Always",
+   "ImagePullPolicy": "IfNotPresent",
    "SecurityContext": null,
    "Stdin": false,
    "StdinOnce": false,
`}},
		{"Pod", `{"spec":{"containers":[` + container + `]}}`, `{"spec":{"restartPolicy":"Never","containers":[` + container + `]}}`, []string{
			"spec: Forbidden: " + updatable + `@@ -35,7 +35,7 @@
   }
  ],
  "EphemeralContainers": null,
- "RestartPolicy": "Always",
+ "RestartPolicy": "Never",
  "TerminationGracePeriodSeconds": 30,
  "ActiveDeadlineSeconds": null,
  "DNSPolicy": "ClusterFirst",
`}},
	} {
		t.Run(test.kind+test.updated, func(t *testing.T) {
			k := kindNamed(t, test.kind)
			old, obj := created(t, k, test.old), decode(t, k, test.updated)
			if k.PrepareForUpdate != nil {
				k.PrepareForUpdate(obj, old)
			}
			wantErrors(t, k.ValidateUpdate(obj, old), test.want)
		})
	}
}

func TestParts(t *testing.T) {
	const spec = `{"spec":{"containers":[` + container + `],"ephemeralContainers":[`
	for _, test := range []struct {
		part, old, updated string
		want               []string
	}{
		{"ephemeralcontainers", spec + `]}}`, `{"metadata":{"labels":{"ignored":"x"}},"spec":{"containers":[{"name":"ignored"}],"ephemeralContainers":[
			{"name":"d","image":"busybox","targetContainerName":"c"},{"name":"e","image":"busybox"}]}}`, nil},
		{"ephemeralcontainers", spec + `{"name":"d","image":"busybox"}]}}`, spec + `{"name":"e","image":"busybox"},{"name":"d","image":"busybox"}]}}`, nil},
		{"ephemeralcontainers", spec + `{"name":"d","image":"busybox"}]}}`, spec + `]}}`,
			[]string{"spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be removed\n"}},
		{"ephemeralcontainers", spec + `{"name":"d","image":"busybox:1"}]}}`, spec + `{"name":"d","image":"busybox:2"}]}}`,
			[]string{"spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be changed\n" + `@@ -1,6 +1,6 @@
 {
  "Name": "d",
- "Image": "busybox:1",
+ "Image": "busybox:2",
  "Command": null,
  "Args": null,
  "WorkingDir": "",
`}},
		{"ephemeralcontainers", spec + `]}}`, spec + `{"name":"c","image":"busybox","targetContainerName":"nobody","ports":[{"containerPort":80}]}]}}`, []string{
			`spec.ephemeralContainers[0].name: Duplicate value: "c"`,
			`spec.ephemeralContainers[0].targetContainerName: Not found: "nobody"`,
			"spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
		}},
		{"ephemeralcontainers", `{"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"n","containers":[` + container + `]}}`, spec + `]}}`,
			[]string{"[]: Forbidden: static pods do not support ephemeral containers"}},
	} {
		t.Run(test.part+test.updated, func(t *testing.T) {
			k := kindNamed(t, "Pod")
			part := k.Part(test.part)
			old, obj := created(t, k, test.old), decode(t, k, test.updated)
			part.PrepareForUpdate(obj, old)
			wantErrors(t, part.ValidateUpdate(obj, old), test.want)
		})
	}
}

const updatable = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"

func BenchmarkValidatePod(b *testing.B) {
	k := kindNamed(b, "Pod")
	pod := created(b, k, `{"metadata":{"name":"web-5d9c7b8c6-abcde","namespace":"default"},"spec":{
		"volumes":[{"name":"kube-api-access-abcde","projected":{"sources":[
			{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},
			{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},
			{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"fieldPath":"metadata.namespace"}}]}}]}}],
		"serviceAccountName":"default",
		"tolerations":[
			{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},
			{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],
		"containers":[{"name":"nginx","image":"nginx:1.14.2","ports":[{"containerPort":80}],
			"resources":{"requests":{"cpu":"100m","memory":"64Mi"}},
			"volumeMounts":[{"name":"kube-api-access-abcde","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}]}}`)
	if errs := k.Validate(pod); len(errs) > 0 {
		b.Fatal(errs)
	}
	for b.Loop() {
		k.Validate(pod)
	}
}
