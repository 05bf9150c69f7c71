package kinds

import (
	"strings"
	"testing"
)

const (
	jobPod      = `"template":{"spec":{"restartPolicy":"Never","containers":[` + container + `]}}`
	jobMeta     = `"metadata":{"name":"w","namespace":"n","uid":"u"}`
	indexedTwo  = `"completionMode":"Indexed","completions":2,`
	beyondRange = "metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"
)

func TestWorkloadErrors(t *testing.T) {
	for _, test := range []struct {
		kind, spec string
		want       []string
	}{
		{"DaemonSet", selector + `,` + template, nil},
		{"DaemonSet", `"selector":{},` + template, []string{`spec.selector: Invalid value: {}: empty selector is invalid for daemonset`}},
		{"DaemonSet", `"updateStrategy":{"rollingUpdate":{"maxSurge":1}},` + selector + `,` + template,
			[]string{`spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero`}},
		{"DaemonSet", `"updateStrategy":{"rollingUpdate":{"maxUnavailable":0}},` + selector + `,` + template,
			[]string{`spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`}},
		{"DaemonSet", `"updateStrategy":{"type":"Fast"},` + selector + `,` + template,
			[]string{`spec.updateStrategy: Unsupported value: {"Type":"Fast","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"`}},
		{"StatefulSet", selector + `,` + template, nil},
		{"StatefulSet", `"updateStrategy":{"rollingUpdate":{"maxUnavailable":0,"partition":-1}},` + selector + `,` + template, []string{
			`spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0`,
			`spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0`}},
		{"StatefulSet", `"serviceName":"A_b",` + selector + `,` + template, []string{`spec.serviceName: Invalid value: "A_b": ` + labelRule}},
		{"StatefulSet", `"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Keep"},` + selector + `,` + template,
			[]string{`spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete"`}},
		{"StatefulSet", selector + `,"volumeClaimTemplates":[{"metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}],` +
			`"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"x","volumeMounts":[{"name":"d","mountPath":"/d"}]}]}}`, nil},
		{"ReplicationController", template, nil},
		{"ReplicationController", `"selector":{"a":"c"},` + template, []string{`spec.template.` + beyondRange}},
		{"ReplicationController", `"replicas":1`, []string{`spec.selector: Required value`, `spec.template: Required value`}},
		{"Job", jobPod, nil},
		{"Job", `"completionMode":"Indexed",` + jobPod, nil},
		{"Job", `"completionMode":"Indexed","parallelism":2,` + jobPod, []string{`spec.completions: Required value: when completion mode is Indexed`}},
		{"Job", `"backoffLimitPerIndex":1,` + jobPod, []string{`spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode`}},
		{"Job", indexedTwo + `"maxFailedIndexes":3,` + jobPod, []string{
			`spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified`,
			`spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions`}},
		{"Job", indexedTwo + `"successPolicy":{"rules":[{"succeededIndexes":"0-2","succeededCount":3}]},` + jobPod, []string{
			`spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-2": error parsing succeededIndexes: too large index: "2"`,
			`spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of specified completions)`,
			`spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)`}},
		{"Job", `"podFailurePolicy":{"rules":[{"action":"FailJob","onExitCodes":{"operator":"In","values":[0,42,1],"containerName":"x"}},{"action":"FailIndex"}]},` + jobPod, []string{
			`spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template`,
			`spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`,
			`spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [0,42,1]: must be ordered`,
			`spec.podFailurePolicy.rules[1].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
			`spec.podFailurePolicy.rules[1]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`}},
		{"Job", `"template":{"metadata":{"labels":{"job-name":"other"}},"spec":{"restartPolicy":"Never","containers":[` + container + `]}}`, []string{
			`spec.template.metadata.labels[job-name]: Invalid value: {"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"w","controller-uid":"u","job-name":"other"}: must be 'w'`}},
		{"CronJob", `"schedule":"@daily","timeZone":"Europe/Berlin","jobTemplate":{"spec":{` + jobPod + `}}`, nil},
		{"CronJob", `"schedule":"TZ=UTC 0 0 * * *","timeZone":"Local","jobTemplate":{"spec":{"manualSelector":true,` + jobPod + `}}`, []string{
			"spec.schedule: Invalid value: \"TZ=UTC 0 0 * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
			`spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones`,
			`spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"`}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			k := kindNamed(t, test.kind)
			obj := created(t, k, `{`+jobMeta+`,"spec":{`+test.spec+`}}`)
			wantErrors(t, k.Validate(obj), test.want)
		})
	}
}

func TestWorkloadUpdateErrors(t *testing.T) {
	for _, test := range []struct {
		kind, before, after string
		want                []string
	}{
		{"DaemonSet", selector + `,` + template, `"minReadySeconds":5,` + selector + `,` + template, nil},
		{"StatefulSet", selector + `,` + template, `"serviceName":"s","replicas":4,` + selector + `,` + template,
			[]string{`spec.serviceName: Invalid value: "s": field is immutable`}},
		{"Job", jobPod, `"completions":2,` + jobPod, []string{`spec.completions: Invalid value: 2: field is immutable`}},
		{"Job", indexedTwo + `"parallelism":2,` + jobPod, `"completionMode":"Indexed","completions":5,"parallelism":2,` + jobPod,
			[]string{`spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism`}},
		{"Job", indexedTwo + `"parallelism":2,` + jobPod, `"completionMode":"Indexed","completions":5,"parallelism":5,` + jobPod, nil},
		{"Job", `"suspend":true,` + jobPod, `"suspend":true,` + strings.Replace(jobPod, `"restartPolicy"`, `"nodeSelector":{"a":"b"},"restartPolicy"`, 1), nil},
	} {
		t.Run(test.kind, func(t *testing.T) {
			k := kindNamed(t, test.kind)
			old := created(t, k, `{`+jobMeta+`,"spec":{`+test.before+`}}`)
			obj := created(t, k, `{`+jobMeta+`,"spec":{`+test.after+`}}`)
			k.PrepareForUpdate(obj, old)
			wantErrors(t, k.ValidateUpdate(obj, old), test.want)
		})
	}
}

// TestJobTemplateIsImmutable: the error shows the template as Kubernetes has it
// internally.
func TestJobTemplateIsImmutable(t *testing.T) {
	k := kindNamed(t, "Job")
	old := created(t, k, `{`+jobMeta+`,"spec":{`+jobPod+`}}`)
	obj := created(t, k, `{`+jobMeta+`,"spec":{`+strings.Replace(jobPod, "nginx", "nginx:2", 1)+`}}`)
	errs := k.ValidateUpdate(obj, old)
	if len(errs) != 1 {
		t.Fatalf("errors %v", errs)
	}
	const start, end = `spec.template: Invalid value: {"labels":{"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"w","controller-uid":"u","job-name":"w"},"Spec":{"Volumes":null,"InitContainers":null,"Containers":[{"Name":"c","Image":"nginx:2","Command":null,`,
		`"HostnameOverride":null,"SchedulingGroup":null,"EvictionResponders":null}}: field is immutable`
	if text := errs[0].Error(); !strings.HasPrefix(text, start) || !strings.HasSuffix(text, end) {
		t.Error(text)
	}
}

// TestTemplateGeneration: only the API counts a DaemonSet's templates.
func TestTemplateGeneration(t *testing.T) {
	k := kindNamed(t, "DaemonSet")
	const annotation = "deprecated.daemonset.template.generation"
	old := created(t, k, `{`+jobMeta+`,"spec":{`+selector+`,`+template+`}}`)
	if got := old.GetAnnotations()[annotation]; got != "1" {
		t.Errorf("created with %q", got)
	}
	same := created(t, k, `{"metadata":{"name":"w","annotations":{"`+annotation+`":"7"}},"spec":{"minReadySeconds":9,`+selector+`,`+template+`}}`)
	k.PrepareForUpdate(same, old)
	if got := same.GetAnnotations()[annotation]; got != "1" {
		t.Errorf("%q without a change of the template", got)
	}
	changed := created(t, k, `{`+jobMeta+`,"spec":{`+selector+`,`+strings.Replace(template, "nginx", "nginx:2", 1)+`}}`)
	k.PrepareForUpdate(changed, old)
	if got := changed.GetAnnotations()[annotation]; got != "2" {
		t.Errorf("%q after a change of the template", got)
	}
}
