package rest

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func samplePod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"a": "b"}, CreationTimestamp: metav1.Unix(5, 0)},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: new(int64(30)),
			Containers: []corev1.Container{{
				Name:      "c",
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("1")}},
				LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(80)}}},
			}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: new(metav1.Unix(7, 0))},
	}
}

func TestEqualSaysWhatSemanticDeepEqualSays(t *testing.T) {
	tests := map[string]struct {
		change func(*corev1.Pod)
		equal  bool
	}{
		"nothing":           {func(*corev1.Pod) {}, true},
		"empty for absent":  {func(p *corev1.Pod) { p.Annotations = map[string]string{}; p.Spec.Volumes = []corev1.Volume{} }, true},
		"equal quantity":    {func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests["cpu"] = resource.MustParse("1000m") }, true},
		"other quantity":    {func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests["cpu"] = resource.MustParse("2") }, false},
		"same time, zone":   {func(p *corev1.Pod) { p.CreationTimestamp.Time = p.CreationTimestamp.UTC() }, true},
		"other time":        {func(p *corev1.Pod) { p.Status.StartTime = new(metav1.NewTime(time.Unix(8, 0))) }, false},
		"absent pointer":    {func(p *corev1.Pod) { p.Status.StartTime = nil }, false},
		"label":             {func(p *corev1.Pod) { p.Labels["a"] = "c" }, false},
		"label key":         {func(p *corev1.Pod) { p.Labels = map[string]string{"c": "b"} }, false},
		"deep":              {func(p *corev1.Pod) { p.Spec.Containers[0].LivenessProbe.HTTPGet.Port = intstr.FromString("80") }, false},
		"more containers":   {func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, corev1.Container{}) }, false},
		"deletion":          {func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.Unix(9, 0)) }, false},
		"number by pointer": {func(p *corev1.Pod) { *p.Spec.TerminationGracePeriodSeconds = 31 }, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := samplePod(), samplePod()
			test.change(b)
			if got := equal(a, b); got != test.equal {
				t.Errorf("equal is %v", got)
			}
			if reference := equality.Semantic.DeepEqual(a, b); reference != test.equal {
				t.Errorf("the reference says %v", reference)
			}
		})
	}
}
