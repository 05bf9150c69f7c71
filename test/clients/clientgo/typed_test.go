package clientgo

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"

	"tidepool.dev/tidepool/test/clients/connect"
)

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
}

// contentTypes are those that a configuration can ask for, by a short name.
var contentTypes = map[string]string{
	"default":  "",
	"json":     runtime.ContentTypeJSON,
	"yaml":     runtime.ContentTypeYAML,
	"cbor":     runtime.ContentTypeCBOR,
	"protobuf": runtime.ContentTypeProtobuf,
}

// TestTyped walks an object's life in every format.
func TestTyped(t *testing.T) {
	for name, contentType := range contentTypes {
		t.Run(name, func(t *testing.T) {
			config := rest.CopyConfig(connect.Config(t))
			config.ContentType = contentType
			clients := connect.Clients(t, config)
			maps := clients.CoreV1().ConfigMaps(connect.Namespace(t, clients))
			ctx := t.Context()

			created, err := maps.Create(ctx, configMap("one", map[string]string{"a": "1"}), metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if created.UID == "" || created.ResourceVersion == "" || created.CreationTimestamp.IsZero() || len(created.ManagedFields) != 1 {
				t.Errorf("created: %+v", created.ObjectMeta)
			}
			if _, err := maps.Create(ctx, configMap("one", nil), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
				t.Errorf("creating it again: %v", err)
			}
			created.Data["a"] = "2"
			updated, err := maps.Update(ctx, created, metav1.UpdateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := maps.Update(ctx, created, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
				t.Errorf("updating an old version: %v", err)
			}
			patches := map[types.PatchType]string{
				types.MergePatchType:          `{"data":{"merge":"x"}}`,
				types.StrategicMergePatchType: `{"data":{"strategic":"x"}}`,
				types.JSONPatchType:           `[{"op":"add","path":"/data/json","value":"x"}]`,
			}
			for form, patch := range patches {
				if updated, err = maps.Patch(ctx, "one", form, []byte(patch), metav1.PatchOptions{}); err != nil {
					t.Fatalf("%s: %v", form, err)
				}
			}
			if len(updated.Data) != 4 {
				t.Errorf("patched: %v", updated.Data)
			}
			_, err = maps.Create(ctx, configMap("not a name", nil), metav1.CreateOptions{})
			if !apierrors.IsInvalid(err) || apierrors.ReasonForError(err) != metav1.StatusReasonInvalid || !strings.Contains(err.Error(), "metadata.name") {
				t.Errorf("an invalid name: %v", err)
			}
			if list, err := maps.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=one"}); err != nil || len(list.Items) != 1 {
				t.Errorf("listed %v, %v", list, err)
			}
			dry, err := maps.Create(ctx, configMap("dry", nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if err != nil || dry.UID == "" {
				t.Errorf("dry run: %v, %v", dry, err)
			}
			uid := types.UID("another")
			err = maps.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
			if !apierrors.IsConflict(err) {
				t.Errorf("deleting another: %v", err)
			}
			if err := maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "!keep"}); err != nil {
				t.Error(err)
			}
			if _, err := maps.Get(ctx, "one", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("after its deletion: %v", err)
			}
		})
	}
}

// TestWatchInEveryFormat: events arrive however they are encoded.
func TestWatchInEveryFormat(t *testing.T) {
	for name, contentType := range contentTypes {
		if name == "yaml" {
			continue // is not a format of streams
		}
		t.Run(name, func(t *testing.T) {
			config := rest.CopyConfig(connect.Config(t))
			config.ContentType = contentType
			clients := connect.Clients(t, config)
			maps := clients.CoreV1().ConfigMaps(connect.Namespace(t, clients))
			list, err := maps.List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			watch, err := maps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion, LabelSelector: "watched"})
			if err != nil {
				t.Fatal(err)
			}
			defer watch.Stop()
			watched := configMap("watched", nil)
			watched.Labels = map[string]string{"watched": "yes"}
			if watched, err = maps.Create(t.Context(), watched, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			watched.Labels = nil
			if _, err = maps.Update(t.Context(), watched, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"ADDED", "DELETED"} {
				event := <-watch.ResultChan()
				if got, ok := event.Object.(*corev1.ConfigMap); !ok || string(event.Type) != want || got.Name != "watched" {
					t.Errorf("%s %T, want %s of a ConfigMap", event.Type, event.Object, want)
				}
			}
		})
	}
}

// TestRetryOnConflict: writers of one object that all read, change and write it
// lose no change.
func TestRetryOnConflict(t *testing.T) {
	clients := connect.Clients(t, connect.Config(t))
	maps := clients.CoreV1().ConfigMaps(connect.Namespace(t, clients))
	if _, err := maps.Create(t.Context(), configMap("shared", map[string]string{}), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	const writers = 8
	failed := make(chan error, writers)
	for writer := range writers {
		go func() {
			failed <- retry.OnError(retry.DefaultBackoff, func(err error) bool { return apierrors.IsConflict(err) }, func() error {
				return retry.RetryOnConflict(retry.DefaultRetry, func() error {
					current, err := maps.Get(t.Context(), "shared", metav1.GetOptions{})
					if err != nil {
						return err
					}
					if current.Data == nil {
						current.Data = map[string]string{}
					}
					current.Data[fmt.Sprint(writer)] = "written"
					_, err = maps.Update(t.Context(), current, metav1.UpdateOptions{})
					return err
				})
			})
		}()
	}
	for range writers {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if shared, err := maps.Get(t.Context(), "shared", metav1.GetOptions{}); err != nil || len(shared.Data) != writers {
		t.Errorf("%v, %v", shared, err)
	}
}

// TestPagination: a pager gets every object once, from one snapshot.
func TestPagination(t *testing.T) {
	clients := connect.Clients(t, connect.Config(t))
	maps := clients.CoreV1().ConfigMaps(connect.Namespace(t, clients))
	const count = 25
	for i := range count {
		if _, err := maps.Create(t.Context(), configMap(fmt.Sprintf("page-%02d", i), nil), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	pages := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) {
		list, err := maps.List(t.Context(), options)
		if err == nil && options.Continue == "" {
			err = maps.Delete(t.Context(), "page-24", metav1.DeleteOptions{})
		}
		return list, err
	}))
	pages.PageSize = 10
	var names []string
	err := pages.EachListItem(t.Context(), metav1.ListOptions{LabelSelector: "!none"}, func(object runtime.Object) error {
		if found := object.(*corev1.ConfigMap); strings.HasPrefix(found.Name, "page-") {
			names = append(names, found.Name)
		}
		return nil
	})
	if err != nil || len(names) != count || names[0] != "page-00" || names[count-1] != "page-24" {
		t.Errorf("%v, %v", names, err)
	}
}

// TestImpersonation: what an impersonated user may not do is refused as theirs.
func TestImpersonation(t *testing.T) {
	config := rest.CopyConfig(connect.Config(t))
	config.Impersonate = rest.ImpersonationConfig{UserName: "jane", Groups: []string{"developers"}, Extra: map[string][]string{"example.com/Team": {"a b"}}}
	clients := connect.Clients(t, config)
	_, err := clients.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
	want := `pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`
	if !apierrors.IsForbidden(err) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
