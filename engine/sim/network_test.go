package sim_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/remote"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/engine/store"
)

func create(t *testing.T, world *sim.World, resource string, object store.Object) {
	t.Helper()
	world.Do(func() {
		if _, err := world.API.Client("learner").Create(context.Background(), resource, object); err != nil {
			t.Fatal(err)
		}
	})
}

// execute runs a command in a pod's container, for at most three virtual minutes.
func execute(t *testing.T, world *sim.World, pod string, command ...string) (output string, code int) {
	t.Helper()
	found, _ := cache.Get[*corev1.Pod](world.Cache, "pods", "default", pod)
	var process remote.Process
	var err error
	world.Do(func() {
		process, err = world.Nodes.StartProcess(found, found.Spec.Containers[0].Name, remote.Options{Command: command, Stdout: true, Stderr: true}, func() {})
	})
	if err != nil {
		t.Fatal(err)
	}
	var end *remote.End
	if err := world.Run(context.Background(), world.Now().Add(3*time.Minute), func() bool {
		chunks, ended := process.Read()
		for _, chunk := range chunks {
			output += string(chunk.Data)
		}
		end = ended
		return end != nil
	}); err != nil {
		t.Fatal(err)
	}
	if end == nil || end.Err != nil {
		t.Fatalf("%v: %+v", command, end)
	}
	return output, end.Code
}

// TestPodsReachEachOther: by names, through services, from node to node.
func TestPodsReachEachOther(t *testing.T) {
	world := newWorld(t, 3)
	run(t, world, "nodes ready", nodesReady(world, 3))
	apply(t, world, nginx(2))
	service := func(name, clusterIP string, labels map[string]string) {
		create(t, world, "services", &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
			Spec: corev1.ServiceSpec{ClusterIP: clusterIP, Selector: labels, Ports: []corev1.ServicePort{{Port: 80}}}})
	}
	service("site", "", map[string]string{"app": "nginx"})
	service("each", corev1.ClusterIPNone, map[string]string{"app": "nginx"})
	service("empty", "", map[string]string{"app": "none"})
	box := corev1.PodSpec{Containers: []corev1.Container{{Name: "box", Image: "busybox", Command: []string{"sleep", "infinity"}}}}
	create(t, world, "pods", &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "box"}, Spec: *box.DeepCopy()})
	create(t, world, "pods", &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "other"}, Spec: *box.DeepCopy()})
	run(t, world, "all ready", func() bool {
		pods := cache.List[*corev1.Pod](world.Cache, "pods", "default")
		for _, pod := range pods {
			if pod.Status.Phase != corev1.PodRunning {
				return false
			}
		}
		return len(pods) == 4 && available(world, 2)()
	})
	ipOf := func(service string) string {
		s, _ := cache.Get[*corev1.Service](world.Cache, "services", "default", service)
		return s.Spec.ClusterIP
	}
	site := ipOf("site")
	for _, test := range []struct {
		command, want string
		code          int
	}{
		{"wget -qO- site", "<h1>Welcome to nginx!</h1>", 0},
		{"wget -qO- http://site.default.svc.cluster.local:80/", "<h1>Welcome to nginx!</h1>", 0},
		{"wget -qO- each.default", "<h1>Welcome to nginx!</h1>", 0},
		{"wget -q -O /dev/null none", "wget: bad address 'none'\n", 1},
		{"wget -qO- empty", "wget: can't connect to remote host (" + ipOf("empty") + "): Connection refused\n", 1},
		{"wget -qO- -T 2 site:81", "wget: download timed out\n", 1},
		{"nslookup site", "Name:\tsite.default.svc.cluster.local\nAddress: " + site + "\n", 0},
		{"nslookup kubernetes.default", "Name:\tkubernetes.default.svc.cluster.local\nAddress: 10.96.0.1\n", 0},
		{"nslookup example.com", "** server can't find example.com: NXDOMAIN\n", 1},
		{"nslookup box", "** server can't find box: NXDOMAIN\n", 1}, // pods have no names of this kind
		{"cat /etc/resolv.conf", "nameserver 10.96.0.10\n", 0},
	} {
		output, code := execute(t, world, "box", strings.Fields(test.command)...)
		if code != test.code || !strings.Contains(output, test.want) {
			t.Errorf("%s: exit code %d, %q", test.command, code, output)
		}
	}
	// Every endpoint gets its share, and a pod that is gone none.
	reached := func() (logs int) {
		for _, pod := range cache.List[*corev1.Pod](world.Cache, "pods", "default") {
			if pod.Labels["app"] != "nginx" {
				continue
			}
			reader, err := world.Nodes.OpenLog(pod, "nginx", false, func() {})
			if err != nil {
				t.Fatal(err)
			}
			lines, _ := reader.Next(nil, 1000)
			for _, line := range lines {
				if strings.Contains(line.Text, `"Wget"`) && strings.Contains(line.Text, "/share") {
					logs++
					break
				}
			}
		}
		return logs
	}
	execute(t, world, "other", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -q -O /dev/null site/share; done")
	if got := reached(); got != 2 {
		t.Errorf("%d of 2 endpoints were reached", got)
	}
	if output, _ := execute(t, world, "box", "nslookup", "each"); strings.Count(output, "Name:\teach.default.svc.cluster.local") != 2 {
		t.Errorf("a headless service: %s", output)
	}
}
