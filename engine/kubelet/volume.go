package kubelet

import (
	"context"
	"fmt"
	"maps"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/store"
)

// Volume is a volume of a pod as the runtime is to provide it.
type Volume struct {
	Name string
	// Files returns the volume's files by their paths in it, as they are at that
	// moment; it is safe for concurrent use. nil: the volume is an empty directory,
	// which the pod's containers share.
	Files func() map[string]string
}

// Mount is a volume's place in a container.
type Mount struct {
	Path, SubPath string
	ReadOnly      bool
	Volume        *Volume
}

// Failed mounts are tried again after 500 ms, doubling to 122 s.
const (
	firstMountRetry = 500 * time.Millisecond
	lastMountRetry  = 122 * time.Second
)

// mountVolumes resolves the pod's volumes; it reports whether all are there. If
// one is not, the pod's start waits for it.
func (w *worker) mountVolumes(ctx context.Context) bool {
	if w.volumes != nil {
		return true
	}
	if !w.due(w.mountAt) {
		return false
	}
	volumes := make(map[string]*Volume, len(w.pod.Spec.Volumes))
	for i := range w.pod.Spec.Volumes {
		spec := &w.pod.Spec.Volumes[i]
		files, err := w.volumeFiles(spec)
		if err != nil {
			w.Recorder.Event(ctx, w.pod, corev1.EventTypeWarning, "FailedMount",
				fmt.Sprintf("MountVolume.SetUp failed for volume %q : %v", spec.Name, err))
			w.mountRetry = min(max(2*w.mountRetry, firstMountRetry), lastMountRetry)
			w.mountAt = w.now().Add(w.mountRetry)
			w.wakeAt(w.mountAt)
			return false
		}
		volumes[spec.Name] = &Volume{Name: spec.Name, Files: files}
	}
	w.volumes = volumes
	return true
}

// mounts are a container's volumes, each in its place.
func (w *worker) mounts(spec *corev1.Container) []Mount {
	mounts := make([]Mount, 0, len(spec.VolumeMounts))
	for i := range spec.VolumeMounts {
		m := &spec.VolumeMounts[i]
		if volume := w.volumes[m.Name]; volume != nil {
			mounts = append(mounts, Mount{Path: m.MountPath, SubPath: m.SubPath, ReadOnly: m.ReadOnly || volume.Files != nil, Volume: volume})
		}
	}
	return mounts
}

// volumeFiles resolves what a volume holds; nil files are an empty directory.
func (w *worker) volumeFiles(volume *corev1.Volume) (func() map[string]string, error) {
	source := &volume.VolumeSource
	switch {
	case source.EmptyDir != nil, source.HostPath != nil:
		return nil, nil
	case source.ConfigMap != nil:
		return w.configMapFiles(source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional)
	case source.Secret != nil:
		return w.secretFiles(source.Secret.SecretName, source.Secret.Items, source.Secret.Optional)
	case source.DownwardAPI != nil:
		return w.downwardFiles(source.DownwardAPI.Items), nil
	case source.Projected != nil:
		return w.projectedFiles(source.Projected.Sources)
	case source.PersistentVolumeClaim != nil:
		return nil, fmt.Errorf("persistentvolumeclaim %q not found", source.PersistentVolumeClaim.ClaimName)
	}
	return nil, fmt.Errorf("no volume plugin matched name: %s", volume.Name)
}

func (w *worker) configMapFiles(name string, items []corev1.KeyToPath, optional *bool) (func() map[string]string, error) {
	object, ok := cache.Get[*corev1.ConfigMap](w.Cache, "configmaps", w.pod.Namespace, name)
	switch {
	case ok:
	case isTrue(optional):
		return noFiles, nil
	default:
		return nil, fmt.Errorf("configmap %q not found", name)
	}
	for _, item := range items {
		_, isText := object.Data[item.Key]
		_, isBinary := object.BinaryData[item.Key]
		if !isText && !isBinary && !isTrue(optional) {
			return nil, fmt.Errorf("configmap references non-existent config key: %s", item.Key)
		}
	}
	namespace := w.pod.Namespace
	return func() map[string]string {
		object := latest(w.Cache, "configmaps", namespace, object)
		data := text(object.BinaryData)
		for key, value := range object.Data {
			data[key] = value
		}
		return placed(data, items)
	}, nil
}

