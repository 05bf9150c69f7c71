package admission_test

import (
	"reflect"
	"testing"

	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

func TestPodSecurity(t *testing.T) {
	const pod = `{kind: Pod, metadata: {name: p, namespace: n}, spec: {containers: [{name: c, image: i`
	const unsafe = `allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ` +
		`unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ` +
		`runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ` +
		`seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`
	for name, test := range map[string]struct {
		labels, create, want string
		warnings             []string
	}{
		"unlabelled": {``, pod + `, securityContext: {privileged: true}}]}}`, "", nil},
		"baseline":   {`pod-security.kubernetes.io/enforce: baseline`, pod + `, securityContext: {privileged: true}}]}}`, `pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)`, nil},
		"fine":       {`pod-security.kubernetes.io/enforce: baseline`, pod + `}]}}`, "", nil},
		"restricted": {`pod-security.kubernetes.io/enforce: restricted`, pod + `}]}}`, `pods "p" is forbidden: violates PodSecurity "restricted:latest": ` + unsafe, nil},
		"warn":       {`pod-security.kubernetes.io/warn: restricted, pod-security.kubernetes.io/warn-version: v1.25`, pod + `}]}}`, "", []string{`would violate PodSecurity "restricted:v1.25": ` + unsafe}},
		"workload":   {`pod-security.kubernetes.io/enforce: restricted`, `{kind: Deployment, metadata: {name: d, namespace: n}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}}`, "", []string{`would violate PodSecurity "restricted:latest": ` + unsafe}},
		"hostPath":   {`pod-security.kubernetes.io/enforce: baseline`, `{kind: Pod, metadata: {name: p, namespace: n}, spec: {containers: [{name: c, image: i}], volumes: [{name: v, hostPath: {path: /}}]}}`, `pods "p" is forbidden: violates PodSecurity "baseline:latest": hostPath volumes (volume "v")`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.create(`{kind: Namespace, metadata: {name: n, labels: {` + test.labels + `}}}`)
			c.create(`{kind: ServiceAccount, metadata: {name: default, namespace: n}}`)
			resource, obj := c.parse(test.create)
			k, _ := c.Kind(resource)
			var warnings []string
			_, err := c.Operations.Create(t.Context(), k, obj, rest.WriteOptions{Warn: func(text string) { warnings = append(warnings, text) }})
			c.refused(err, test.want)
			if !reflect.DeepEqual(warnings, test.warnings) {
				t.Errorf("warnings %q\nwant     %q", warnings, test.warnings)
			}
		})
	}
}

func TestStricterLabelsTellTheirVictims(t *testing.T) {
	c := newCluster(t)
	c.create(`{kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}}`)
	c.create(`{kind: Pod, metadata: {name: b}, spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}}`)
	k, _ := c.Kind("namespaces")
	relabel := func(level string) ([]string, error) {
		var warnings []string
		current, err := c.Get(t.Context(), k, "", "default")
		if err != nil {
			t.Fatal(err)
		}
		next := current.DeepCopyObject().(store.Object)
		next.SetLabels(map[string]string{"pod-security.kubernetes.io/enforce": level})
		_, err = c.Update(t.Context(), k, "", "default", rest.Main, rest.Replace(next), rest.WriteOptions{Warn: func(text string) { warnings = append(warnings, text) }})
		return warnings, err
	}
	_, err := relabel("strict")
	c.refused(err, `Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted`)
	warnings, err := relabel("baseline")
	c.refused(err, "")
	if want := []string{`existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"`, "a (and 1 other pod): privileged"}; !reflect.DeepEqual(warnings, want) {
		t.Errorf("got %q", warnings)
	}
}
