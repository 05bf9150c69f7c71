package written

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
)

func at(revision string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{ResourceVersion: revision}}
}

func TestLog(t *testing.T) {
	web, db := controller.Request{Name: "web"}, controller.Request{Name: "db"}
	var log Log
	expect := func(request controller.Request, shown int64, want bool) {
		t.Helper()
		if got := log.Pending(request, shown); got != want {
			t.Errorf("%s with the cache at %d: pending %v, want %v", request.Name, shown, got, want)
		}
	}
	expect(web, 0, false)
	log.Note(web, at("7"))
	log.Note(web, at("5"))
	log.Note(db, at("no number"))
	expect(db, 0, false)
	expect(web, 6, true)
	expect(web, 7, false)
	expect(web, 6, false) // it has been seen and is forgotten
}
