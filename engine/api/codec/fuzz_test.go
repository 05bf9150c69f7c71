package codec

import (
	"bytes"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// FuzzDecode: whatever is decoded can be written and read again, and is the same
// then.
func FuzzDecode(f *testing.F) {
	validations := []string{"", metav1.FieldValidationStrict, metav1.FieldValidationWarn, metav1.FieldValidationIgnore}
	kinds := []struct {
		gvk  schema.GroupVersionKind
		make func() runtime.Object
	}{
		{configMap, func() runtime.Object { return &corev1.ConfigMap{} }},
		{corev1.SchemeGroupVersion.WithKind("Pod"), func() runtime.Object { return &corev1.Pod{} }},
		{appsv1.SchemeGroupVersion.WithKind("Deployment"), func() runtime.Object { return &appsv1.Deployment{} }},
		{schema.GroupVersionKind{Version: "v1", Kind: "DeleteOptions"}, func() runtime.Object { return &metav1.DeleteOptions{} }},
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", CreationTimestamp: metav1.Unix(1, 0)}, Spec: corev1.PodSpec{NodeName: "n"}}
	raw, err := pod.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Raw: raw}
	proto, err := unknown.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(Protobuf), uint8(0), uint8(1), append([]byte("k8s\x00"), proto...))
	f.Add(uint8(JSON), uint8(1), uint8(1), []byte(`{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1e3"}},"livenessProbe":{"httpGet":{"port":"x"}}}]}}`))
	f.Add(uint8(JSON), uint8(2), uint8(2), []byte(`{"spec":{"replicas":1,"Replicas":2,"selector":null,"template":{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"}}}}`))
	f.Add(uint8(YAML), uint8(0), uint8(0), []byte("data: {a: b, a: c}\nbinaryData: {x: aGk=}\nimmutable: yes"))
	f.Add(uint8(YAML), uint8(3), uint8(3), []byte("a: &a [*a]"))
	f.Add(uint8(JSON), uint8(0), uint8(0), []byte(`{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"\ud800\u0000"},"metadata":{"labels":{"":null}}}`))
	f.Fuzz(func(t *testing.T, format, validation, kind uint8, body []byte) {
		k := kinds[int(kind)%len(kinds)]
		d := Decoder{Format: Format(format % 3), Validation: validations[int(validation)%len(validations)]}
		into := k.make()
		if _, err := d.Decode(body, k.gvk, into); err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := (Encoder{}).Encode(&first, into); err != nil {
			t.Fatalf("%q was read but can't be written: %v", body, err)
		}
		again := k.make()
		strict := Decoder{Validation: metav1.FieldValidationStrict}
		if _, err := strict.Decode(first.Bytes(), k.gvk, again); err != nil {
			t.Fatalf("what was written of %q can't be read: %v\n%s", body, err, first.Bytes())
		}
		if err := (Encoder{}).Encode(&second, again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%q is %s, and then %s", body, first.Bytes(), second.Bytes())
		}
	})
}
