package rest

import (
	"testing"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
)

// TestSurelyValid checks that nothing passes the quick checks that the thorough
// ones refuse, and that ordinary metadata does pass.
func TestSurelyValid(t *testing.T) {
	owner := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: "1", Controller: new(true)}
	event := owner
	event.APIVersion, event.Kind = "v1", "Event"
	tests := map[string]struct {
		meta metav1.ObjectMeta
		sure bool
	}{
		"ordinary": {metav1.ObjectMeta{Namespace: "default", Name: "web-1", GenerateName: "web-",
			Labels: map[string]string{"app.kubernetes.io/name": "web", "empty": ""}, Annotations: map[string]string{"a/B_c": "any thing"},
			OwnerReferences: []metav1.OwnerReference{owner}}, true},
		"subdomain":        {metav1.ObjectMeta{Namespace: "default", Name: "a.b-c.d"}, true},
		"no name":          {metav1.ObjectMeta{Namespace: "default"}, false},
		"no namespace":     {metav1.ObjectMeta{Name: "a"}, false},
		"upper case":       {metav1.ObjectMeta{Namespace: "default", Name: "A"}, false},
		"dash at the end":  {metav1.ObjectMeta{Namespace: "default", Name: "a-"}, false},
		"dash after dot":   {metav1.ObjectMeta{Namespace: "default", Name: "a.-b"}, false},
		"dot after dash":   {metav1.ObjectMeta{Namespace: "default", Name: "a-.b"}, false},
		"generated dot":    {metav1.ObjectMeta{Namespace: "default", Name: "a.bcdfg", GenerateName: "a."}, false},
		"two controllers":  {metav1.ObjectMeta{Namespace: "default", Name: "a", OwnerReferences: []metav1.OwnerReference{owner, owner}}, false},
		"event as owner":   {metav1.ObjectMeta{Namespace: "default", Name: "a", OwnerReferences: []metav1.OwnerReference{event}}, false},
		"owner incomplete": {metav1.ObjectMeta{Namespace: "default", Name: "a", OwnerReferences: []metav1.OwnerReference{{}}}, false},
		"label value":      {metav1.ObjectMeta{Namespace: "default", Name: "a", Labels: map[string]string{"a": "b c"}}, false},
		"label key":        {metav1.ObjectMeta{Namespace: "default", Name: "a", Labels: map[string]string{"a/b/c": ""}}, false},
		"label prefix":     {metav1.ObjectMeta{Namespace: "default", Name: "a", Labels: map[string]string{"A/b": ""}}, false},
		"annotation key":   {metav1.ObjectMeta{Namespace: "default", Name: "a", Annotations: map[string]string{"-": ""}}, false},
		"generation":       {metav1.ObjectMeta{Namespace: "default", Name: "a", Generation: -1}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if sure := surelyValid(&kind.Kind{Namespaced: true}, &test.meta); sure != test.sure {
				t.Errorf("surely valid is %v", sure)
			}
			errs := apivalidation.ValidateObjectMeta(&test.meta, true, apivalidation.NameIsDNSSubdomain, metaPath)
			if test.sure != (len(errs) == 0) {
				t.Errorf("the thorough check says %v", errs)
			}
		})
	}
}
