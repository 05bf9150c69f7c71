package statefulset_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/garbagecollector"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
	"tidepool.dev/tidepool/engine/controller/statefulset"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		statefulset.New(c.Cache, c.ClientOf(statefulset.Name), c.Recorder(statefulset.Name), c.Clock),
		garbagecollector.New(c.Cache, c.ClientOf(garbagecollector.Name), c.Recorder(garbagecollector.Name), c.Clock, kinds.All(), c.Operations.Definitions().Custom),
		serviceaccount.New(c.Cache, c.ClientOf(serviceaccount.Name), nil, c.Clock),
	}
}

// db is the StatefulSet of the recorded scenario sts-ordered.
func db(replicas int32) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
		Spec: appsv1.StatefulSetSpec{
			ServiceName: "db",
			Replicas:    &replicas,
			Selector:    &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "db"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "db", Image: "postgres:16"}}},
			},
		},
	}
}

func withClaims(set *appsv1.StatefulSet) *appsv1.StatefulSet {
	set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{
		ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: apiresource.MustParse("1Gi")}},
		},
	}}
	return set
}

func start(c *controllertest.Cluster, set *appsv1.StatefulSet) {
	c.Helper()
	c.AddNodes(3)
	c.Until("has a default service account", func() bool {
		_, ok := controllertest.Get[*corev1.ServiceAccount](c, "default", "default")
		return ok
	})
	controllertest.Create(c, set)
}

func get(c *controllertest.Cluster) *appsv1.StatefulSet {
	c.Helper()
	set, ok := controllertest.Get[*appsv1.StatefulSet](c, "default", "db")
	if !ok {
		c.Fatal("the StatefulSet is gone")
	}
	return set
}

func change(c *controllertest.Cluster, edit func(*appsv1.StatefulSet)) {
	c.Helper()
	controllertest.Change(c, "default", "db", edit)
}

func setImage(image string) func(*appsv1.StatefulSet) {
	return func(set *appsv1.StatefulSet) { set.Spec.Template.Spec.Containers[0].Image = image }
}

func scale(c *controllertest.Cluster, replicas int32) {
	c.Helper()
	change(c, func(set *appsv1.StatefulSet) { set.Spec.Replicas = &replicas })
}

// settled waits until all pods are ready and nothing is left to do.
func settled(c *controllertest.Cluster) *appsv1.StatefulSet {
	c.Helper()
	c.Until("settled", func() bool {
		set := get(c)
		s, n := &set.Status, *set.Spec.Replicas
		return s.ObservedGeneration == set.Generation && s.Replicas == n && s.ReadyReplicas == n && s.AvailableReplicas == n && len(pods(c)) == int(n)
	})
	return get(c)
}

func updated(c *controllertest.Cluster) {
	c.Helper()
	c.Until("updated", func() bool {
		set := get(c)
		s, n := &set.Status, *set.Spec.Replicas
		return s.ObservedGeneration == set.Generation && s.UpdatedReplicas == n && s.CurrentRevision == s.UpdateRevision && s.CurrentReplicas == n && s.AvailableReplicas == n
	})
}

// pods are "name image".
func pods(c *controllertest.Cluster) []string {
	var lines []string
	for _, pod := range controllertest.List[*corev1.Pod](c, "default") {
		lines = append(lines, pod.Name+" "+pod.Spec.Containers[0].Image)
	}
	return lines
}

func expect(c *controllertest.Cluster, what string, got []string, want ...string) {
	c.Helper()
	if !slices.Equal(got, want) {
		c.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestOrder(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, db(3))
		settled(c)
		scale(c, 1)
		settled(c)
		expect(c, "pods", pods(c), "db-0 postgres:16")
		expect(c, "events", c.Events("StatefulSet", "db"),
			"Normal SuccessfulCreate: create Pod db-0 in StatefulSet db successful",
			"Normal SuccessfulCreate: create Pod db-1 in StatefulSet db successful",
			"Normal SuccessfulCreate: create Pod db-2 in StatefulSet db successful",
			"Normal SuccessfulDelete: delete Pod db-2 in StatefulSet db successful",
			"Normal SuccessfulDelete: delete Pod db-1 in StatefulSet db successful")
		pod, _ := controllertest.Get[*corev1.Pod](c, "default", "db-0")
		for key, want := range map[string]string{
			"apps.kubernetes.io/pod-index": "0", "statefulset.kubernetes.io/pod-name": "db-0", "controller-revision-hash": "db-7f565fc5bc", // as recorded
		} {
			if got := pod.Labels[key]; got != want {
				c.Errorf("%s: %q, want %q", key, got, want)
			}
		}
		if pod.Spec.Hostname != "db-0" || pod.Spec.Subdomain != "db" || pod.GenerateName != "db-" {
			c.Errorf("hostname %q, subdomain %q, generateName %q", pod.Spec.Hostname, pod.Spec.Subdomain, pod.GenerateName)
		}
	})
}

