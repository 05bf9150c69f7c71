package kinds

import (
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/store"
)

// The adapters below make functions of a kind's own type into the functions of
// any object that kind.Kind holds; they are called with that kind's objects
// only.

func on[T store.Object](f func(T)) func(store.Object) {
	return func(obj store.Object) { f(obj.(T)) }
}

func onUpdate[T store.Object](f func(obj, old T)) func(obj, old store.Object) {
	return func(obj, old store.Object) { f(obj.(T), old.(T)) }
}

func validate[T store.Object](f func(T) field.ErrorList) func(store.Object) field.ErrorList {
	return func(obj store.Object) field.ErrorList { return f(obj.(T)) }
}

func validateUpdate[T store.Object](f func(obj, old T) field.ErrorList) func(obj, old store.Object) field.ErrorList {
	return func(obj, old store.Object) field.ErrorList { return f(obj.(T), old.(T)) }
}

// warnings calls f with a nil old on create.
func warnings[T store.Object](f func(obj, old T) []string) func(obj, old store.Object) []string {
	return func(obj, old store.Object) []string {
		typed, _ := old.(T)
		return f(obj.(T), typed)
	}
}

func selectable[T store.Object](f func(T) fields.Set) func(store.Object) fields.Set {
	return func(obj store.Object) fields.Set { return f(obj.(T)) }
}

func row[T store.Object](f func(obj T, now time.Time) []any) func(store.Object, time.Time) []any {
	return func(obj store.Object, now time.Time) []any { return f(obj.(T), now) }
}
