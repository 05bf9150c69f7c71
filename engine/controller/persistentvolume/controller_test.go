package persistentvolume_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/persistentvolume"
	"tidepool.dev/tidepool/engine/controller/volumeprotection"
)

func build(c *controllertest.Cluster) []controller.Controller {
	return []controller.Controller{
		persistentvolume.New(c.Cache, c.ClientOf(persistentvolume.Name), c.Recorder(persistentvolume.Component), c.Clock),
		volumeprotection.NewClaims(c.Cache, c.ClientOf(volumeprotection.ClaimsName), c.Clock),
		volumeprotection.NewVolumes(c.Cache, c.ClientOf(volumeprotection.VolumesName)),
	}
}

func volume(name, size string, change ...func(*corev1.PersistentVolume)) *corev1.PersistentVolume {
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:               corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
			AccessModes:            []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			StorageClassName:       "manual",
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/mnt/" + name}},
		},
	}
	for _, f := range change {
		f(v)
	}
	return v
}

func claim(name, size string, change ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	class := "manual"
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}},
		},
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func phases(c *controllertest.Cluster) (list []string) {
	for _, v := range controllertest.List[*corev1.PersistentVolume](c, "") {
		owner := "-"
		if v.Spec.ClaimRef != nil {
			owner = v.Spec.ClaimRef.Name
		}
		list = append(list, fmt.Sprintf("%s %s %s", v.Name, v.Status.Phase, owner))
	}
	for _, p := range controllertest.List[*corev1.PersistentVolumeClaim](c, "") {
		list = append(list, fmt.Sprintf("%s %s %s", p.Name, p.Status.Phase, p.Spec.VolumeName))
	}
	return list
}

func until(c *controllertest.Cluster, want ...string) {
	c.Helper()
	c.Until(fmt.Sprint(want), func() bool { return slices.Equal(phases(c), want) })
}

func TestStaticBinding(t *testing.T) {
	blue := func(v *corev1.PersistentVolume) { v.Labels = map[string]string{"colour": "blue"} }
	shared := func(v *corev1.PersistentVolume) {
		v.Spec.AccessModes = append(v.Spec.AccessModes, corev1.ReadWriteMany)
	}
	other := func(v *corev1.PersistentVolume) { v.Spec.StorageClassName = "other" }
	block := func(v *corev1.PersistentVolume) { v.Spec.VolumeMode = new(corev1.PersistentVolumeBlock) }
	for _, test := range []struct {
		name   string
		change func(*corev1.PersistentVolumeClaim)
		want   string
	}{
		{"the smallest that suffices", func(*corev1.PersistentVolumeClaim) {}, "middle"},
		{"a selector", func(p *corev1.PersistentVolumeClaim) {
			p.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"colour": "blue"}}
		}, "blue"},
		{"a class", func(p *corev1.PersistentVolumeClaim) { p.Spec.StorageClassName = new("other") }, "other"},
		{"an access mode", func(p *corev1.PersistentVolumeClaim) {
			p.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
		}, "shared"},
		{"a block device", func(p *corev1.PersistentVolumeClaim) { p.Spec.VolumeMode = new(corev1.PersistentVolumeBlock) }, "block"},
		{"by name", func(p *corev1.PersistentVolumeClaim) { p.Spec.VolumeName = "large" }, "large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				for _, v := range []*corev1.PersistentVolume{
					volume("small", "1Gi"), volume("middle", "5Gi"), volume("large", "10Gi"), volume("blue", "7Gi", blue),
					volume("shared", "6Gi", shared), volume("other", "3Gi", other), volume("block", "4Gi", block),
				} {
					controllertest.Create(c, v)
				}
				c.Until("all available", func() bool {
					return !slices.ContainsFunc(controllertest.List[*corev1.PersistentVolume](c, ""), func(v *corev1.PersistentVolume) bool {
						return v.Status.Phase != corev1.VolumeAvailable
					})
				})
				controllertest.Create(c, claim("data", "2Gi", test.change))
				c.Until("bound", func() bool {
					p, _ := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data")
					return p.Status.Phase == corev1.ClaimBound
				})
				p, _ := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data")
				if p.Spec.VolumeName != test.want || p.Annotations["pv.kubernetes.io/bind-completed"] != "yes" {
					c.Errorf("bound to %s, want %s; annotations %v", p.Spec.VolumeName, test.want, p.Annotations)
				}
				if _, byController := p.Annotations["pv.kubernetes.io/bound-by-controller"]; byController == (test.name == "by name") {
					c.Errorf("annotations %v", p.Annotations)
				}
			})
		})
	}
}