// TestOrderWaits: nothing happens to others as long as one is not ready.
func TestOrderWaits(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		set := db(3)
		setImage(controllertest.NeverReady)(set)
		start(c, set)
		c.Pass(time.Minute)
		expect(c, "pods", pods(c), "db-0 never-ready")
	})
}

func TestParallel(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		set := db(4)
		set.Spec.PodManagementPolicy = appsv1.ParallelPodManagement
		setImage(controllertest.NeverReady)(set)
		start(c, set)
		c.Until("has all", func() bool { return len(pods(c)) == 4 })
		scale(c, 1)
		c.Until("has one", func() bool { return len(pods(c)) == 1 })
		change(c, setImage("postgres:17"))
		updated(c) // what is not ready may go at once
	})
}

func TestReplacement(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, db(2))
		settled(c)
		before, _ := controllertest.Get[*corev1.Pod](c, "default", "db-0")
		controllertest.Delete[*corev1.Pod](c, "default", "db-0", metav1.DeleteOptions{})
		c.Until("has another of the same name", func() bool {
			pod, ok := controllertest.Get[*corev1.Pod](c, "default", "db-0")
			return ok && pod.UID != before.UID
		})
		settled(c)
		controllertest.ChangeStatus(c, "default", "db-1", func(pod *corev1.Pod) { pod.Status.Phase = corev1.PodFailed })
		c.Until("the failed one is replaced", func() bool {
			pod, ok := controllertest.Get[*corev1.Pod](c, "default", "db-1")
			return ok && pod.Status.Phase == corev1.PodRunning
		})
	})
}

func TestRollingUpdate(t *testing.T) {
	for _, test := range []struct {
		name        string
		unavailable *intstr.IntOrString
		policy      appsv1.PodManagementPolicyType
		fewest      int
	}{
		{"one at a time", nil, appsv1.OrderedReadyPodManagement, 3},
		{"two at a time", new(intstr.FromInt(2)), appsv1.OrderedReadyPodManagement, 2},
		{"half, in parallel", new(intstr.FromString("50%")), appsv1.ParallelPodManagement, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				set := db(4)
				set.Spec.PodManagementPolicy = test.policy
				set.Spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
				set.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{MaxUnavailable: test.unavailable}
				start(c, set)
				settled(c)
				change(c, setImage("postgres:17"))
				c.Until("updated from the last to the first", func() bool {
					ready, firstNew := 0, 99
					for i, pod := range controllertest.List[*corev1.Pod](c, "default") {
						if pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning {
							ready++
						}
						if pod.Spec.Containers[0].Image == "postgres:17" {
							firstNew = min(firstNew, i)
						} else if i > firstNew && pod.DeletionTimestamp == nil && test.policy == appsv1.OrderedReadyPodManagement && test.unavailable == nil {
							c.Fatalf("%s is older than one before it", pod.Name)
						}
					}
					if ready < test.fewest {
						c.Fatalf("%d ready, want at least %d", ready, test.fewest)
					}
					return get(c).Status.UpdatedReplicas == 4
				})
				updated(c)
			})
		})
	}
}

func TestPartition(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		set := db(3)
		set.Spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
		set.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}
		start(c, set)
		settled(c)
		change(c, setImage("postgres:17"))
		c.Until("updated the last", func() bool { s := get(c).Status; return s.UpdatedReplicas == 1 && s.ReadyReplicas == 3 })
		expect(c, "pods", pods(c), "db-0 postgres:16", "db-1 postgres:16", "db-2 postgres:17")
		if s := get(c).Status; s.CurrentReplicas != 2 || s.CurrentRevision == s.UpdateRevision {
			c.Errorf("status %+v", s)
		}
		// One that is left out comes back as it was.
		controllertest.Delete[*corev1.Pod](c, "default", "db-0", metav1.DeleteOptions{})
		c.Until("settled", func() bool { return len(pods(c)) == 3 && get(c).Status.ReadyReplicas == 3 })
		expect(c, "pods", pods(c), "db-0 postgres:16", "db-1 postgres:16", "db-2 postgres:17")
		change(c, func(set *appsv1.StatefulSet) { *set.Spec.UpdateStrategy.RollingUpdate.Partition = 0 })
		updated(c)
	})
}

