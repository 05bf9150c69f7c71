package rest

import (
	"reflect"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

// equal compares two objects of one type as they would be written: absent and
// empty are the same, times and quantities are compared by value. It is what
// equality.Semantic.DeepEqual says of API objects, several times faster, as it
// runs on every update: what the two share is not looked at, and the fields in
// which updates mostly differ, the status before all, come first.
func equal(a, b store.Object) bool {
	return equalValues(reflect.ValueOf(a), reflect.ValueOf(b))
}

var (
	timeType      = reflect.TypeFor[metav1.Time]()
	microTimeType = reflect.TypeFor[metav1.MicroTime]()
	quantityType  = reflect.TypeFor[resource.Quantity]()
)

func equalValues(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer:
		if a.UnsafePointer() == b.UnsafePointer() {
			return true
		}
		return !a.IsNil() && !b.IsNil() && equalValues(a.Elem(), b.Elem())
	case reflect.Struct:
		return equalStructs(a, b)
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		if a.Len() == 0 || a.UnsafePointer() == b.UnsafePointer() {
			return true
		}
		for i := range a.Len() {
			if !equalValues(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		return equalMaps(a, b)
	case reflect.String:
		return a.String() == b.String()
	case reflect.Bool:
		return a.Bool() == b.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return a.Int() == b.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return a.Uint() == b.Uint()
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

func equalStructs(a, b reflect.Value) bool {
	switch a.Type() {
	case timeType:
		x, y := valueOf[metav1.Time](a), valueOf[metav1.Time](b)
		return x.Equal(&y)
	case microTimeType:
		x, y := valueOf[metav1.MicroTime](a), valueOf[metav1.MicroTime](b)
		return x.Equal(&y)
	case quantityType:
		x, y := valueOf[resource.Quantity](a), valueOf[resource.Quantity](b)
		return x.Cmp(y) == 0
	}
	for i := a.NumField() - 1; i >= 0; i-- {
		if !equalValues(a.Field(i), b.Field(i)) {
			return false
		}
	}
	return true
}

// valueOf reads a value without allocating where it can.
func valueOf[T any](v reflect.Value) T {
	if v.CanAddr() {
		return *(v.Addr().Interface().(*T))
	}
	return v.Interface().(T)
}

func equalMaps(a, b reflect.Value) bool {
	if a.Len() != b.Len() {
		return false
	}
	if a.Len() == 0 || a.UnsafePointer() == b.UnsafePointer() {
		return true
	}
	for entries := a.MapRange(); entries.Next(); {
		other := b.MapIndex(entries.Key())
		if !other.IsValid() || !equalValues(entries.Value(), other) {
			return false
		}
	}
	return true
}