func (w *worker) secretFiles(name string, items []corev1.KeyToPath, optional *bool) (func() map[string]string, error) {
	object, ok := cache.Get[*corev1.Secret](w.Cache, "secrets", w.pod.Namespace, name)
	switch {
	case ok:
	case isTrue(optional):
		return noFiles, nil
	default:
		return nil, fmt.Errorf("secret %q not found", name)
	}
	for _, item := range items {
		if _, has := object.Data[item.Key]; !has && !isTrue(optional) {
			return nil, fmt.Errorf("references non-existent secret key: %s", item.Key)
		}
	}
	namespace := w.pod.Namespace
	return func() map[string]string {
		return placed(text(latest(w.Cache, "secrets", namespace, object).Data), items)
	}, nil
}

// latest is an object as it is now; what has been deleted is as it was.
func latest[T store.Object](c *cache.Cache, resource, namespace string, object T) T {
	if now, ok := cache.Get[T](c, resource, namespace, object.GetName()); ok {
		return now
	}
	return object
}

func (w *worker) downwardFiles(items []corev1.DownwardAPIVolumeFile) func() map[string]string {
	resources := map[string]string{}
	for _, item := range items {
		if item.ResourceFieldRef != nil {
			resources[item.Path] = w.resourceField(nil, item.ResourceFieldRef)
		}
	}
	pod := w.pod
	return func() map[string]string {
		files := maps.Clone(resources)
		now := latest(w.Cache, "pods", pod.Namespace, pod)
		for _, item := range items {
			if item.FieldRef != nil {
				files[item.Path], _ = metadataField(now, item.FieldRef.FieldPath)
			}
		}
		return files
	}
}

// tokenFile is a token of the pod's service account, which ends with the pod.
// Most are never looked at, so it is asked for when somebody does.
func (w *worker) tokenFile(source *corev1.ServiceAccountTokenProjection) func() map[string]string {
	pod := w.pod
	return func() map[string]string {
		request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			ExpirationSeconds: source.ExpirationSeconds,
			BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
		}}
		if source.Audience != "" {
			request.Spec.Audiences = []string{source.Audience}
		}
		issued, err := w.Client.IssueToken(context.Background(), pod.Namespace, pod.Spec.ServiceAccountName, request)
		if err != nil {
			return noFiles() // the account has been deleted
		}
		return map[string]string{source.Path: issued.Status.Token}
	}
}

// projectedFiles puts several sources into one volume.
func (w *worker) projectedFiles(sources []corev1.VolumeProjection) (func() map[string]string, error) {
	var parts []func() map[string]string
	for i := range sources {
		source := &sources[i]
		var part func() map[string]string
		var err error
		switch {
		case source.ConfigMap != nil:
			part, err = w.configMapFiles(source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional)
		case source.Secret != nil:
			part, err = w.secretFiles(source.Secret.Name, source.Secret.Items, source.Secret.Optional)
		case source.DownwardAPI != nil:
			part = w.downwardFiles(source.DownwardAPI.Items)
		case source.ServiceAccountToken != nil:
			part = w.tokenFile(source.ServiceAccountToken)
		}
		if err != nil {
			return nil, err
		}
		if part != nil {
			parts = append(parts, part)
		}
	}
	return func() map[string]string {
		files := map[string]string{}
		for _, part := range parts {
			for name, content := range part() {
				files[name] = content
			}
		}
		return files
	}, nil
}

func noFiles() map[string]string { return map[string]string{} }

// placed puts the chosen keys at their paths; without a choice, all keys are
// files of their names.
func placed(data map[string]string, items []corev1.KeyToPath) map[string]string {
	if len(items) == 0 {
		return data
	}
	files := make(map[string]string, len(items))
	for _, item := range items {
		if value, ok := data[item.Key]; ok {
			files[item.Path] = value
		}
	}
	return files
}