func TestOnDelete(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		set := db(2)
		set.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
		start(c, set)
		settled(c)
		change(c, setImage("postgres:17"))
		c.Until("observed", func() bool { s := get(c).Status; return s.ObservedGeneration == 2 && s.UpdatedReplicas == 0 })
		controllertest.Delete[*corev1.Pod](c, "default", "db-0", metav1.DeleteOptions{})
		c.Until("replaced one", func() bool { return slices.Equal(pods(c), []string{"db-0 postgres:17", "db-1 postgres:16"}) })
	})
}

func TestRollback(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		set := db(2)
		set.Spec.RevisionHistoryLimit = new(int32(1))
		start(c, set)
		settled(c)
		for _, image := range []string{"postgres:17", "postgres:18", "postgres:17"} {
			change(c, setImage(image))
			updated(c)
		}
		c.Until("kept one old revision", func() bool {
			var numbers []int64
			for _, r := range controllertest.List[*appsv1.ControllerRevision](c, "default") {
				numbers = append(numbers, r.Revision)
			}
			slices.Sort(numbers)
			return slices.Equal(numbers, []int64{3, 4}) // the second has become the fourth
		})
	})
}

func TestOrdinals(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		set := db(2)
		set.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 5}
		start(c, set)
		settled(c)
		expect(c, "pods", pods(c), "db-5 postgres:16", "db-6 postgres:16")
		change(c, func(set *appsv1.StatefulSet) { set.Spec.Ordinals.Start = 6 })
		settled(c)
		expect(c, "pods", pods(c), "db-6 postgres:16", "db-7 postgres:16")
	})
}

func claims(c *controllertest.Cluster) []string {
	var lines []string
	for _, claim := range controllertest.List[*corev1.PersistentVolumeClaim](c, "default") {
		line := claim.Name
		for _, ref := range claim.OwnerReferences {
			line += " of " + ref.Kind
		}
		lines = append(lines, line)
	}
	return lines
}

func TestClaims(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		start(c, withClaims(db(2)))
		settled(c)
		expect(c, "claims", claims(c), "data-db-0", "data-db-1")
		pod, _ := controllertest.Get[*corev1.Pod](c, "default", "db-1")
		if volume := pod.Spec.Volumes[0]; volume.Name != "data" || volume.PersistentVolumeClaim.ClaimName != "data-db-1" {
			c.Errorf("volume %v", volume)
		}
		claim, _ := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data-db-1")
		if claim.Labels["app"] != "db" {
			c.Errorf("labels %v", claim.Labels)
		}
		if got := c.Events("StatefulSet", "db")[0]; got != "Normal SuccessfulCreate: create Claim data-db-0 Pod db-0 in StatefulSet db success" {
			c.Errorf("first event %q", got)
		}
		scale(c, 1)
		settled(c)
		expect(c, "claims that stay", claims(c), "data-db-0", "data-db-1")
		scale(c, 2)
		settled(c)
	})
}

func TestClaimRetention(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		set := withClaims(db(2))
		set.Spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
			WhenScaled: appsv1.DeletePersistentVolumeClaimRetentionPolicyType, WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		}
		start(c, set)
		settled(c)
		c.Until("claims belong to the set", func() bool {
			return slices.Equal(claims(c), []string{"data-db-0 of StatefulSet", "data-db-1 of StatefulSet"})
		})
		scale(c, 1)
		settled(c)
		c.Until("the claim of the pod goes with it", func() bool {
			claim, ok := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data-db-1")
			return !ok || claim.DeletionTimestamp != nil
		})
		if claim, ok := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data-db-0"); !ok || claim.DeletionTimestamp != nil {
			c.Error("the other claim has gone too")
		}
	})
}

// TestRest: a StatefulSet at rest is left alone.
func TestRest(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		start(c, withClaims(db(3)))
		before := settled(c).ResourceVersion
		c.Pass(time.Hour)
		if after := get(c).ResourceVersion; after != before {
			c.Errorf("written at rest: %s, then %s", before, after)
		}
	})
}

// TestFailedCreate: what keeps pods from being created is told.
func TestFailedCreate(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.TolerateFailures()
		set := db(1)
		set.Spec.Template.Spec.ServiceAccountName = "absent"
		start(c, set)
		c.Until("says so", func() bool {
			events := c.Events("StatefulSet", "db")
			return len(events) > 0 && strings.HasPrefix(events[0], "Warning FailedCreate: create Pod db-0 in StatefulSet db failed error: "+
				fmt.Sprintf("pods %q is forbidden", "db-0"))
		})
	})
}
