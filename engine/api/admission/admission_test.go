package admission_test

import (
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/store"
)

// cluster is an API in whose namespace "default" everything happens.
type cluster struct {
	*testing.T
	*rest.Operations
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	c := clock.NewVirtual(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	o := rest.New(store.NewMemory(0), c, rand.New(rand.NewPCG(1, 2)), kinds.All())
	if err := o.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	cluster := cluster{t, o}
	cluster.create(`{kind: ServiceAccount, metadata: {name: default}, imagePullSecrets: [{name: registry}]}`)
	return cluster
}

// parse reads an object of a served kind.
func (c cluster) parse(text string) (string, store.Object) {
	c.Helper()
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal([]byte(text), &meta); err != nil {
		c.Fatal(err)
	}
	for _, k := range c.Kinds() {
		if k.Kind != meta.Kind {
			continue
		}
		obj := k.New()
		if err := yaml.UnmarshalStrict([]byte(text), obj); err != nil {
			c.Fatalf("%v\n%s", err, text)
		}
		if k.Namespaced && obj.GetNamespace() == "" {
			obj.SetNamespace("default")
		}
		return k.Resource(), obj
	}
	c.Fatalf("no kind %q", meta.Kind)
	return "", nil
}

func (c cluster) try(text string) (store.Object, error) {
	c.Helper()
	resource, obj := c.parse(text)
	k, _ := c.Kind(resource)
	return c.Operations.Create(c.Context(), k, obj, rest.WriteOptions{})
}

func (c cluster) create(text string) store.Object {
	c.Helper()
	created, err := c.try(text)
	if err != nil {
		c.Fatal(err)
	}
	return created
}

// refused expects an error's whole text; none if it is empty.
func (c cluster) refused(err error, want string) {
	c.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		c.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	const pod = `{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i`
	for name, test := range map[string]struct {
		before []string
		create string
		want   string
	}{
		"no such namespace": {nil, `{kind: ConfigMap, metadata: {name: m, namespace: none}}`,
			`namespaces "none" not found`},
		"no such account": {nil, `{kind: Pod, metadata: {generateName: p-}, spec: {serviceAccountName: robot, containers: [{name: c, image: i}]}}`,
			`pods "p-" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found`},
		"secret that the account does not list": {
			[]string{`{kind: ServiceAccount, metadata: {name: strict, annotations: {kubernetes.io/enforce-mountable-secrets: "true"}}}`},
			`{kind: Pod, metadata: {name: p}, spec: {serviceAccountName: strict, containers: [{name: c, image: i}], volumes: [{name: v, secret: {secretName: s}}]}}`,
			`pods "p" is forbidden: volume with secret.secretName="s" is not allowed because service account strict does not reference that secret`},
		"no such class": {nil, `{kind: Pod, metadata: {name: p}, spec: {priorityClassName: missing, containers: [{name: c, image: i}]}}`,
			`pods "p" is forbidden: no PriorityClass with name missing was found`},
		"priority of its own": {nil, `{kind: Pod, metadata: {name: p}, spec: {priority: 7, containers: [{name: c, image: i}]}}`,
			`pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name`},
		"second default class": {
			[]string{`{kind: PriorityClass, metadata: {name: a}, value: 5, globalDefault: true}`},
			`{kind: PriorityClass, metadata: {name: b}, value: 6, globalDefault: true}`,
			`priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already marked as default. Only one default can exist`},
		"too little memory": {
			[]string{`{kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, min: {memory: 100Mi}}]}}`},
			pod + `, resources: {requests: {memory: 50Mi}}}]}}`,
			`pods "p" is forbidden: minimum memory usage per Container is 100Mi, but request is 50Mi`},
		"too much CPU and no limit": {
			[]string{`{kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Pod, max: {cpu: "1"}}]}}`},
			pod + `, resources: {requests: {cpu: "2"}}}]}}`,
			`pods "p" is forbidden: maximum cpu usage per Pod is 1.  No limit is specified`},
		"several at once": {
			[]string{`{kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, max: {cpu: "1", memory: 1Gi}}]}}`},
			pod + `, resources: {limits: {cpu: "2", memory: 2Gi}}}]}}`,
			`pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]`},
		"ratio": {
			[]string{`{kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, maxLimitRequestRatio: {cpu: "2"}}]}}`},
			pod + `, resources: {requests: {cpu: 100m}, limits: {cpu: 300m}}}]}}`,
			`pods "p" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000`},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			for _, text := range test.before {
				c.create(text)
			}
			_, err := c.try(test.create)
			c.refused(err, test.want)
		})
	}
}

func TestLimitRangeGivesDefaults(t *testing.T) {
	c := newCluster(t)
	c.create(`{kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, max: {memory: 1Gi}, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}]}}`)
	pod := c.create(`{kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: i}, {name: b, image: i, resources: {limits: {memory: 10Mi}}}]}}`).(*corev1.Pod)
	const want = "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a; cpu request for container b; cpu limit for container b"
	if got := pod.Annotations["kubernetes.io/limit-ranger"]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	limits := pod.Spec.Containers[0].Resources.Limits
	if cpu, memory := limits.Cpu().String(), limits.Memory().String(); cpu != "500m" || memory != "1Gi" {
		t.Errorf("got limits of %s CPU and %s memory", cpu, memory)
	}
	if memory := pod.Spec.Containers[1].Resources.Requests.Memory().String(); memory != "10Mi" {
		t.Errorf("b requests %s", memory)
	}
}

func TestPodsGetWhatTheyNeed(t *testing.T) {
	c := newCluster(t)
	c.create(`{kind: PriorityClass, metadata: {name: usual}, value: 5, globalDefault: true, preemptionPolicy: Never}`)
	pod := c.create(`{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}`).(*corev1.Pod)
	spec := &pod.Spec
	if spec.PriorityClassName != "usual" || *spec.Priority != 5 || *spec.PreemptionPolicy != corev1.PreemptNever {
		t.Errorf("priority %s %d %s", spec.PriorityClassName, *spec.Priority, *spec.PreemptionPolicy)
	}
	if spec.ServiceAccountName != "default" || len(spec.ImagePullSecrets) != 1 || len(spec.Volumes) != 1 || len(spec.Containers[0].VolumeMounts) != 1 {
		t.Errorf("account %+v", spec)
	}
	if len(spec.Tolerations) != 2 || *spec.Tolerations[0].TolerationSeconds != 300 {
		t.Errorf("tolerations %+v", spec.Tolerations)
	}
}

func TestNewNodesAreNotReady(t *testing.T) {
	c := newCluster(t)
	node := c.create(`{kind: Node, metadata: {name: n}}`).(*corev1.Node)
	if len(node.Spec.Taints) != 1 || node.Spec.Taints[0].Key != corev1.TaintNodeNotReady || node.Spec.Taints[0].Effect != corev1.TaintEffectNoSchedule {
		t.Errorf("taints %+v", node.Spec.Taints)
	}
}

func TestWhatEveryClusterHasStays(t *testing.T) {
	c := newCluster(t)
	for resource, test := range map[string]struct{ name, want string }{
		"namespaces":                        {"kube-system", `namespaces "kube-system" is forbidden: this namespace may not be deleted`},
		"priorityclasses.scheduling.k8s.io": {"system-node-critical", `priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted`},
	} {
		k, _ := c.Kind(resource)
		_, _, err := c.Delete(t.Context(), k, "", test.name, metav1.DeleteOptions{})
		c.refused(err, test.want)
	}
}
