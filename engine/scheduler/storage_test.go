package scheduler

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/internal/volumes"
	"tidepool.dev/tidepool/engine/store"
)

// withStorage gives a scheduler claims, volumes and classes.
func withStorage(t *testing.T, s *Scheduler, objects ...store.Object) {
	t.Helper()
	memory := store.NewMemory(0)
	for _, obj := range objects {
		key := store.Key{Namespace: obj.GetNamespace(), Name: obj.GetName(), Resource: volumes.Resource}
		switch obj.(type) {
		case *corev1.PersistentVolumeClaim:
			key.Resource = volumes.ClaimResource
		case *storagev1.StorageClass:
			key.Resource = volumes.ClassResource
		}
		if _, err := memory.Create(t.Context(), key, obj); err != nil {
			t.Fatal(err)
		}
	}
	shared, err := cache.New(context.Background(), memory, []string{volumes.Resource, volumes.ClaimResource, volumes.ClassResource}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shared.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.cache = shared
}

func usingClaim(name string) *corev1.Pod {
	pod := newPod("p")
	pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}}
	return pod
}

func testClaim(class string, change ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: newPod("p").Namespace, Name: "data", Annotations: map[string]string{}}}
	claim.Spec.StorageClassName = &class
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	for _, f := range change {
		f(claim)
	}
	return claim
}

func testVolume(node string, change ...func(*corev1.PersistentVolume)) *corev1.PersistentVolume {
	volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "v"}}
	volume.Spec.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	volume.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	volume.Spec.StorageClassName = "local"
	volume.Status.Phase = corev1.VolumeAvailable
	if node != "" {
		volume.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "disk", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}}}}}}
	}
	for _, f := range change {
		f(volume)
	}
	return volume
}

func TestClaimsDecideAboutNodes(t *testing.T) {
	later := storagev1.VolumeBindingWaitForFirstConsumer
	local := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "local"}, Provisioner: volumes.NoProvisioner, VolumeBindingMode: &later}
	made := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "made"}, Provisioner: "example.com/disk", VolumeBindingMode: &later}
	bound := func(claim *corev1.PersistentVolumeClaim) {
		claim.Spec.VolumeName, claim.Annotations[volumes.BindCompleted] = "v", "yes"
	}
	for _, test := range []struct {
		name    string
		objects []store.Object
		node    string // empty: none
		why     string
	}{
		{"no such claim", nil, "", `persistentvolumeclaim "data" not found`},
		{"not bound yet", []store.Object{testClaim("none")}, "", "pod has unbound immediate PersistentVolumeClaims"},
		{"lost", []store.Object{testClaim("none", func(c *corev1.PersistentVolumeClaim) {
			c.Status.Phase, c.Spec.VolumeName = corev1.ClaimLost, "v"
		})}, "", `persistentvolumeclaim "data" bound to non-existent persistentvolume "v"`},
		{"bound to a volume of one node", []store.Object{testClaim("local", bound), testVolume("b")}, "b", ""},
		{"bound to a volume of no node", []store.Object{testClaim("local", bound), testVolume("c")}, "", "node(s) had volume node affinity conflict"},
		{"bound to a volume of another zone", []store.Object{testClaim("local", bound), testVolume("", func(v *corev1.PersistentVolume) {
			v.Labels = map[string]string{corev1.LabelTopologyZone: "z"}
		})}, "", "node(s) had no available volume zone"},
		{"waits, and one node has a volume", []store.Object{local, testClaim("local"), testVolume("b")}, "b", ""},
		{"waits, and no node has a volume", []store.Object{local, testClaim("local")}, "", "node(s) didn't find available persistent volumes to bind"},
		{"waits, and can be made anywhere", []store.Object{made, testClaim("made", func(c *corev1.PersistentVolumeClaim) {
			c.Annotations[volumes.SelectedNode] = "a"
		})}, "a", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			label := func(value string) func(*corev1.Node) {
				return func(n *corev1.Node) { n.Labels = map[string]string{"disk": value} }
			}
			s := newScheduler(newNode("a", label("a")), newNode("b", label("b")))
			withStorage(t, s, test.objects...)
			d := s.choose(newPodInfo(usingClaim("data")))
			node := ""
			if d.node != nil {
				node = d.node.name
			}
			if node != test.node {
				t.Errorf("chose %q, want %q", node, test.node)
			}
			if test.why == "" {
				return
			}
			found := d.conflict == test.why
			for r := range d.refusals {
				found = found || r.reasons[0] == test.why
			}
			if !found {
				t.Errorf("refusals %v, conflict %q", d.refusals, d.conflict)
			}
		})
	}
}
