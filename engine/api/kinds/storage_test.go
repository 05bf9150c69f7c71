package kinds

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

func TestStorageCreate(t *testing.T) {
	const node = `"nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["node-1"]}]}]}}`
	for _, test := range []struct {
		kind, body string
		want       []string
	}{
		{"PersistentVolumeClaim", `{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}`, nil},
		{"PersistentVolumeClaim", `{"spec":{}}`, []string{
			"spec.accessModes: Required value: at least 1 access mode is required",
			"spec.resources[storage]: Required value",
		}},
		{"PersistentVolumeClaim", `{"spec":{"accessModes":["Often"],"resources":{"requests":{"storage":"0"}}}}`, []string{
			`spec.accessModes: Unsupported value: "Often": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"`,
			`spec.resources[storage]: Invalid value: "0": must be greater than zero`,
		}},
		{"PersistentVolumeClaim", `{"spec":{"accessModes":["ReadWriteOnce","ReadWriteOncePod"],"volumeMode":"Tape","resources":{"requests":{"storage":"1"}},
			"dataSourceRef":{"apiGroup":"example.com","kind":"Backup","name":""}}}`, []string{
			"spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
			`spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"`,
			"spec.dataSource.name: Required value",
			"spec.dataSourceRef.name: Required value",
		}},
		{"PersistentVolume", `{"spec":{"capacity":{"storage":"1Gi"}}}`, []string{
			"spec.accessModes: Required value",
			"spec: Required value: must specify a volume type",
		}},
		{"PersistentVolume", `{"spec":{"accessModes":["ReadWriteOnce"],"persistentVolumeReclaimPolicy":"Burn","hostPath":{"path":"/a/../b"},"nfs":{"server":"s","path":"p"}}}`, []string{
			"spec.capacity: Required value",
			`spec.capacity: Unsupported value: null: supported values: "storage"`,
			`spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"`,
			`spec.hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
			"spec.nfs: Forbidden: may not specify more than 1 volume type",
		}},
		{"PersistentVolume", `{"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"local":{"path":"/d"}}}`,
			[]string{"spec.nodeAffinity: Required value: Local volume requires node affinity"}},
		{"PersistentVolume", `{"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"local":{"path":"/d"},` + node + `}}`, nil},
		{"StorageClass", `{"provisioner":"","reclaimPolicy":"Recycle"}`, []string{
			`reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"`,
			"provisioner: Required value",
		}},
		{"VolumeAttributesClass", `{}`, []string{
			"parameters: Required value: must contain at least one key/value pair",
			"driverName: Required value",
		}},
		{"CSIDriver", `{"spec":{"fsGroupPolicy":"Never","tokenRequests":[{"audience":"a"},{"audience":"a"}]}}`, []string{
			`spec.fsGroupPolicy: Unsupported value: "Never": supported values: "File", "None", "ReadWriteOnceWithFSType"`,
			`spec.tokenRequests[1].audience: Duplicate value: "a"`,
		}},
		{"CSINode", `{"spec":{"drivers":[{"name":"a.b","nodeID":""},{"name":"a.b","nodeID":"n"}]}}`, []string{
			"spec.drivers[0].nodeID: Required value",
			`spec.drivers[1].name: Duplicate value: "a.b"`,
		}},
		{"VolumeAttachment", `{"spec":{"attacher":"a.b","nodeName":"node-1","source":{}}}`,
			[]string{"spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"}},
	} {
		k := kindNamed(t, test.kind)
		wantErrors(t, k.Validate(created(t, k, test.body)), test.want)
	}
}

func TestStorageUpdate(t *testing.T) {
	const (
		claim  = `{"spec":{"accessModes":["ReadWriteOnce"],"volumeName":"v","resources":{"requests":{"storage":"%s"}}},"status":{"phase":"%s","capacity":{"storage":"2Gi"}}}`
		volume = `{"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"%s"}}}`
	)
	for _, test := range []struct {
		kind, old, next string
		want            []string
	}{
		{"PersistentVolumeClaim", fmt.Sprintf(claim, "1Gi", "Bound"), fmt.Sprintf(claim, "3Gi", "Bound"), nil},
		{"PersistentVolumeClaim", fmt.Sprintf(claim, "1Gi", "Bound"), fmt.Sprintf(claim, "500Mi", "Bound"),
			[]string{"spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"}},
		{"PersistentVolumeClaim", fmt.Sprintf(claim, "1Gi", "Pending"), fmt.Sprintf(claim, "3Gi", "Pending"), []string{
			"spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n" +
				"@@ -6,7 +6,7 @@\n  \"Resources\": {\n   \"Limits\": null,\n   \"Requests\": {\n-   \"storage\": \"1Gi\"\n+   \"storage\": \"3Gi\"\n   }\n  },\n  \"VolumeName\": \"v\",\n"}},
		{"PersistentVolume", fmt.Sprintf(volume, "/a"), fmt.Sprintf(volume, "/a"), nil},
		{"StorageClass", `{"provisioner":"a.b/c","parameters":{"a":"b"}}`, `{"provisioner":"a.b/d","parameters":{"a":"b"},"volumeBindingMode":"WaitForFirstConsumer"}`, []string{
			`provisioner: Invalid value: "a.b/d": field is immutable`,
			`volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable`,
		}},
	} {
		k := kindNamed(t, test.kind)
		next, old := decode(t, k, test.next), decode(t, k, test.old)
		if k.PrepareForUpdate != nil {
			k.PrepareForUpdate(next, old)
		}
		wantErrors(t, k.ValidateUpdate(next, old), test.want)
	}
}

// TestClaimGetsItsClass: a claim without a class may be given one, once.
func TestClaimGetsItsClass(t *testing.T) {
	k := kindNamed(t, "PersistentVolumeClaim")
	claim := func(class string) string {
		return `{"spec":{"accessModes":["ReadWriteOnce"],` + class + `"resources":{"requests":{"storage":"1Gi"}}}}`
	}
	without, fast, slow := decode(t, k, claim("")), decode(t, k, claim(`"storageClassName":"fast",`)), decode(t, k, claim(`"storageClassName":"slow",`))
	wantErrors(t, k.ValidateUpdate(fast, without), nil)
	if errs := k.ValidateUpdate(slow, fast); len(errs) != 1 {
		t.Errorf("another class: %v", errs)
	}
}

func TestDataSourcesAgree(t *testing.T) {
	k := kindNamed(t, "PersistentVolumeClaim")
	for _, test := range []struct{ sources, want string }{
		{`"dataSource":{"kind":"PersistentVolumeClaim","name":"other"}`, "PersistentVolumeClaim/other PersistentVolumeClaim/other"},
		{`"dataSource":{"kind":"Pod","name":"other"}`, " "},
		{`"dataSourceRef":{"apiGroup":"a.b","kind":"Backup","name":"b"}`, "Backup/b Backup/b"},
		{`"dataSourceRef":{"apiGroup":"a.b","kind":"Backup","name":"b","namespace":"other"}`, " "},
	} {
		spec := created(t, k, `{"spec":{`+test.sources+`}}`).(*corev1.PersistentVolumeClaim).Spec
		got := ""
		if spec.DataSource != nil {
			got = spec.DataSource.Kind + "/" + spec.DataSource.Name
		}
		got += " "
		if spec.DataSourceRef != nil {
			got += spec.DataSourceRef.Kind + "/" + spec.DataSourceRef.Name
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.sources, got, test.want)
		}
	}
}

func TestVolumePhaseIsStamped(t *testing.T) {
	stamp := func(v, old *corev1.PersistentVolume, seconds int64) {
		k := persistentVolume()
		if old == nil {
			k.Stamp(v, nil, metav1.Unix(seconds, 0))
			return
		}
		k.Stamp(v, old, metav1.Unix(seconds, 0))
	}
	v := &corev1.PersistentVolume{}
	stamp(v, nil, 1)
	same := &corev1.PersistentVolume{}
	stamp(same, v, 2)
	changed := same.DeepCopy()
	changed.Status.Phase = corev1.VolumeAvailable
	stamp(changed, same, 3)
	for i, got := range []*metav1.Time{v.Status.LastPhaseTransitionTime, same.Status.LastPhaseTransitionTime, changed.Status.LastPhaseTransitionTime} {
		if want := []int64{1, 1, 3}[i]; got.Unix() != want {
			t.Errorf("%d: %v, want %d", i, got, want)
		}
	}
}

func TestStorageRows(t *testing.T) {
	const meta = `"metadata":{"name":"x","creationTimestamp":"2026-01-01T11:55:00Z"}`
	for _, test := range []struct {
		kind, body string
		want       string
	}{
		{"PersistentVolume", `{` + meta + `,"spec":{"capacity":{"storage":"2Gi"},"accessModes":["ReadWriteMany","ReadWriteOnce"],"claimRef":{"namespace":"a","name":"b"},"storageClassName":"c"},"status":{"phase":"Bound"}}`,
			"[x 2Gi RWO,RWX Retain Bound a/b c <unset>  5m Filesystem]"},
		{"PersistentVolumeClaim", `{` + meta + `,"spec":{"volumeName":"v","storageClassName":"c"},"status":{"phase":"Bound","capacity":{"storage":"2Gi"},"accessModes":["ReadWriteOncePod"]}}`,
			"[x Bound v 2Gi RWOP c <unset> 5m Filesystem]"},
		{"PersistentVolumeClaim", `{` + meta + `,"spec":{"resources":{"requests":{"storage":"2Gi"}}}}`, "[x Pending     <unset> 5m Filesystem]"},
		{"CSIDriver", `{` + meta + `}`, "[x true false false <unset> false Persistent 5m]"},
		{"CSINode", `{` + meta + `,"spec":{"drivers":[{"name":"a"}]}}`, "[x 1 5m]"},
		{"VolumeAttachment", `{` + meta + `,"spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"v"}}}`, "[x a v n false 5m]"},
		{"CSIStorageCapacity", `{` + meta + `,"storageClassName":"c","capacity":"5Gi"}`, "[x c 5Gi]"},
		{"VolumeAttributesClass", `{` + meta + `,"driverName":"d"}`, "[x d 5m]"},
	} {
		k := kindNamed(t, test.kind)
		if got := fmt.Sprint(k.Row(decode(t, k, test.body), now)); got != test.want {
			t.Errorf("%s: %s, want %s", test.kind, got, test.want)
		}
	}
}

func TestDefaultStorageClassIsMarkedInLists(t *testing.T) {
	class := func(name string, created time.Duration, isDefault bool) store.Object {
		c := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(now.Add(created))}}
		if isDefault {
			c.Annotations = map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}
		}
		return c
	}
	list := []store.Object{class("old", 1, true), class("new", time.Minute, true), class("other", time.Hour, false)}
	row := storageClass().ListRow(list)
	var names []string
	for _, obj := range list {
		names = append(names, row(obj, now)[0].(string))
	}
	if want := []string{"old", "new (default)", "other"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestStorageColumnsAreDescribedByTheirFields(t *testing.T) {
	volume, claim := corev1.PersistentVolumeSpec{}.SwaggerDoc(), corev1.PersistentVolumeClaimStatus{}.SwaggerDoc()
	class, driver := storagev1.StorageClass{}.SwaggerDoc(), storagev1.CSIDriverSpec{}.SwaggerDoc()
	wantDescriptions(t, map[string]map[string]string{
		"PersistentVolume": {
			"Capacity": volume["capacity"], "Access Modes": volume["accessModes"], "Reclaim Policy": volume["persistentVolumeReclaimPolicy"],
			"Status": corev1.PersistentVolumeStatus{}.SwaggerDoc()["phase"], "Claim": volume["claimRef"],
			"Reason": corev1.PersistentVolumeStatus{}.SwaggerDoc()["reason"], "VolumeMode": volume["volumeMode"],
		},
		"PersistentVolumeClaim": {
			"Status": claim["phase"], "Capacity": claim["capacity"], "Access Modes": claim["accessModes"],
			"Volume":     corev1.PersistentVolumeClaimSpec{}.SwaggerDoc()["volumeName"],
			"VolumeMode": corev1.PersistentVolumeClaimSpec{}.SwaggerDoc()["volumeMode"],
		},
		"StorageClass": {
			"Provisioner": class["provisioner"], "ReclaimPolicy": class["reclaimPolicy"],
			"VolumeBindingMode": class["volumeBindingMode"], "AllowVolumeExpansion": class["allowVolumeExpansion"],
		},
		"VolumeAttributesClass": {"DriverName": storagev1.VolumeAttributesClass{}.SwaggerDoc()["driverName"]},
		"CSIDriver": {
			"AttachRequired": driver["attachRequired"], "PodInfoOnMount": driver["podInfoOnMount"], "StorageCapacity": driver["storageCapacity"],
			"TokenRequests": driver["tokenRequests"], "RequiresRepublish": driver["requiresRepublish"], "Modes": driver["volumeLifecycleModes"],
		},
		"VolumeAttachment": {
			"Attacher": storagev1.VolumeAttachmentSpec{}.SwaggerDoc()["attacher"], "Node": storagev1.VolumeAttachmentSpec{}.SwaggerDoc()["nodeName"],
			"PV": storagev1.VolumeAttachmentSource{}.SwaggerDoc()["persistentVolumeName"], "Attached": storagev1.VolumeAttachmentStatus{}.SwaggerDoc()["attached"],
		},
		"CSIStorageCapacity": {
			"StorageClassName": storagev1.CSIStorageCapacity{}.SwaggerDoc()["storageClassName"], "Capacity": storagev1.CSIStorageCapacity{}.SwaggerDoc()["capacity"],
		},
	})
}

// wantDescriptions checks the descriptions of columns, by kind and column.
func wantDescriptions(t *testing.T, want map[string]map[string]string) {
	t.Helper()
	for name, columns := range want {
		k := kindNamed(t, name)
		for column, description := range columns {
			at := slices.IndexFunc(k.Columns, func(c metav1.TableColumnDefinition) bool { return c.Name == column })
			if at < 0 || k.Columns[at].Description != description {
				t.Errorf("%s: column %s is not described as\n%s", name, column, description)
			}
		}
	}
}