func TestLifeOfARetainedVolume(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, volume("v", "2Gi"))
		until(c, "v Available -")
		controllertest.Create(c, claim("data", "1Gi"))
		until(c, "v Bound data", "data Bound v")
		p, _ := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data")
		size := p.Status.Capacity[corev1.ResourceStorage]
		if size.String() != "2Gi" || !slices.Equal(p.Finalizers, []string{"kubernetes.io/pvc-protection"}) {
			c.Errorf("capacity %s, finalizers %v", size.String(), p.Finalizers)
		}
		c.Until("noted as unused", func() bool {
			p, _ := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data")
			return len(p.Status.Conditions) == 1 && p.Status.Conditions[0].Reason == "NoPodsUsingPVC"
		})
		controllertest.Delete[*corev1.PersistentVolume](c, "", "v", metav1.DeleteOptions{})
		controllertest.Delete[*corev1.PersistentVolumeClaim](c, "default", "data", metav1.DeleteOptions{})
		c.Until("both gone", func() bool { return len(phases(c)) == 0 })
		controllertest.Create(c, volume("v", "2Gi"))
		until(c, "v Available -")
		controllertest.Create(c, claim("data", "1Gi"))
		until(c, "v Bound data", "data Bound v")
		controllertest.Delete[*corev1.PersistentVolumeClaim](c, "default", "data", metav1.DeleteOptions{})
		until(c, "v Released data")
		controllertest.Create(c, claim("data", "1Gi"))
		c.Pass(time.Minute)
		until(c, "v Released data", "data Pending ")
		if got := c.Events("PersistentVolumeClaim", "data"); !slices.Equal(got, []string{
			`Warning ProvisioningFailed: storageclass.storage.k8s.io "manual" not found`,
		}) {
			c.Errorf("events %q", got)
		}
	})
}

func TestReservedVolumes(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, volume("kept", "9Gi", func(v *corev1.PersistentVolume) {
			v.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "default", Name: "mine"}
		}))
		until(c, "kept Available mine")
		controllertest.Create(c, claim("other", "1Gi", func(p *corev1.PersistentVolumeClaim) { p.Spec.VolumeName = "kept" }))
		c.Until("refused", func() bool { return len(c.Events("PersistentVolumeClaim", "other")) > 0 })
		if got := c.Events("PersistentVolumeClaim", "other"); !slices.Equal(got, []string{
			`Warning FailedBinding: volume "kept" already bound to a different claim.`,
		}) {
			c.Errorf("events %q", got)
		}
		controllertest.Create(c, claim("mine", "1Gi"))
		until(c, "kept Bound mine", "mine Bound kept", "other Pending kept")
		v, _ := controllertest.Get[*corev1.PersistentVolume](c, "", "kept")
		if _, byController := v.Annotations["pv.kubernetes.io/bound-by-controller"]; byController || v.Spec.ClaimRef.UID == "" {
			c.Errorf("annotations %v, claim %v", v.Annotations, v.Spec.ClaimRef)
		}
	})
}

func TestMismatch(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, volume("v", "1Gi"))
		until(c, "v Available -")
		controllertest.Create(c, claim("data", "2Gi", func(p *corev1.PersistentVolumeClaim) { p.Spec.VolumeName = "v" }))
		c.Until("refused", func() bool { return len(c.Events("PersistentVolumeClaim", "data")) > 0 })
		if got := c.Events("PersistentVolumeClaim", "data"); !slices.Equal(got, []string{
			`Warning VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small`,
		}) {
			c.Errorf("events %q", got)
		}
	})
}

func TestLostClaim(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, volume("v", "1Gi"))
		controllertest.Create(c, claim("data", "1Gi"))
		until(c, "v Bound data", "data Bound v")
		controllertest.Delete[*corev1.PersistentVolume](c, "", "v", metav1.DeleteOptions{})
		c.Until("its end is asked for", func() bool {
			v, _ := controllertest.Get[*corev1.PersistentVolume](c, "", "v")
			return v.DeletionTimestamp != nil
		})
		c.Pass(time.Minute)
		until(c, "v Bound data", "data Bound v") // protected
		controllertest.Change(c, "", "v", func(v *corev1.PersistentVolume) { v.Finalizers = nil })
		until(c, "data Lost v")
		if got := c.Events("PersistentVolumeClaim", "data"); !slices.Contains(got,
			"Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!") {
			c.Errorf("events %q", got)
		}
	})
}

