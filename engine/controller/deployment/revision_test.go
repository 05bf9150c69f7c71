package deployment

import (
	"maps"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func withRevision(revision string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{revisionAnnotation: revision}}}
}

func TestAnnotations(t *testing.T) {
	for _, test := range []struct {
		name       string
		deployment map[string]string
		old        []*appsv1.ReplicaSet
		present    map[string]string
		want       map[string]string
	}{
		{"of the first ReplicaSet", nil, nil, nil, map[string]string{revisionAnnotation: "1"}},
		{"of the next one", nil, []*appsv1.ReplicaSet{withRevision("4"), withRevision("7"), withRevision("x")}, nil,
			map[string]string{revisionAnnotation: "8"}},
		{"of one that is rolled back to", nil, []*appsv1.ReplicaSet{withRevision("2")},
			map[string]string{revisionAnnotation: "1"},
			map[string]string{revisionAnnotation: "3", revisionHistoryAnnotation: "1"}},
		{"of one that is rolled back to again", nil, []*appsv1.ReplicaSet{withRevision("4")},
			map[string]string{revisionAnnotation: "3", revisionHistoryAnnotation: "1"},
			map[string]string{revisionAnnotation: "5", revisionHistoryAnnotation: "1,3"}},
		{"of the newest one whose predecessors are gone", nil, nil,
			map[string]string{revisionAnnotation: "9"}, map[string]string{revisionAnnotation: "9"}},
		{"of one whose revision is no number", nil, nil,
			map[string]string{revisionAnnotation: "x"}, map[string]string{revisionAnnotation: "x"}},
		{"copied from the Deployment, but for its own",
			map[string]string{"kubernetes.io/change-cause": "why", revisionAnnotation: "5", "kubectl.kubernetes.io/last-applied-configuration": "{}"}, nil, nil,
			map[string]string{"kubernetes.io/change-cause": "why", revisionAnnotation: "1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &rollout{d: &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: test.deployment}}, old: test.old}
			if got := r.annotations(test.present); !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestExtendHistory(t *testing.T) {
	long := strings.Repeat("1234567,", 249) + "1234567" // 1999 characters
	for _, test := range []struct{ name, history, revision, want string }{
		{"the first", "", "1", "1"},
		{"another", "1,3", "5", "1,3,5"},
		{"one for which the oldest makes room", long, "9", long[8:] + ",9"},
		{"one that is too long by itself", "1", strings.Repeat("9", 2001), "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := extendHistory(test.history, test.revision); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
