// Package lessons runs every lesson as a learner would: on a simulated cluster,
// with the real kubectl and the solutions that the lesson gives.
package lessons

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/openapi/embedded"
	"tidepool.dev/tidepool/engine/sim"
	"tidepool.dev/tidepool/engine/view"
	"tidepool.dev/tidepool/lessons"
	"tidepool.dev/tidepool/lessons/courses"
	"tidepool.dev/tidepool/test/harness"
)

// TestEveryLesson: each step's checks fail before its solution and hold after
// it.
func TestEveryLesson(t *testing.T) {
	all, err := courses.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, lesson := range all {
		t.Run(lesson.ID, func(t *testing.T) { follow(t, lesson) })
	}
}

func follow(t *testing.T, lesson lessons.Lesson) {
	observers := &lessons.Observers{}
	world, err := sim.New(t.Context(), sim.Config{
		Seed: 1, Start: time.Now(), Nodes: 3,
		API: api.Config{OpenAPI: embedded.Source, Observe: observers.Observe},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { // time passes by itself, and faster than outside
		defer close(ended)
		for ctx.Err() == nil {
			if err := world.Run(ctx, world.Now().Add(100*time.Millisecond), nil); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	server := httptest.NewServer(world.Handler())
	t.Cleanup(func() { cancel(); server.CloseClientConnections(); server.Close(); <-ended })

	dir := t.TempDir()
	for _, file := range lesson.Files {
		if err := os.WriteFile(filepath.Join(dir, file.Name), []byte(file.Content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var followed view.Lesson
	world.Do(func() {
		followed, err = lessons.Open(courses.Find, world.Cache, observers)(lesson.ID, nil, func() {})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer followed.Close()
	check := func() (steps []view.Step) {
		world.Do(func() { steps = slices.Clone(followed.Check()) })
		return steps
	}
	kubeconfig := writeKubeconfig(t, server.URL)
	for i, step := range lesson.Steps {
		before := check()
		if before[i].Done {
			t.Fatalf("step %s is done before its solution", step.ID)
		}
		if before[i].Detail == "" {
			t.Errorf("step %s does not say what is missing", step.ID)
		}
		solution := exec.CommandContext(t.Context(), "bash", "-euc", step.Solution)
		solution.Dir = dir
		solution.Env = []string{"KUBECONFIG=" + kubeconfig, "HOME=" + dir, "PATH=" + filepath.Dir(harness.Binary(t, "kubectl")) + ":" + os.Getenv("PATH")}
		if out, err := solution.CombinedOutput(); err != nil {
			t.Fatalf("the solution of step %s: %v\n%s", step.ID, err, out)
		}
		harness.Eventually(t, "step "+step.ID+" is done", func() bool { return check()[i].Done })
	}
}

func writeKubeconfig(t *testing.T, url string) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["lesson"] = &clientcmdapi.Cluster{Server: url}
	config.Contexts["lesson"] = &clientcmdapi.Context{Cluster: "lesson"}
	config.CurrentContext = "lesson"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}
