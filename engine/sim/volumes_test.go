package sim_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/engine/store"
)

// TestVolumesFollowTheirObjects: a ConfigMap's files change with it, within about
// a minute; a single file that is mounted stays as it was.
func TestVolumesFollowTheirObjects(t *testing.T) {
	world := newWorld(t, 1)
	run(t, world, "the node is ready", nodesReady(world, 1))
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "box"}}
	}
	config := &corev1.ConfigMap{ObjectMeta: meta("config"), Data: map[string]string{"color": "red"}}
	create(t, world, "configmaps", config)
	create(t, world, "secrets", &corev1.Secret{ObjectMeta: meta("secret"), Data: map[string][]byte{"key": []byte("s3cret")}})
	create(t, world, "pods", &corev1.Pod{ObjectMeta: meta("box"), Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "box", Image: "busybox", Command: []string{"sleep", "infinity"}, VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/config"}, {Name: "config", MountPath: "/one", SubPath: "color"},
			{Name: "secret", MountPath: "/secret"}, {Name: "info", MountPath: "/info"}, {Name: "own", MountPath: "/own"},
		}}},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "config"}}}},
			{Name: "secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "secret"}}},
			{Name: "info", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
				{Path: "labels", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.labels"}},
			}}}},
			{Name: "own", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}})
	run(t, world, "it runs", func() bool {
		pod, ok := cache.Get[*corev1.Pod](world.Cache, "pods", "default", "box")
		return ok && pod.Status.Phase == corev1.PodRunning
	})
	expect := func(want string, files ...string) {
		t.Helper()
		if got, _ := execute(t, world, "box", append([]string{"cat"}, files...)...); got != want {
			t.Errorf("%v: %q, not %q", files, got, want)
		}
	}
	expect("redreds3cretapp=\"box\"", "/config/color", "/one", "/secret/key", "/info/labels")
	if output, code := execute(t, world, "box", "sh", "-c", "echo mine > /own/file; echo x > /config/color"); code != 1 || output != "sh: can't create /config/color: Read-only file system\n" {
		t.Errorf("writing to a ConfigMap: %d, %q", code, output)
	}
	change(t, world, "configmaps", "config", func(c *corev1.ConfigMap) { c.Data = map[string]string{"color": "blue", "more": "yes"} })
	change(t, world, "pods", "box", func(p *corev1.Pod) { p.Labels["tier"] = "web" })
	expect("red", "/config/color")
	pass(t, world, time.Minute)
	expect("blueyesredapp=\"box\"\ntier=\"web\"mine\n", "/config/color", "/config/more", "/one", "/info/labels", "/own/file")
}

// change updates an object.
func change[T store.Object](t *testing.T, world *sim.World, resource, name string, how func(T)) {
	t.Helper()
	world.Do(func() {
		client := world.API.Client("learner")
		object, err := client.Get(context.Background(), resource, "default", name)
		if err == nil {
			changed := object.DeepCopyObject().(T)
			how(changed)
			_, err = client.Update(context.Background(), resource, changed)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// pass lets virtual time pass.
func pass(t *testing.T, world *sim.World, d time.Duration) {
	t.Helper()
	if err := world.Run(context.Background(), world.Now().Add(d), nil); err != nil {
		t.Fatal(err)
	}
}