func TestReclaim(t *testing.T) {
	for _, test := range []struct {
		name, path string
		policy     corev1.PersistentVolumeReclaimPolicy
		want, says string
	}{
		{"a temporary directory", "/tmp/x", corev1.PersistentVolumeReclaimDelete, "[]", ""},
		{"another directory", "/mnt/x", corev1.PersistentVolumeReclaimDelete, "[v Failed data]",
			"Warning VolumeFailedDelete: host_path deleter only supports /tmp/.+ but received provided /mnt/x"},
		{"recycling", "/mnt/x", corev1.PersistentVolumeReclaimRecycle, "[v Available -]", "Normal VolumeRecycled: Volume recycled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			controllertest.Run(t, build, func(c *controllertest.Cluster) {
				controllertest.Create(c, volume("v", "1Gi", func(v *corev1.PersistentVolume) {
					v.Spec.HostPath.Path, v.Spec.PersistentVolumeReclaimPolicy = test.path, test.policy
				}))
				controllertest.Create(c, claim("data", "1Gi"))
				until(c, "v Bound data", "data Bound v")
				controllertest.Delete[*corev1.PersistentVolumeClaim](c, "default", "data", metav1.DeleteOptions{})
				c.Until(test.want, func() bool { return fmt.Sprint(phases(c)) == test.want })
				if got := c.Events("PersistentVolume", "v"); test.says != "" && !slices.Equal(got, []string{test.says}) {
					c.Errorf("events %q", got)
				}
			})
		})
	}
}

// TestClaimInUse: a claim stays until the last pod that uses it is gone.
func TestClaimInUse(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		c.AddNodes(1)
		controllertest.Create(c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}})
		controllertest.Create(c, volume("v", "1Gi"))
		controllertest.Create(c, claim("data", "1Gi"))
		until(c, "v Bound data", "data Bound v")
		controllertest.Create(c, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
			Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "web", Image: "nginx"}},
				Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}},
			},
		})
		c.Until("noted as used", func() bool {
			p, _ := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data")
			return len(p.Status.Conditions) == 1 && p.Status.Conditions[0].Reason == "PodUsingPVC"
		})
		c.Until("bound to a node", func() bool {
			pod, _ := controllertest.Get[*corev1.Pod](c, "default", "web")
			return pod.Status.Phase == corev1.PodRunning
		})
		controllertest.Delete[*corev1.PersistentVolumeClaim](c, "default", "data", metav1.DeleteOptions{})
		c.Pass(time.Minute)
		until(c, "v Bound data", "data Bound v")
		controllertest.Delete[*corev1.Pod](c, "default", "web", metav1.DeleteOptions{})
		until(c, "v Released data")
	})
}

func TestClaimsThatWait(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		waits := storagev1.VolumeBindingWaitForFirstConsumer
		controllertest.Create(c, &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "manual"}, Provisioner: "example.com/disk", VolumeBindingMode: &waits})
		controllertest.Create(c, volume("v", "1Gi"))
		controllertest.Create(c, claim("data", "1Gi"))
		c.Until("says so", func() bool { return len(c.Events("PersistentVolumeClaim", "data")) == 1 })
		until(c, "v Available -", "data Pending ")
		controllertest.Change(c, "default", "data", func(p *corev1.PersistentVolumeClaim) {
			p.Annotations = map[string]string{"volume.kubernetes.io/selected-node": "node-1"}
		})
		c.Until("asks the provisioner", func() bool { return len(c.Events("PersistentVolumeClaim", "data")) == 2 })
		if got := c.Events("PersistentVolumeClaim", "data"); !slices.Equal(got, []string{
			"Normal WaitForFirstConsumer: waiting for first consumer to be created before binding",
			"Normal ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com/disk' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
		}) {
			c.Errorf("events %q", got)
		}
	})
}

// TestDefaultClassComesLate: a claim without a class gets the default one that
// is made after it.
func TestDefaultClassComesLate(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		controllertest.Create(c, claim("data", "1Gi", func(p *corev1.PersistentVolumeClaim) { p.Spec.StorageClassName = nil }))
		c.Until("says what is missing", func() bool {
			return slices.Contains(c.Events("PersistentVolumeClaim", "data"),
				"Normal FailedBinding: no persistent volumes available for this claim and no storage class is set")
		})
		controllertest.Create(c, &storagev1.StorageClass{
			ObjectMeta: metav1.ObjectMeta{Name: "fast", Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}}, Provisioner: "kubernetes.io/no-provisioner",
		})
		c.Until("has the class", func() bool {
			p, _ := controllertest.Get[*corev1.PersistentVolumeClaim](c, "default", "data")
			return p.Spec.StorageClassName != nil && *p.Spec.StorageClassName == "fast"
		})
		c.Until("says who can't provision", func() bool {
			return slices.Contains(c.Events("PersistentVolumeClaim", "data"),
				"Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner")
		})
	})
}
